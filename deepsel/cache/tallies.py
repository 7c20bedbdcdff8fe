"""What the cache did, by day, model and tier: a table of its own beside diskcache's in the database. Counts and money, no text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal

from deepsel.cache.tier import Tally

_PICO = Decimal(10) ** 12
_CREATE = (
    "CREATE TABLE IF NOT EXISTS Tally (day TEXT, model TEXT, tier TEXT, answers INTEGER, picousd INTEGER,"
    " unpriced INTEGER, PRIMARY KEY (day, model, tier)) WITHOUT ROWID"
)
_ADD = (
    "INSERT INTO Tally VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET answers = answers + excluded.answers,"
    " picousd = picousd + excluded.picousd, unpriced = unpriced + excluded.unpriced"
)
READ = "SELECT day, model, tier, answers, picousd, unpriced FROM Tally ORDER BY day, model, tier"


def add(connection: sqlite3.Connection, tallies: Iterable[Tally]) -> None:
    """Add to the table, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_CREATE)
    for one in tallies:
        picousd = int(one.usd * _PICO)
        connection.execute(_ADD, (one.day.isoformat(), one.model, one.tier, one.answers, picousd, one.unpriced))
    connection.execute("COMMIT")


def from_rows(rows: Iterable[tuple[object, ...]]) -> list[Tally]:
    """Make records of what READ gives; rows that are not ours are passed over."""
    tallies = []
    for day, model, tier, answers, picousd, unpriced in rows:
        if type(answers) is type(picousd) is type(unpriced) is int:
            with suppress(ValueError):
                usd = Decimal(picousd) / _PICO
                tallies.append(Tally(date.fromisoformat(str(day)), str(model), str(tier), answers, usd, unpriced))
    return tallies
