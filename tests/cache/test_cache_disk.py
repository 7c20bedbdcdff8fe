"""The disk tier: private, bounded, shared by processes, and indifferent to what a hostile row says."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import diskcache
import pytest
from cache_support import Bomb

from deepsel.cache import tallies
from deepsel.cache.disk import TextDisk
from deepsel.cache.disk_tier import DiskTier
from deepsel.cache.tier import CacheCorrupt, CacheUnavailable, Tally
from deepsel.cli.replay.replay import database_stamps

LIMIT = 1 << 24
TALLY = Tally(date(2026, 3, 1), "m", "disk", answers=2, usd=Decimal("0.000125"), unpriced=1)


@pytest.fixture
def tier(folder: Path) -> Iterator[DiskTier]:
    made = DiskTier(folder, size_limit_bytes=LIMIT)
    yield made
    made.close()


def put(tier: DiskTier, key: str, text: str = "text", label: str = "m") -> None:
    assert tier.put(key, text, ttl_s=3600, label=label)


def tamper(folder: Path, statement: str, *arguments: Any, file: str = "cache.db") -> None:
    with closing(sqlite3.connect(folder / file)) as connection, connection:
        connection.execute(statement, arguments)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_put_is_got(tier: DiskTier, folder: Path) -> None:
    """A text of any size and script is kept inside the one file, and replaced by the next."""
    text = "\u4f60\u597d \U0001f600 " * 50_000
    put(tier, "k1-a", "old")
    put(tier, "k1-a", text)
    assert tier.get("k1-a") == text
    assert tier.get("k1-b") is None
    assert {path.name for path in folder.iterdir()} <= {"cache.db", "cache.db-wal", "cache.db-shm"}
    assert all(path.is_file() for path in folder.iterdir())


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_files_are_private(tier: DiskTier, folder: Path, umask: int) -> None:
    """Only the owner can read the folder and its files, whatever the umask."""
    folder.parent.mkdir(parents=True)
    before = os.umask(umask)
    try:
        put(tier, "k1-a")
        assert tier.get("k1-a") == "text"
        modes = {path.name: mode_of(path) for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert mode_of(folder) == 0o700
    assert modes["cache.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_an_open_file_is_tightened(tier: DiskTier, folder: Path) -> None:
    """A database that others could read is closed to them by the next writer."""
    put(tier, "k1-a")
    tier.close()
    (folder / "cache.db").chmod(0o644)
    put(tier, "k1-b")
    assert mode_of(folder / "cache.db") == 0o600


def test_a_look_up_makes_nothing(tier: DiskTier, folder: Path) -> None:
    """Reading, counting and emptying a cache that is not there makes no file."""
    assert tier.get("k1-a") is None
    tier.add_tallies([TALLY])
    assert (tier.clear(), tier.stats().entries, list(tier.items()), tier.keys("k1")) == (0, 0, [], [])
    assert not folder.exists()


def test_a_look_up_does_not_load_diskcache(tier: DiskTier, folder: Path) -> None:
    """Only writing imports diskcache."""
    put(tier, "k1-a", "found")
    code = (
        "import sys; from pathlib import Path; from deepsel.cache.disk_tier import DiskTier\n"
        "tier = DiskTier(Path(sys.argv[1]), size_limit_bytes=1000)\n"
        "print(tier.get('k1-a'), 'diskcache' in sys.modules); tier.close()"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "found False\n"


def test_the_size_is_bounded(folder: Path) -> None:
    """The file stays near its limit, the oldest entries leave, and a text larger than all is not stored."""
    tier = DiskTier(folder, size_limit_bytes=1 << 20)
    assert tier.get("k1-00") is None
    for number in range(60):
        put(tier, f"k1-{number:02}", "x" * 50_000)
    stats = tier.stats()
    assert 10 <= stats.entries <= 21
    assert (tier.get("k1-00"), tier.get("k1-59")) == (None, "x" * 50_000)
    assert not tier.put("k1-big", "x" * (2 << 20), ttl_s=60, label="m")
    tier.close()


def test_items_keys_and_delete(tier: DiskTier) -> None:
    """Entries are listed newest first, by label and by prefix, and removed one by one."""
    for key, label in [("k1-a1", "m"), ("k1-a2", "n"), ("k1-b", "m")]:
        put(tier, key, key + "\u00e9", label)
    assert [one.key for one in tier.items()] == ["k1-b", "k1-a2", "k1-a1"]
    assert [(one.key, one.size_bytes) for one in tier.items("n")] == [("k1-a2", 7)]
    assert tier.keys("k1-a") == ["k1-a1", "k1-a2"]
    tier.delete(["k1-a1", "k1-none"])
    assert tier.get("k1-a1") is None
    assert (tier.clear(), tier.get("k1-b")) == (2, None)


def test_tallies_outlive_the_process(tier: DiskTier, folder: Path) -> None:
    """What the cache did adds up in the file, by day, model and tier; a row that is not ours is passed over."""
    put(tier, "k1-a")
    other = TALLY._replace(tier="memory")
    tier.add_tallies([TALLY, other])
    tallies.add_up(folder)
    tier.add_tallies([TALLY])
    with (folder / tallies.JOURNAL).open("a") as journal:
        journal.write('["someday", "m", "disk", 1, 1, 0]\n["2026-01-01", "m", "disk", "x", 1, 0]\n[1]\nno line of ours\n')
    rows = "('someday', 'm', 'disk', 1, 1, 0), ('2026-01-01', 'm', 'disk', 'x', 1, 0)"
    tamper(folder, f"INSERT INTO Tally VALUES {rows}", file="tallies.db")
    assert mode_of(folder / "tallies.db") == mode_of(folder / tallies.JOURNAL) == 0o600
    again = DiskTier(folder, size_limit_bytes=LIMIT)
    assert again.tallies() == ([TALLY._replace(answers=4, usd=2 * TALLY.usd, unpriced=2), other], ())
    assert again.get("k1-a") == "text"
    put(again, "k1-b")
    again.close()


def test_what_a_killed_process_took_is_added_up_by_the_next(tier: DiskTier, folder: Path) -> None:
    """A journal that was taken and never added up is counted, once, when nobody can be at work on it any more."""
    put(tier, "k1-a")
    tier.add_tallies([TALLY])
    left = folder / f"{tallies.JOURNAL}.4711"
    (folder / tallies.JOURNAL).rename(left)
    tier.add_tallies([TALLY])
    tallies.add_up(folder)
    assert left.exists(), "it has only just been taken"
    os.utime(left, (1, 1))
    assert tier.tallies().value == [TALLY.plus(TALLY)]
    tier.add_tallies([TALLY])
    tallies.add_up(folder)
    assert tier.tallies().value == [TALLY.plus(TALLY).plus(TALLY)]
    assert [path.name for path in folder.iterdir() if path.name.startswith(tallies.JOURNAL)] == []


# --- hostile rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_a_pickled_value_is_never_loaded(tier: DiskTier, folder: Path, tmp_path: Path, mode: int) -> None:
    """A row whose value is a pickle is a miss; reading, listing, replacing and clearing it execute nothing."""
    put(tier, "k1-a")
    target = tmp_path / "executed"
    tamper(folder, "UPDATE Cache SET mode = ?, value = ?", mode, pickle.dumps(Bomb(target)))
    assert tier.get("k1-a") is None
    assert list(tier.items()) == []
    put(tier, "k1-a", "fresh")
    assert tier.get("k1-a") == "fresh"
    tamper(folder, "UPDATE Cache SET mode = ?, value = ?", mode, pickle.dumps(Bomb(target)))
    assert tier.clear() == 1
    assert not target.exists()


def test_a_pickled_key_is_never_loaded(tier: DiskTier, folder: Path, tmp_path: Path) -> None:
    """A row whose key is a pickle is passed over and can be cleared."""
    put(tier, "k1-a")
    put(tier, "k1-b")
    target = tmp_path / "executed"
    tamper(folder, "UPDATE Cache SET raw = 0, key = ? WHERE key = 'k1-a'", pickle.dumps(Bomb(target)))
    assert [one.key for one in tier.items()] == ["k1-b"]
    assert (tier.keys("k1-"), tier.clear()) == (["k1-b"], 2)
    assert not target.exists()


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
@pytest.mark.parametrize("form", ["absolute", "upwards", "beside"])
def test_a_file_name_is_never_followed(tier: DiskTier, folder: Path, tmp_path: Path, mode: int, form: str) -> None:
    """A row that names a file neither reads nor deletes it: not when read, replaced, deleted, culled or cleared."""
    victim = folder / "near" / "victim" if form == "beside" else tmp_path / "far" / "victim"
    put(tier, "k1-a")
    victim.parent.mkdir()
    victim.write_bytes(pickle.dumps(Bomb(tmp_path / "executed")))
    name = str(victim) if form == "absolute" else os.path.relpath(victim, folder)

    def poison() -> None:
        tamper(folder, "UPDATE Cache SET mode = ?, filename = ?, value = NULL WHERE key = 'k1-a'", mode, name)

    poison()
    assert tier.get("k1-a") is None
    put(tier, "k1-a")
    poison()
    tier.delete(["k1-a"])
    put(tier, "k1-a")
    poison()
    tamper(folder, "UPDATE Cache SET expire_time = 1")
    put(tier, "k1-b")  # culls the expired row
    put(tier, "k1-a")
    poison()
    assert tier.clear() == 2
    assert victim.is_file()
    assert not (tmp_path / "executed").exists()


def test_diskcache_itself_refuses_foreign_rows(tier: DiskTier, folder: Path, tmp_path: Path) -> None:
    """Even read through diskcache, a foreign row gives nothing and runs nothing."""
    put(tier, "k1-a")
    bomb = pickle.dumps(Bomb(tmp_path / "executed"))
    tamper(folder, "UPDATE Cache SET mode = 4, value = ?", bomb)
    with diskcache.Cache(str(folder), disk=TextDisk) as cache:
        assert cache.get("k1-a") is None
        assert cache.pop("k1-a") is None
        for refused in (lambda: cache.set("k", "text"), lambda: cache.set(1, b""), lambda: cache.set("k", {})):
            with pytest.raises(TypeError):
                refused()
        cache.set("k1-b", b"x")
        tamper(folder, "UPDATE Cache SET raw = 0, key = ?", bomb)
        with pytest.raises(OSError, match="foreign key"):
            list(cache)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_directory", "ELSEWHERE"),
        ("_disk", "x"),
        ("disk_directory", "ELSEWHERE"),
        ("disk__directory", "ELSEWHERE"),
        ("disk_min_file_size", 0),
        ("disk_pickle_protocol", 5),
        ("eviction_policy", "none"),
        ("sqlite_temp_store_directory", "ELSEWHERE"),
        ("sqlite_journal_mode", "delete; DROP TABLE Cache"),
        ("sqlite_synchronous", "0"),
        ("statistics", 1),
        ("size_limit", "much"),
        ("count", b"x"),
        (b"\xff\xfe", "x"),
    ],
)
def test_foreign_settings_are_refused(folder: Path, tmp_path: Path, key: Any, value: Any) -> None:
    """A changed Settings table sends nobody elsewhere: entries stay readable, writing is refused, clearing repairs."""
    tier = DiskTier(folder, size_limit_bytes=LIMIT)
    put(tier, "k1-a")
    tier.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    value = str(elsewhere) if value == "ELSEWHERE" else value
    tamper(folder, "INSERT OR REPLACE INTO Settings VALUES (?, ?)", key, value)
    assert tier.get("k1-a") == "text"
    with pytest.raises(CacheCorrupt, match="settings"):
        put(tier, "k1-b")
    assert tier.clear() == 0
    put(tier, "k1-b")
    assert (tier.get("k1-a"), tier.get("k1-b")) == (None, "text")
    assert list(elsewhere.iterdir()) == []
    tier.close()


def test_our_own_settings_are_accepted(folder: Path) -> None:
    """A second process, and one with another size limit, open what the first has written."""
    for limit in (LIMIT, LIMIT, LIMIT // 2):
        tier = DiskTier(folder, size_limit_bytes=limit)
        put(tier, f"k1-{limit}")
        tier.close()


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_corrupt_and_can_be_cleared(tier: DiskTier, folder: Path, content: bytes) -> None:
    """A file that is no database raises CacheCorrupt; clearing removes it and the cache works again."""
    folder.mkdir(parents=True)
    (folder / "cache.db").write_bytes(content)
    with pytest.raises(CacheCorrupt):
        tier.get("k1-a")
    with pytest.raises(CacheCorrupt):
        put(tier, "k1-a")
    assert tier.clear() == 0
    put(tier, "k1-a")
    assert tier.get("k1-a") == "text"


def test_damage_within_is_corrupt(tier: DiskTier, folder: Path) -> None:
    """A database with overwritten pages raises CacheUnavailable or misses, never serves half an entry."""
    for number in range(50):
        put(tier, f"k1-{number:02}", "x" * 5000)
    tier.close()
    path = folder / "cache.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * (size - 4096 * 3))

    def use() -> None:
        for number in range(50):
            assert tier.get(f"k1-{number:02}") in (None, "x" * 5000)
        put(tier, "k1-new")

    with pytest.raises(CacheUnavailable):
        use()


def test_an_empty_file_is_an_empty_cache(tier: DiskTier, folder: Path) -> None:
    """A database whose first writer was killed before it had made the tables is a miss and is filled by the next."""
    folder.mkdir(parents=True)
    (folder / "cache.db").touch()
    assert tier.get("k1-a") is None
    put(tier, "k1-a")
    assert tier.get("k1-a") == "text"


def test_a_link_or_pipe_is_not_opened(tier: DiskTier, folder: Path, tmp_path: Path) -> None:
    """A database file that is a link, a pipe or a folder is refused and left as it is."""
    folder.mkdir(parents=True)
    path = folder / "cache.db"
    target = tmp_path / "target"
    target.write_text("mine")
    for make in (lambda: path.symlink_to(target), lambda: os.mkfifo(path), path.mkdir):
        make()
        for use in (lambda: tier.get("k1-a"), lambda: put(tier, "k1-a")):
            with pytest.raises(CacheUnavailable, match="not a regular file"):
                use()
        path.rmdir() if path.is_dir() else path.unlink()
    assert target.read_text() == "mine"


@pytest.mark.parametrize("depth", [0, 1])
def test_a_file_in_place_of_the_folder_is_unavailable(tmp_path: Path, depth: int) -> None:
    """Where the folder, or one above it, is a file, nothing can be read or written."""
    (tmp_path / "file").write_text("")
    tier = DiskTier(tmp_path / "file" / ("deeper" if depth else ""), size_limit_bytes=LIMIT)
    for use in (lambda: tier.get("k1-a"), lambda: put(tier, "k1-a")):
        with pytest.raises(CacheUnavailable):
            use()


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that everybody may enter, in a process to which permissions apply even where the suite runs as root."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o1777)  # as /tmp
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(65534)
        try:
            yield base
        finally:
            for path in [base, *base.rglob("*")]:
                if path.stat().st_uid == os.geteuid():
                    path.chmod(0o700)
            if was_root:
                os.seteuid(0)


def test_a_read_only_folder_is_unavailable(unprivileged: Path) -> None:
    """Where nothing may be written, a new cache cannot be made and an old one cannot be added to."""
    closed = unprivileged / "closed"
    closed.mkdir(mode=0o500)
    fresh = DiskTier(closed / "answers", size_limit_bytes=LIMIT)
    with pytest.raises(CacheUnavailable, match="permission denied"):
        put(fresh, "k1-a")
    assert fresh.get("k1-a") is None
    folder = unprivileged / "answers"
    tier = DiskTier(folder, size_limit_bytes=LIMIT)
    put(tier, "k1-a")
    tier.close()
    folder.chmod(0o500)
    (folder / "cache.db").chmod(0o400)
    with pytest.raises(CacheUnavailable):
        put(tier, "k1-b")
    tier.close()


def test_a_locked_database_is_read_and_not_waited_for_long(folder: Path) -> None:
    """Beside a writer that never ends, look-ups work and writing gives up."""
    tier = DiskTier(folder, size_limit_bytes=LIMIT, lock_wait_s=0.0)
    put(tier, "k1-a")
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert tier.get("k1-a") == "text"
        with pytest.raises(CacheUnavailable, match="lock"):
            put(tier, "k1-b")
        other.execute("ROLLBACK")
    put(tier, "k1-b")
    tier.close()


def test_a_long_journal_is_added_up(tier: DiskTier, folder: Path) -> None:
    """What is counted is kept however often it happens, and the journal stays short."""
    put(tier, "k1-a")
    many = 2000
    for _ in range(many):
        tier.add_tallies([TALLY])
    assert (folder / "tallies.db").is_file()
    assert (folder / tallies.JOURNAL).stat().st_size <= tallies.JOURNAL_BYTES
    assert tier.tallies().value == [TALLY._replace(answers=2 * many, usd=many * TALLY.usd, unpriced=many)]


LONG_AFTER_S = 4e9
"""When what changed in this test is trusted not to change again within the same tick."""


def test_counting_leaves_the_answers_file_alone(tier: DiskTier, folder: Path) -> None:
    """What has been counted changes no byte and no time of the file of the answers: a replay goes by them."""
    put(tier, "k1-a")
    tier.close()
    before = database_stamps(str(folder), LONG_AFTER_S)
    tier.add_tallies([TALLY])
    assert tier.get("k1-a") == "text"
    tier.close()
    assert database_stamps(str(folder), LONG_AFTER_S) == before
    put(tier, "k1-b")
    assert database_stamps(str(folder), LONG_AFTER_S) != before


def test_a_full_disk_is_unavailable(tier: DiskTier, folder: Path) -> None:
    """Where the database cannot grow, writing fails as one error and what is there stays readable."""
    put(tier, "k1-a")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(CacheUnavailable):
            put(tier, "k1-b", "x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert (tier.get("k1-a"), tier.get("k1-b")) == ("text", None)


# --- many processes --------------------------------------------------------------------------------------------------

WORKER = """
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from deepsel.cache.disk_tier import DiskTier
from deepsel.cache.tier import Tally

tier = DiskTier(Path(sys.argv[1]), size_limit_bytes=1 << 26)
me = sys.argv[2]
for number in range(40):
    tier.put(f"k1-{me}{number}", me * 3000, ttl_s=3600, label=me)
    tier.put("k1-shared", me * 3000, ttl_s=3600, label=me)
    shared = tier.get("k1-shared")
    assert shared in ("a" * 3000, "b" * 3000, "c" * 3000), shared
    assert tier.get(f"k1-{me}{number}") == me * 3000
tally = Tally(date(2026, 3, 1), "m", "disk", 80, Decimal("0.01"), 0)
tier.add_tallies([tally])
tier.close()
"""


def test_processes_share_one_file(tier: DiskTier, folder: Path) -> None:
    """Processes that start on an empty folder together, and write and read at once, lose and mix nothing."""
    running = [
        subprocess.Popen([sys.executable, "-c", WORKER, folder, me], stderr=subprocess.PIPE, text=True) for me in "abc"
    ]
    errors = [process.communicate(timeout=100)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], errors
    assert tier.stats().entries == 3 * 40 + 1
    for me in "abc":
        assert all(tier.get(f"k1-{me}{number}") == me * 3000 for number in range(40))
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_threads_share_one_tier(tier: DiskTier) -> None:
    """Threads of one process may use one tier."""
    def work(number: int) -> str | None:
        put(tier, f"k1-{number}", str(number))
        return tier.get(f"k1-{number}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [str(number) for number in range(40)]
