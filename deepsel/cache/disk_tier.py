"""The tier on disk: one SQLite connection, on which we read and diskcache, imported at the first write, writes.

A look-up changes nothing, waits for no writer and trusts no row: see database_file. The connection is kept, and opened anew
after a fork, after an error, and where another file has the name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from deepsel.cache.database_file import (
    FILE_NAME,
    PINNED,
    check_settings,
    connect,
    create_private,
    find_problems,
    identity,
    is_empty_database,
    remove_files,
    repair,
    translated_errors,
)
from deepsel.cache.tallies import add as add_tallies
from deepsel.cache.tallies import read as read_tallies
from deepsel.cache.tier import CacheCorrupt, CacheUnavailable, Stored, Tally, TierStats
from deepsel.storage.locking import is_without_locks
from deepsel.storage.sqlite import OpenFile
from deepsel.storage.told import Told

if TYPE_CHECKING:
    from deepsel.cache.disk import Database

_OURS = "raw = 1 AND typeof(key) = 'text' AND mode = 1 AND filename IS NULL AND typeof(value) = 'blob'"
_GET = f"SELECT value FROM Cache WHERE key = ? AND {_OURS}"  # noqa: S608 - a constant
_GET_STORED = f"SELECT value, store_time FROM Cache WHERE key = ? AND typeof(store_time) = 'real' AND {_OURS}"  # noqa: S608 - a constant
_KEYS = f"SELECT key FROM Cache WHERE {_OURS} AND (? IS NULL OR tag = ?) ORDER BY store_time DESC, rowid DESC"  # noqa: S608 - a constant
_FOREIGN = f"SELECT key, mode, filename FROM Cache WHERE ({_OURS}) IS NOT TRUE ORDER BY rowid LIMIT 1000"  # noqa: S608 - a constant
_MODES = {2: "holds a file", 3: "holds a text file", 4: "holds a pickle, which was not loaded"}


class DiskTier:
    """Texts in one SQLite file; safe to use from many threads and many processes."""

    name = "disk"

    def __init__(self, folder: Path, *, size_limit_bytes: int, lock_wait_s: float = 5.0) -> None:
        """Touch nothing yet: files are made by the first write, which waits `lock_wait_s` for other processes."""
        self._folder = folder
        self._file = folder / FILE_NAME
        self._size_limit_bytes = size_limit_bytes
        self._lock_wait_s = lock_wait_s
        self._lock = RLock()
        self._opened: OpenFile | None = None
        self._without_locks: OSError | None = None
        """What was found where locks were tried for the first time."""
        self._may_write = False
        """Until then SQLite itself refuses to change anything on the connection."""
        self._writer: Database | None = None

    def get(self, key: str) -> str | None:
        """Return the text under `key`; None for a row that is not ours."""
        rows = self._read(_GET, key)
        return _text(rows[0][0]) if rows else None

    def stored_at(self, key: str) -> tuple[str, float] | None:
        """Return the text under `key` and the instant at which the row was written, which no other row of the key has."""
        rows = self._read(_GET_STORED, key)
        text = _text(rows[0][0]) if rows else None
        return None if text is None else (text, float(rows[0][1]))

    def put(self, key: str, text: str, *, ttl_s: float, label: str) -> bool:
        """Store a text; one larger than the whole tier is not stored."""
        value = text.encode("utf-8")
        if len(value) > self._size_limit_bytes:
            return False
        with self._writing() as database:
            database.put(key, value, ttl_s=ttl_s, label=label)
        return True

    def keys(self, prefix: str) -> list[str]:
        """List a few keys that begin with `prefix`, in order."""
        statement = f"SELECT key FROM Cache WHERE key >= ? AND key < ? AND {_OURS} ORDER BY key LIMIT 5"  # noqa: S608 - a constant
        return [key for (key,) in self._read(statement, prefix, prefix + "\x7f")]

    def items(self, label: str | None = None) -> Iterator[Stored]:
        """Yield entries, newest first, as they stood when the iteration began."""
        for (key,) in self._read(_KEYS, label, label):
            text = self.get(key)
            if text is not None:
                yield Stored(key, text, len(text.encode("utf-8")))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove entries."""
        with self._lock:
            if self._exists():
                with self._writing() as database:
                    database.delete(keys)

    def clear(self) -> int:
        """Remove everything; a damaged database is removed as a file, and its entries are not counted."""
        with self._lock:
            if not self._exists():
                return 0
            try:
                with self._writing() as database:
                    return database.clear()
            except CacheCorrupt:
                with translated_errors(self._file):
                    remove_files(self._folder)
                return 0

    def add_tallies(self, counted: Iterable[Tally]) -> None:
        """Add to the record of what the cache did; it is lost where the file cannot be written at once."""
        with self._lock, suppress(CacheUnavailable, OSError):
            if self._exists():
                add_tallies(self._folder, counted)

    def tallies(self) -> Told[list[Tally]]:
        """Read what the cache did, by day, model and tier."""
        return read_tallies(self._folder)

    def stats(self) -> TierStats:
        """Count entries and the bytes of the database with its log."""
        counted = self._read("SELECT COUNT(*) FROM Cache")
        size_bytes = 0
        for path in (self._file, self._folder / (FILE_NAME + "-wal")):
            with translated_errors(path), suppress(FileNotFoundError):
                size_bytes += path.stat().st_size
        return TierStats(self.name, counted[0][0] if counted else 0, size_bytes, self._size_limit_bytes)

    # --- upkeep ------------------------------------------------------------------------------------------------------

    def expire(self) -> int:
        """Remove the rows whose time is over; return how many."""
        with self._lock:
            if not self._exists():
                return 0
            with self._writing() as database:
                return database.expire()

    def check(self) -> list[str]:
        """Say what is wrong with the file as a whole and with rows that are not ours; nothing is unpickled for it.

        Raises CacheCorrupt where the file, or its settings, cannot be worked with.
        """
        if not self._exists():
            return []
        problems = list(find_problems(self._folder))
        for key, mode, filename in self._read(_FOREIGN):
            what = f"names the file `{filename}`" if filename is not None else _MODES.get(mode, "is no text")
            problems.append(f"the row {key!r} is not ours: it {what}")
        with translated_errors(self._file):
            connection = self._connection(to_write=True)
            if connection is not None:
                check_settings(connection, PINNED)
        return problems

    def repair(self) -> None:
        """Put right what `check` lists: permissions, foreign rows, counters."""
        with self._lock:
            repair(self._folder, f"({_OURS}) IS NOT TRUE")

    def rescue(self) -> list[tuple[str, str]]:
        """Read every key and text that a damaged file still gives, from both of its ends, and remove the file."""
        found: dict[str, str] = {}
        for order in ("ASC", "DESC"):
            with suppress(CacheUnavailable), translated_errors(self._file):
                connection = connect(self._file, "ro", timeout_s=self._lock_wait_s)
                if connection is None:
                    continue
                with closing(connection):
                    statement = f"SELECT key, value FROM Cache WHERE {_OURS} ORDER BY rowid {order}"  # noqa: S608 - constants
                    for key, value in connection.execute(statement):
                        text = _text(value)
                        if text is not None:
                            found[key] = text
        with self._lock, translated_errors(self._file):
            self.close()
            remove_files(self._folder)
        return list(found.items())

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            opened, self._opened, self._writer, self._may_write = self._opened, None, None, False
            if opened is not None:
                opened.close()

    def _read(self, statement: str, *arguments: str | None) -> list[tuple[Any, ...]]:
        """Run a query; no rows where there is no database yet."""
        with self._lock, translated_errors(self._file):
            connection = self._connection()
            if connection is None:
                return []
            try:
                return connection.execute(statement, arguments).fetchall()
            except sqlite3.Error as error:
                if is_empty_database(error):
                    return []
                self.close()
                raise

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        """Give the writer to one thread; after a failure it is made anew, on a new connection."""
        with self._lock:
            try:
                yield self._database()
            except CacheUnavailable:
                self.close()
                raise

    def _database(self) -> Database:
        """Make the writer on first use, and the file where it is not there."""
        with translated_errors(self._folder):
            if self._writer is None or self._connection() is None:
                create_private(self._folder)
            connection = self._connection(to_write=True)
        if connection is None:
            raise CacheUnavailable(f"{self._file} was removed as it was made")
        if self._writer is None:
            from deepsel.cache.disk import Database

            self._writer = Database(self._folder, connection, size_limit_bytes=self._size_limit_bytes)
        return self._writer

    def _connection(self, *, to_write: bool = False) -> sqlite3.Connection | None:
        """Give the connection to the file that has the name now; None where there is none."""
        file = identity(self._file)
        if self._opened is None or not self._opened.is_for(file):
            self.close()
            if self._without_locks is not None:
                raise self._without_locks
            try:
                connection = connect(self._file, "rw", timeout_s=self._lock_wait_s)
            except OSError as error:
                self._without_locks = error if is_without_locks(error) else None
                raise
            if connection is None:
                return None
            self._opened = OpenFile(connection, file)
            connection.execute("PRAGMA query_only = ON")
        if to_write and not self._may_write:
            self._opened.connection.execute("PRAGMA query_only = OFF")
            self._may_write = True
        return self._opened.connection

    def _exists(self) -> bool:
        """Tell whether there is a database to change."""
        with translated_errors(self._file):
            return self._file.exists()


def _text(value: object) -> str | None:
    """Read a value as text; None where it is none."""
    with suppress(UnicodeDecodeError):
        return value.decode("utf-8") if isinstance(value, bytes) else None
    return None
