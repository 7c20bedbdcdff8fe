"""Upkeep: what `verify` finds and saves, what `import` takes, and that a hostile file gains nothing by either."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cache_support import Bomb, FakeClock, make_answer

from deepsel.cache import Cache, upkeep
from deepsel.errors import ConfigError, UsageError

Open = Callable[..., Cache]


@pytest.fixture
def filled(open_cache: Open) -> Cache:
    """A cache with forty answers."""
    cache = open_cache()
    for number in range(40):
        cache.put(*make_answer(f"prompt {number}", "text " * 500))
    cache.close()
    return cache


def tamper(cache: Cache, statement: str, *arguments: object) -> None:
    with closing(sqlite3.connect(cache.path / "cache.db")) as connection, connection:
        connection.execute(statement, arguments)


def test_a_good_cache_is_clean(filled: Cache) -> None:
    """Nothing is found and nothing changed where nothing is wrong; expired and empty is not wrong."""
    before = (filled.path / "cache.db").read_bytes()
    assert upkeep.verify(filled, repairs=True) == upkeep.Verdict(40, (), is_repaired=False)
    assert (filled.path / "cache.db").read_bytes() == before
    filled.clear(all_entries=True)
    assert upkeep.verify(filled, repairs=True) == upkeep.Verdict(0, (), is_repaired=False)


@pytest.mark.parametrize(
    ("statement", "found", "left"),
    [
        ("UPDATE Cache SET value = CAST('{}' AS BLOB) WHERE rowid = 3", "no answer to the request", 39),
        ("UPDATE Cache SET value = (SELECT value FROM Cache WHERE rowid = 4) WHERE rowid = 3", "no answer to the", 39),
        ("UPDATE Cache SET filename = '/etc/passwd' WHERE rowid = 3", "names the file", 39),
        ("UPDATE Cache SET mode = 4 WHERE rowid = 3", "pickle", 39),
        ("UPDATE Cache SET value = 7 WHERE rowid = 3", "is no text", 39),
        ("UPDATE Cache SET key = 7 WHERE rowid = 3", "not ours", 39),
        ("UPDATE Cache SET mode = NULL WHERE rowid = 3", "not ours", 39),
        ("UPDATE Settings SET value = 7 WHERE key = 'count'", "counters", 40),
        ("UPDATE Settings SET value = '/tmp' WHERE key = 'disk_min_file_size'", "settings", 40),
    ],
)
def test_what_is_wrong_is_found_and_repaired(filled: Cache, statement: str, found: str, left: int) -> None:
    """Each wrong thing is reported once, with repair it is gone, and every good entry is kept."""
    tamper(filled, statement)
    assert any(found in problem for problem in upkeep.verify(filled, repairs=False).problems)
    verdict = upkeep.verify(filled, repairs=True)
    assert len(verdict.problems) == 1
    assert found in verdict.problems[0]
    assert verdict.is_repaired
    assert upkeep.verify(filled, repairs=True) == upkeep.Verdict(left, (), is_repaired=False)
    assert filled.put(*make_answer("one more"))


def test_a_pickle_is_reported_and_not_loaded(filled: Cache, tmp_path: Path) -> None:
    """Verifying, repairing, pruning and exporting a tampered cache execute nothing."""
    target = tmp_path / "executed"
    bomb = pickle.dumps(Bomb(target))
    tamper(filled, "UPDATE Cache SET mode = 4, value = ?, expire_time = 1 WHERE rowid = 1", bomb)
    tamper(filled, "UPDATE Cache SET raw = 0, key = ? WHERE rowid = 2", bomb)
    tamper(filled, "UPDATE Cache SET value = ? WHERE rowid = 3", bomb)
    list(upkeep.export_lines(filled.entries()))
    assert len(upkeep.verify(filled, repairs=False).problems) == 2  # a row whose bytes are no text is a miss like any other
    upkeep.verify(filled, repairs=True)
    upkeep.prune(filled, clock=FakeClock())
    assert not target.exists()


def test_an_empty_file_is_repaired_too(open_cache: Open) -> None:
    """A database that has no tables yet can be checked and closed to others."""
    cache = open_cache()
    cache.path.mkdir(parents=True)
    (cache.path / "cache.db").touch()
    (cache.path / "cache.db").chmod(0o644)
    assert upkeep.verify(cache, repairs=True).is_repaired
    assert upkeep.verify(cache, repairs=True) == upkeep.Verdict(0, (), is_repaired=False)


def test_an_import_without_a_disk_is_refused(open_cache: Open, filled: Cache) -> None:
    """What would be forgotten at once is not called imported."""
    with pytest.raises(ConfigError, match="disk"):
        upkeep.import_lines(open_cache(disk=False), upkeep.export_lines(filled.entries()))


def test_others_may_not_read(filled: Cache) -> None:
    """A database that others can read is reported and closed to them."""
    (filled.path / "cache.db").chmod(0o644)
    assert "read by others" in upkeep.verify(filled, repairs=True).problems[0]
    assert (filled.path / "cache.db").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_saved_as_far_as_it_can_be_read(filled: Cache) -> None:
    """From a database with overwritten pages the readable entries are saved into a new one; none is invented."""
    path = filled.path / "cache.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096 * 2)
    verdict = upkeep.verify(filled, repairs=True)
    assert "were saved" in verdict.problems[0]
    after = upkeep.verify(filled, repairs=True)
    assert after.problems == ()
    assert 10 < after.checked < 40
    assert all(entry.answer.text == "text " * 500 for entry in filled.entries())


NO_EXPORT = ["{", "[]", "7", '{"key":"k1-a"}', '{"key":7,"entry":{}}', '{"key":"k1-a","entry":{"format":1}}', "[" * 100_000]


@pytest.mark.parametrize("line", NO_EXPORT, ids=range(len(NO_EXPORT)))
def test_what_is_no_export_is_refused_as_a_whole(open_cache: Open, filled: Cache, tmp_path: Path, line: str) -> None:
    """One line that is no entry refuses the import, and the good lines before it are not stored either."""
    lines = list(upkeep.export_lines(filled.entries()))
    other = open_cache(tmp_path / "other")
    with pytest.raises(UsageError, match="line 41"):
        upkeep.import_lines(other, [*lines, line])
    assert list(other.entries()) == []


def test_an_export_is_the_same_every_time(open_cache: Open, filled: Cache, tmp_path: Path, clock: FakeClock) -> None:
    """Exports of a cache and of its copy are equal, so that they can be committed and compared."""
    lines = list(upkeep.export_lines(filled.entries()))
    other = open_cache(tmp_path / "other")
    clock.sleep(100)
    assert upkeep.import_lines(other, reversed(lines)) == upkeep.Imported(40, 0)
    assert list(upkeep.export_lines(other.entries())) == lines
    assert {entry.left_s for entry in other.entries()} == {3500.0}
