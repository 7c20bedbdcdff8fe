"""Opens one SQLite file, brings its form up to date and keeps its connections; knows no meaning of its tables.

The file is private and in WAL mode, so that readers and one writer never block each other. A connection is kept because
opening and closing one costs more than most of what is done with it: there are as many as were ever at work at once, not one
a thread. They are closed by `close()`, and where the file has been replaced. After a fork the child opens its own. A file that
cannot be used is a notice, never an exception.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from deepsel.storage import files, owners
from deepsel.storage.locking import FIRST_WAIT_S, be_patient, is_without_locks
from deepsel.storage.told import Told
from deepsel.values import Notice

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")
_READING, _WRITING = "BEGIN", "BEGIN IMMEDIATE"


class SqliteFile:
    """One file, made on the first write. Safe to use from many threads and many processes."""

    def __init__(
        self,
        path: Path,
        steps: Sequence[Sequence[str]],
        *,
        name: str,
        code: str,
        repair: str = "",
        busy_timeout_s: float = 5.0,
    ) -> None:
        """Touch nothing yet.

        `steps`: what turns a file of form N into one of form N + 1, statement by statement; the form is kept in its
        `user_version`, and a step that has been published is never edited. `name` ("the observation log") and `code` stand
        in notices, and `repair`, which says what to do, in those of a damaged file. `busy_timeout_s` bounds the wait for
        other writers.
        """
        self.path = path
        self._steps = steps
        self._name = name
        self._code = code
        self._repair = repair
        self._busy_timeout_s = busy_timeout_s
        self._process = _Process()
        self._without_locks: OSError | None = None
        """What was found where locks were tried for the first time."""

    def read(self, work: Callable[[sqlite3.Connection], _T], *, empty: _T) -> Told[_T]:
        """Do one piece of reading, of one state of the file; `empty` where there is no file yet."""
        return self._use(work, _READING, empty=empty)

    def write(self, work: Callable[[sqlite3.Connection], _T]) -> Told[_T]:
        """Do one piece of work in one transaction that no other writer can interrupt."""
        writing = self._here().writing
        # Threads of one process wait in line: SQLite lets those who find the file locked sleep and try again.
        if not writing.acquire(timeout=self._busy_timeout_s):
            return Told(None, self._notices("database is locked", is_damaged=False))
        try:
            return self._use(work, _WRITING)
        finally:
            writing.release()

    def close(self) -> None:
        """Close all connections, none of which may be at work. The file may be used again."""
        self._here().close()

    def _use(self, work: Callable[[sqlite3.Connection], _T], begin: str, *, empty: _T | None = None) -> Told[_T]:
        import sqlite3

        try:
            if self._without_locks is not None:
                raise self._without_locks
            opened = self._taken(makes_it=begin != _READING)
            return Told(empty if opened is None else self._done(work, begin, opened))
        except (sqlite3.Error, OSError, ValueError, TypeError, OverflowError) as error:
            if isinstance(error, OSError) and is_without_locks(error):
                self._without_locks = error
            return Told(None, self._notices(reason_of(error), is_damaged=is_damage(error)))

    def _done(self, work: Callable[[sqlite3.Connection], _T], begin: str, opened: OpenFile) -> _T:
        """Do one piece of work; the connection is kept for the next one, or closed where the work failed."""
        import sqlite3

        process, is_sound = self._process, False
        try:
            try:
                found = _in_one(opened.connection, work, begin)
            except sqlite3.OperationalError as error:
                if not str(error).startswith("Could not decode"):
                    raise
                opened.connection.text_factory = _replaced  # from now on: a damaged text is no reason to read nothing
                found = _in_one(opened.connection, work, begin)
            is_sound = True
            return found
        finally:
            if is_sound:
                process.keep(opened)
            else:
                opened.close()

    def _notices(self, reason: str, *, is_damaged: bool) -> tuple[Notice, ...]:
        advice = f"; {self._repair}" if is_damaged else ""
        return (Notice(self._code, f"{self._name} `{self.path}` cannot be used: {reason}{advice}"),)

    def _here(self) -> _Process:
        """Give what belongs to this process; after a fork, that of the parent is left alone."""
        if self._process.pid != os.getpid():
            self._process = _Process()
        return self._process

    def _taken(self, *, makes_it: bool) -> OpenFile | None:
        """Take a kept connection to the file that has the name now, or open one; None where there is no file."""
        process, file = self._here(), identity(self.path)
        while (kept := process.taken()) is not None:
            if kept.is_for(file):
                return kept
            kept.close()
        suspect = owners.fault(self.path.parent, self.path)
        if suspect:
            raise PermissionError(str(suspect))
        if file is None:
            if not makes_it:
                return None
            files.make_private_folder(self.path.parent)
            files.write_new(self.path, _empty_file())  # of those who start together the first one's stays
            file = identity(self.path)
        opened = OpenFile(_connect(self.path, self._busy_timeout_s), file)
        if _form(opened.connection) < len(self._steps):
            self._bring_up_to_date(opened.connection)
        return opened

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        """Take every step the file has not taken yet; of several processes one does it, the others find it done."""
        import sqlite3

        connection.execute(_WRITING)
        with connection:
            steps = self._steps[_form(connection) :]
            for statement in (statement for step in steps for statement in step):
                try:
                    connection.execute(statement)
                except sqlite3.OperationalError as error:
                    if not str(error).startswith("duplicate column"):  # which is what the statement was to bring about
                        raise
            if steps:
                connection.execute(f"PRAGMA user_version = {len(self._steps)}")


class OpenFile:
    """A connection that is kept, and the file it was opened for; closed when nobody has it any more."""

    __slots__ = ("_pid", "connection", "file")

    def __init__(self, connection: sqlite3.Connection, file: tuple[int, int] | None) -> None:
        """Keep a connection that was opened with `check_same_thread` off, as any thread may be the last that has it."""
        self.connection = connection
        self.file = file
        """See `identity`."""
        self._pid = os.getpid()

    def is_for(self, file: tuple[int, int] | None) -> bool:
        """Tell whether it can be used for the file in this process: nothing is under way on it that was broken off."""
        return self.file == file and self._pid == os.getpid() and not self.connection.in_transaction

    def close(self) -> None:
        """Close it; what a child process has inherited is kept open for good instead."""
        if self._pid == os.getpid():
            self.connection.close()
        else:
            # Closed here it would work on locks and a log that are the parent's.
            import ctypes

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.connection))

    __del__ = close


class _Process:
    """The idle connections of one process, and the lock by which its writers wait for each other."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.writing = threading.Lock()
        self._idle = list[OpenFile]()  # whose `append` and `pop` are one step each, for any number of threads

    def taken(self) -> OpenFile | None:
        """Take the connection that was used last; None where all are at work."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def keep(self, opened: OpenFile) -> None:
        """Keep a connection for whoever needs one next."""
        self._idle.append(opened)

    def close(self) -> None:
        """Close the connections that nobody is using."""
        while (kept := self.taken()) is not None:
            kept.close()


def _in_one(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], _T], begin: str) -> _T:
    """Do one piece of work in one transaction, which is committed, or rolled back where it fails."""
    connection.execute(begin)
    with connection:
        return work(connection)


def _replaced(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the file for any thread: which one uses it is seen to above, and another one may close it."""
    import sqlite3

    connection = sqlite3.connect(path, timeout=FIRST_WAIT_S, isolation_level=None, check_same_thread=False)
    be_patient(connection, path.parent, wait_s=busy_timeout_s)
    # In WAL mode a power cut may cost the last commits with this, never the file; each sync costs some 5 ms.
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _empty_file() -> bytes:
    """Build the one page of an empty database in WAL mode: header, and the root of a schema without tables.

    SQLite would make it from an empty file, but does not wait for others while it changes one to WAL mode, so that processes
    which start together would fail. Source: "Database File Format", sqlite.org/fileformat2.html, sections 1.3 and 1.6.
    """
    import struct  # once in a file's life

    size = 4096
    # Page size; WAL mode for writers and readers; no reserved bytes; the three fixed fractions; change counter 1; one page.
    header = struct.pack(">16sHBBBBBBII", b"SQLite format 3\0", size, 2, 2, 0, 64, 32, 32, 1, 1)
    header += struct.pack(">7I", 0, 0, 0, 0, 0, 0, 1)  # free pages, schema, cache size, vacuum: none; UTF-8
    header = header.ljust(92, b"\0") + struct.pack(">II", 1, 3_040_000)  # of which change and version this is the state
    root = struct.pack(">BHHHB", 13, 0, 0, size, 0)  # a leaf without cells, which begin at the page's end
    return (header + root).ljust(size, b"\0")


def _form(connection: sqlite3.Connection) -> int:
    """Read which form the file has; raises ValueError for what is no form."""
    form = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if form < 0:
        raise ValueError(f"its form {form} is none")
    return form


def is_damage(error: Exception) -> bool:
    """Tell whether a file cannot be used because of what it holds, and not for a lock, a right or a full disk."""
    import sqlite3

    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith(("no such", "table ", "malformed"))
    return not isinstance(error, OSError)


def reason_of(error: Exception) -> str:
    """Say in words why a file cannot be used."""
    import sqlite3

    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, UnicodeError):
        return "it is damaged"  # it is SQLite's own message that cannot be read
    is_told = isinstance(error, sqlite3.Error | ValueError)
    return str(error).lower() if is_told else "it holds what deepsel did not write"


def identity(path: Path) -> tuple[int, int] | None:
    """Say which file has the name; None: there is none. Raises OSError where it is something else, or cannot be seen."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is not a regular file")
    return found.st_dev, found.st_ino
