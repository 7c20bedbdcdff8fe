"""The one file that knows diskcache: writes, evicts and empties the database. Reading goes past it, see disk_tier.

diskcache 5.6.3 unpickles what a tampered row tells it to, and opens or deletes the file such a row names
(CVE-2025-69872). TextDisk takes away both: nothing is pickled or unpickled, and there are no files beside the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diskcache  # type: ignore[import-untyped]  # ships no annotations

from deepsel.cache.database_file import PINNED, check_settings, translated_errors
from deepsel.cache.tier import CacheUnavailable

_MODE_RAW = 1


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # the base has no annotations
    """Keys are str, values are bytes inside the row; everything else is refused in both directions."""

    def put(self, key: object) -> tuple[str, bool]:
        """Accept a text key."""
        if type(key) is not str:
            raise TypeError("a cache key is text")
        return key, True

    def get(self, key: object, raw: object) -> str:
        """Read a text key; OSError, which diskcache takes for a row that is gone, for anything else."""
        if not raw or type(key) is not str:
            raise OSError("a row with a foreign key was refused")
        return key

    def store(self, value: object, read: bool, **_: object) -> tuple[int, int, None, sqlite3.Binary]:
        """Keep bytes in the row, however long; raises TypeError for anything else."""
        if read or type(value) is not bytes:
            raise TypeError("a cache value is bytes")
        return 0, _MODE_RAW, None, sqlite3.Binary(value)

    def fetch(self, mode: object, filename: object, value: object, read: bool) -> bytes:
        """Return the bytes of a row; OSError for any other mode, type or a file name."""
        if mode != _MODE_RAW or filename is not None or read or type(value) is not bytes:
            raise OSError("a row with a foreign value was refused")
        return value

    def filename(self, *_: object) -> tuple[str, str]:
        """Refuse to name a file."""
        raise OSError("the cache keeps no files beside its database")

    def remove(self, *_: object) -> None:
        """Do nothing: a row that names a file is not ours, and its file is none of our business."""


class _OnOneConnection(diskcache.Cache):  # type: ignore[misc]  # the base has no annotations
    """diskcache on a connection that it is given; it would open two when it is made and one for each thread."""

    def __init__(self, connection: sqlite3.Connection, directory: str, **settings: Any) -> None:
        self._con = connection
        super().__init__(directory, **settings)

    _con: sqlite3.Connection = None  # type: ignore[assignment]  # in place of the base's property

    def close(self) -> None:
        """Leave the connection to its owner."""


class Database:
    """diskcache behind a few verbs, on one connection; one thread at a time."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, *, size_limit_bytes: int) -> None:
        """Make the tables where they are not there; `connection` is to the file in `folder`. Raises CacheUnavailable."""
        self._folder = folder
        settings = {**PINNED, "size_limit": size_limit_bytes}
        with self._guard():
            check_settings(connection, settings)
            self._cache: Any = _OnOneConnection(connection, _unexpanded(folder), disk=TextDisk, **settings)

    def put(self, key: str, value: bytes, *, ttl_s: float, label: str) -> None:
        """Store a value; removes expired rows, and the oldest ones while the file is over its limit, ten at a time."""
        with self._guard():
            self._cache.set(key, value, expire=ttl_s, tag=label)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove rows, all in one transaction."""
        with self._guard(), self._cache.transact():
            for key in keys:
                self._cache.delete(key)

    def clear(self) -> int:
        """Remove every row, foreign ones too; return how many."""
        with self._guard():
            return int(self._cache.clear())

    def expire(self) -> int:
        """Remove the rows whose time is over; return how many."""
        with self._guard():
            return int(self._cache.expire())

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Translate errors."""
        try:
            with translated_errors(self._folder):
                yield
        except diskcache.Timeout as error:
            raise CacheUnavailable(f"{self._folder}: another process holds the lock") from error


def _unexpanded(folder: Path) -> str:
    """Give the folder as text in which diskcache finds neither `~` nor a variable to replace."""
    text = str(folder.absolute())
    if "$" in text:
        raise CacheUnavailable(f"{folder}: a path with `$` cannot hold the cache")
    return text
