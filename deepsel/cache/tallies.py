"""What the cache did, by day, model and tier: a small database beside that of the answers. Counts and money, no text.

It has a file of its own so that the answers' file changes only when answers do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

from deepsel.cache.database_file import connect, is_empty_database, translated_errors
from deepsel.cache.tier import CacheUnavailable, Tally

FILE_NAME = "tallies.db"
_WAIT_S = 0.1
"""Tallies are not worth a longer wait."""
_PICO = Decimal(10) ** 12
_CREATE = (
    "CREATE TABLE IF NOT EXISTS Tally (day TEXT, model TEXT, tier TEXT, answers INTEGER, picousd INTEGER,"
    " unpriced INTEGER, PRIMARY KEY (day, model, tier)) WITHOUT ROWID"
)
_ADD = (
    "INSERT INTO Tally VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET answers = answers + excluded.answers,"
    " picousd = picousd + excluded.picousd, unpriced = unpriced + excluded.unpriced"
)
_READ = "SELECT day, model, tier, answers, picousd, unpriced FROM Tally ORDER BY day, model, tier"


def add(folder: Path, tallies: Iterable[Tally]) -> None:
    """Add to the record, in one transaction; it is lost where the file cannot be written at once."""
    path = folder / FILE_NAME
    with suppress(CacheUnavailable), translated_errors(path):
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = connect(path, "rw", timeout_s=_WAIT_S)
        if connection is None:
            return
        with closing(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_CREATE)
            for one in tallies:
                picousd = int(one.usd * _PICO)
                connection.execute(_ADD, (one.day.isoformat(), one.model, one.tier, one.answers, picousd, one.unpriced))
            connection.execute("COMMIT")


def read(folder: Path) -> list[Tally]:
    """Read the record; rows that are not ours are passed over. Raises CacheUnavailable for a file that cannot be read."""
    path = folder / FILE_NAME
    with translated_errors(path):
        connection = connect(path, "ro", timeout_s=_WAIT_S)
        if connection is None:
            return []
        with closing(connection):
            try:
                rows = connection.execute(_READ).fetchall()
            except sqlite3.OperationalError as error:
                if is_empty_database(error):
                    return []
                raise
    return list(_tallies(rows))


def _tallies(rows: Iterable[tuple[object, ...]]) -> Iterable[Tally]:
    for day, model, tier, answers, picousd, unpriced in rows:
        if type(answers) is type(picousd) is type(unpriced) is int:
            with suppress(ValueError):
                usd = Decimal(picousd) / _PICO
                yield Tally(date.fromisoformat(str(day)), str(model), str(tier), answers, usd, unpriced)
