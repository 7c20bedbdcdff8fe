"""The disk tier's database file: made private, opened without being trusted, its errors translated. Knows no diskcache.

The file has diskcache's schema (tables Cache and Settings); an entry is one row with its value inside, as bytes:

    SELECT value FROM Cache WHERE key = ? AND raw = 1 AND mode = 1 AND filename IS NULL AND typeof(value) = 'blob'

Rows of any other form are not ours and are never read.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from deepsel.cache.tier import CacheCorrupt, CacheUnavailable
from deepsel.storage import files, owners
from deepsel.storage.locking import FIRST_WAIT_S, be_patient

FILE_NAME = "cache.db"
COUNTERS = ("count", "size", "hits", "misses")
"""Rows of Settings that diskcache's triggers change; all others are fixed."""
_CHECK_WAIT_S = 5.0
PINNED: dict[str, int | str] = {
    "statistics": 0,  # would turn each look-up into a write
    "tag_index": 0,
    "eviction_policy": "least-recently-stored",
    "cull_limit": 10,
    "sqlite_auto_vacuum": 1,
    "sqlite_cache_size": 8192,
    "sqlite_journal_mode": "wal",
    "sqlite_mmap_size": 0,  # a mapped file that another process truncates kills the reader
    "sqlite_synchronous": 1,
    "disk_min_file_size": 1 << 31,
    "disk_pickle_protocol": 0,
}
"""The settings diskcache is opened with, besides the size limit."""


def create_private(folder: Path) -> None:
    """Make the folder (0700) and the database file (0600) whatever the umask; tighten a file that is there."""
    files.make_private_folder(folder)
    path = folder / FILE_NAME
    ensure_own(path)
    # An existing file is never opened here: closing it would drop the locks SQLite holds on it in this process.
    try:
        files.create_private(path)
    except FileExistsError:
        status = _status(path)
        if status and stat.S_IMODE(status.st_mode) & 0o077:
            path.chmod(0o600)


def ensure_own(path: Path) -> None:
    """Raise CacheUnavailable where another user could have written what stands in the file, or may exchange it."""
    suspect = owners.fault(path.parent.parent, path.parent, path)
    if suspect:
        raise CacheUnavailable(str(suspect))


def connect(path: Path, mode: str, *, timeout_s: float) -> sqlite3.Connection | None:
    """Open the database with SQLite's `mode` (ro, rw); None where there is no file yet.

    Text that is not UTF-8 is read with replacement characters: it belongs to no entry of ours. Raises what SQLite and the
    system say of a file that cannot be read, and CacheUnavailable for one that is not the user's own.
    """
    if _status(path) is None:
        return None
    ensure_own(path)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=FIRST_WAIT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    be_patient(connection, path.parent, wait_s=timeout_s)
    return connection


def identity(path: Path) -> tuple[int, int] | None:
    """Say which file has the name; None: there is none. Raises CacheUnavailable for a link, a pipe or a folder."""
    status = _status(path)
    return None if status is None else (status.st_dev, status.st_ino)


def check_settings(connection: sqlite3.Connection, fixed: Mapping[str, int | str]) -> None:
    """Raise CacheCorrupt unless the Settings table holds what we write: `fixed`, an integer limit and the counters.

    diskcache sets every row as an attribute, builds PRAGMA statements from some and hands others to the Disk class, so
    a foreign row could send it to another folder. Raises CacheUnavailable where another process holds the lock.
    """
    # Into a file without tables this has to go before the first transaction, which fixes the form of its pages.
    connection.execute(f"PRAGMA auto_vacuum = {PINNED['sqlite_auto_vacuum']}")
    # diskcache retries a locked database for a minute when it opens; wait for a shorter time before.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
    if not has_tables(connection):
        return
    for key, value in connection.execute("SELECT key, value FROM Settings"):
        is_free = key in COUNTERS or key == "size_limit"
        if not (type(value) is int if is_free else key in fixed and fixed[key] == value):
            raise CacheCorrupt("its settings were changed by something else than deepsel")


def find_problems(folder: Path) -> Iterator[str]:
    """Check the file as a whole: its pages and indices, who may read it, its counters; SQLite's own findings in its words.

    Raises CacheCorrupt or CacheUnavailable where it cannot even be asked.
    """
    path = folder / FILE_NAME
    with translated_errors(path):
        connection = connect(path, "ro", timeout_s=_CHECK_WAIT_S)
    if connection is None:
        return
    with translated_errors(path), closing(connection):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield f"{path.name} can be read by others than its owner"
        yield from (text for (text,) in connection.execute("PRAGMA integrity_check(5)") if text != "ok")
        if has_wrong_counters(connection):
            yield "the counters of entries and bytes are wrong"


def has_tables(connection: sqlite3.Connection) -> bool:
    """Tell whether the first writer has come as far as making diskcache's tables."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'Settings'").fetchone() is not None


def has_wrong_counters(connection: sqlite3.Connection) -> bool:
    """Tell whether what diskcache goes by when it evicts is not what is there."""
    if not has_tables(connection):
        return False
    statement = "SELECT value FROM Settings WHERE key IN ('count', 'size') ORDER BY key"
    counted = connection.execute("SELECT COUNT(rowid), COALESCE(SUM(size), 0) FROM Cache").fetchone()
    return [value for (value,) in connection.execute(statement)] != list(counted)


def repair(folder: Path, foreign_rows: str) -> None:
    """Take the file from others, remove the rows that `foreign_rows` (a condition of ours) selects, count anew."""
    path = folder / FILE_NAME
    with translated_errors(path):
        connection = connect(path, "rw", timeout_s=_CHECK_WAIT_S)
    if connection is None:
        return
    with translated_errors(path), closing(connection):
        path.chmod(0o600)
        if not has_tables(connection):
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"DELETE FROM Cache WHERE {foreign_rows}")  # noqa: S608 - a constant
        if has_wrong_counters(connection):
            for name, counted in (("count", "COUNT(rowid)"), ("size", "COALESCE(SUM(size), 0)")):
                connection.execute(f"UPDATE Settings SET value = (SELECT {counted} FROM Cache) WHERE key = ?", (name,))  # noqa: S608 - constants
        connection.execute("COMMIT")


def remove_files(folder: Path) -> None:
    """Remove the database and SQLite's two files beside it, nothing else."""
    for suffix in ("", "-wal", "-shm"):
        (folder / (FILE_NAME + suffix)).unlink(missing_ok=True)


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Raise what SQLite and the system say as CacheUnavailable or CacheCorrupt."""
    try:
        yield
    except OSError as error:
        raise CacheUnavailable(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except sqlite3.Error as error:
        is_damaged = isinstance(error, sqlite3.DatabaseError) and type(error) is sqlite3.DatabaseError
        raise (CacheCorrupt if is_damaged else CacheUnavailable)(f"{path}: {error}") from error


def is_empty_database(error: sqlite3.Error) -> bool:
    """Tell whether a statement failed because the tables are not there: a file whose first writer has not come far."""
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith("no such table")


def _status(path: Path) -> os.stat_result | None:
    """Look at the file; None where there is none. Raises CacheUnavailable for a link, a pipe or a folder."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise CacheUnavailable(f"{path} is not a regular file")
    return status
