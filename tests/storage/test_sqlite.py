"""One SQLite file for many threads and processes: connections that are kept, given back, and never shared with a child."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from deepsel.storage.sqlite import SqliteFile

STEPS = (("CREATE TABLE one (x)",), ("ALTER TABLE one ADD COLUMN y DEFAULT 7", "CREATE TABLE two (x)"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Every connection that SQLite opens from now on."""
    found: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*arguments: object, **named: object) -> sqlite3.Connection:
        found.append(connect(*arguments, **named))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    return found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteFile]:
    made = make(tmp_path)
    yield made
    made.close()


def make(folder: Path, steps: tuple[tuple[str, ...], ...] = STEPS, busy_timeout_s: float = 5.0) -> SqliteFile:
    path = folder / "data" / "file.sqlite"
    return SqliteFile(path, steps, name="the test's file", code="test_unavailable", busy_timeout_s=busy_timeout_s)


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def insert(database: SqliteFile, value: int = 1) -> None:
    assert database.write(lambda one: one.execute("INSERT INTO one (x) VALUES (?)", (value,)).rowcount) == (1, ())


def count(database: SqliteFile) -> int:
    found, notices = database.read(lambda one: one.execute("SELECT COUNT(*) FROM one").fetchone()[0], empty=0)
    assert notices == ()
    assert found is not None
    return int(found)


def test_reading_makes_no_file(database: SqliteFile) -> None:
    """Before the first write there is nothing, and that is no trouble."""
    assert count(database) == 0
    assert not database.path.parent.exists()


def test_a_new_file_is_what_sqlite_itself_makes(database: SqliteFile) -> None:
    """It is in WAL mode from its first byte on, sound, and holds UTF-8 text of any size."""
    text = "\u4f60\u597d \U0001f600" * 10_000
    assert database.write(lambda one: one.execute("INSERT INTO one (x) VALUES (?)", (text,)).rowcount) == (1, ())
    with closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA encoding").fetchone() == ("UTF-8",)
        assert connection.execute("PRAGMA page_size").fetchone() == (4096,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT x FROM one").fetchone() == (text,)
        connection.execute("VACUUM")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_one_thread_opens_the_file_once(database: SqliteFile, opened: list[sqlite3.Connection]) -> None:
    """From the first write on, a thousand pieces of work use one connection, and `close` gives it back."""
    insert(database)
    for _ in range(500):
        insert(database)
        count(database)
    assert len(opened) == 1
    database.close()
    assert not any(map(is_open, opened))
    assert count(database) == 501


def test_threads_share_connections_one_at_a_time(database: SqliteFile, opened: list[sqlite3.Connection]) -> None:
    """There are as many as are at work at once: one for all who write, since they wait for each other; one a reader meanwhile."""
    insert(database)
    barrier = threading.Barrier(10)

    def work(_: int) -> None:
        barrier.wait(30)
        insert(database)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
        assert len(opened) == 1
        list(pool.map(lambda _: database.read(lambda _: barrier.wait(30), empty=0), range(10)))
        assert len(opened) == 10
        list(pool.map(work, range(10)))
    assert len(opened) == 10
    assert count(database) == 21


def test_work_that_fails_leaves_its_connection_to_nobody(database: SqliteFile, opened: list[sqlite3.Connection]) -> None:
    """Whatever was under way on it is over: the next one opens its own."""
    insert(database)
    with pytest.raises(ZeroDivisionError):
        database.write(lambda _: 1 // 0)
    assert [is_open(one) for one in opened] == [False]
    assert count(database) == 1


def test_close_gives_back_what_any_thread_opened(database: SqliteFile, opened: list[sqlite3.Connection]) -> None:
    """Connections of threads that live on are closed too, and made anew when they are needed again."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(insert, database).result(30)
        database.close()
        assert not any(map(is_open, opened))
        pool.submit(insert, database).result(30)
    assert count(database) == 2


def test_files_are_private_and_nothing_else_is_left(database: SqliteFile) -> None:
    """The file, its log and its folder are their owner's alone."""
    insert(database)
    found = {path.name: path.stat().st_mode & 0o077 for path in database.path.parent.iterdir()}
    assert set(found) == {"file.sqlite", "file.sqlite-wal", "file.sqlite-shm"}
    assert set(found.values()) == {0}
    assert database.path.parent.stat().st_mode & 0o077 == 0
    database.close()
    assert [path.name for path in database.path.parent.iterdir()] == ["file.sqlite"]


def test_steps_are_taken_once_each(tmp_path: Path) -> None:
    """A file of an older form is carried over with its rows; one of a newer form is used as it is."""
    old = make(tmp_path, STEPS[:1])
    insert(old)
    old.close()
    for _ in range(2):
        new = make(tmp_path)
        assert new.read(lambda one: one.execute("SELECT x, y FROM one").fetchall(), empty=[]).value == [(1, 7)]
        new.close()
    again = make(tmp_path, STEPS[:1])
    insert(again)
    assert count(again) == 2
    again.close()


def test_a_piece_of_work_is_whole_or_nothing(database: SqliteFile) -> None:
    """Work that fails leaves no trace, says why, and the next one goes on; an error of the work's own goes through."""
    insert(database)

    def fails(one: sqlite3.Connection) -> None:
        one.execute("INSERT INTO one (x) VALUES (2)")
        one.execute("INSERT INTO nowhere VALUES (1)")

    value, notices = database.write(fails)
    assert value is None
    assert [notice.code for notice in notices] == ["test_unavailable"]
    assert "the test's file" in notices[0].message
    assert "nowhere" in notices[0].message

    def raises(one: sqlite3.Connection) -> None:
        one.execute("INSERT INTO one (x) VALUES (3)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(raises)
    assert count(database) == 1


def test_reading_sees_one_state_of_the_file(database: SqliteFile, tmp_path: Path) -> None:
    """What another process writes between two queries of one piece of work is not seen by the second."""
    insert(database)
    other = make(tmp_path)

    def work(one: sqlite3.Connection) -> list[int]:
        first = one.execute("SELECT COUNT(*) FROM one").fetchone()[0]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(insert, other).result(30)
        return [first, one.execute("SELECT COUNT(*) FROM one").fetchone()[0]]

    assert database.read(work, empty=[]).value == [1, 1]
    assert count(database) == 2


def test_a_replaced_file_is_seen(database: SqliteFile, tmp_path: Path) -> None:
    """A file that was removed, or another one put in its place, is not written to under its old name."""
    insert(database)
    for path in database.path.parent.iterdir():
        path.unlink()
    assert count(database) == 0
    insert(database)
    assert count(database) == 1
    other = make(tmp_path / "elsewhere")
    insert(other)
    insert(other)
    other.close()
    database.close()
    insert(database)
    other.path.replace(database.path)
    (database.path.parent / "file.sqlite-wal").unlink(missing_ok=True)
    (database.path.parent / "file.sqlite-shm").unlink(missing_ok=True)
    assert count(database) == 2


def test_a_file_that_cannot_be_used_is_a_notice_each_time(tmp_path: Path) -> None:
    """Whoever asks is told, every time; once the file can be used again, so is it."""
    database = make(tmp_path)
    database.path.parent.mkdir()
    database.path.write_bytes(b"no database at all " * 100)
    for _ in range(2):
        for value, notices in (
            database.read(lambda one: one.execute("SELECT 1").fetchone(), empty=None),
            database.write(lambda one: one.execute("SELECT 1").fetchone()),
        ):
            assert value is None
            assert [notice.code for notice in notices] == ["test_unavailable"]
    database.path.unlink()
    insert(database)
    database.close()


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe or a folder under the name is a notice and stays."""
    database = make(tmp_path)
    database.path.parent.mkdir()
    for make_it, remove_it in ((os.mkfifo, Path.unlink), (os.mkdir, Path.rmdir)):
        make_it(database.path)
        assert "not a regular file" in database.write(lambda one: one.total_changes).notices[0].message
        remove_it(database.path)


def test_a_lock_is_waited_for_only_so_long(tmp_path: Path) -> None:
    """Beside a writer that never ends, reading works, and writing gives up with a notice."""
    database = make(tmp_path, busy_timeout_s=0.05)
    insert(database)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert count(database) == 1
        assert "locked" in database.write(lambda one: one.total_changes).notices[0].message
        other.execute("ROLLBACK")
    insert(database)
    database.close()


CHILD = """
import os, sys, threading
from pathlib import Path
from deepsel.storage.sqlite import SqliteFile

database = SqliteFile(Path(sys.argv[1]), (("CREATE TABLE one (x)",),), name="it", code="c")
def insert(): assert database.write(lambda one: one.execute("INSERT INTO one VALUES (1)").rowcount) == (1, ())
insert()
started, may_end = threading.Event(), threading.Event()
def other():
    insert(); started.set(); may_end.wait(60)
threading.Thread(target=other).start()
started.wait(60)
database._here().writing.acquire()  # as where another thread is writing at the moment of the fork
child = os.fork()
if not child:
    for _ in range(50): insert()
    database.close()
    os._exit(0)
database._here().writing.release()
for _ in range(50): insert()
assert os.waitpid(child, 0)[1] == 0
may_end.set()
insert()
database.close()
"""


def test_a_forked_child_opens_its_own(tmp_path: Path) -> None:
    """Parent and child, forked with connections open and a writer at work, write beside each other and lose nothing."""
    path = tmp_path / "file.sqlite"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, path], capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM one").fetchone() == (103,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_many_threads_and_processes_lose_nothing(tmp_path: Path) -> None:
    """Four processes of eight threads that make the file together leave every row."""
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pathlib import Path\n"
        "from deepsel.storage.sqlite import SqliteFile\n"
        "database = SqliteFile(Path(sys.argv[1]), (('CREATE TABLE one (x)',),), name='it', code='c')\n"
        "insert = lambda n: database.write(lambda one: one.execute('INSERT INTO one VALUES (1)').rowcount)\n"
        "with ThreadPoolExecutor(8) as pool: assert set(pool.map(insert, range(100))) == {(1, ())}\n"
        "database.close()\n"
    )
    path = tmp_path / "data" / "file.sqlite"
    running = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(4)]
    assert [one.wait(100) for one in running] == [0] * 4
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM one").fetchone() == (400,)
    assert [one.name for one in path.parent.iterdir()] == ["file.sqlite"]
