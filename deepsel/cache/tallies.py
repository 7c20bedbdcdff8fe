"""What the cache did, by day, model and tier: a small database beside that of the answers. Counts and money, no text.

It has a file of its own so that the answers' file changes only when answers do. A process leaves its lines in a journal
beside it, since opening a database costs more than all that is counted; they are added up where the journal has grown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.cache.tier import Tally
from deepsel.clock import SystemClock
from deepsel.storage import files
from deepsel.storage.amounts import picousd, usd
from deepsel.storage.sqlite import SqliteFile
from deepsel.storage.told import Told

if TYPE_CHECKING:
    import sqlite3

FILE_NAME = "tallies.db"
JOURNAL = "tallies.new"
JOURNAL_BYTES = 1 << 16
_MOST_BYTES = 1 << 24
_TAKEN_S = 60.0
"""Whoever takes a journal has added it up by then."""
_REPAIR = "`deepsel cache verify` starts it afresh"
_STEPS = (
    (
        "CREATE TABLE IF NOT EXISTS Tally (day TEXT, model TEXT, tier TEXT, answers INTEGER, picousd INTEGER,"
        " unpriced INTEGER, PRIMARY KEY (day, model, tier)) WITHOUT ROWID",
    ),
)
_ADD = (
    "INSERT INTO Tally VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET answers = answers + excluded.answers,"
    " picousd = picousd + excluded.picousd, unpriced = unpriced + excluded.unpriced"
)
_READ = "SELECT day, model, tier, answers, picousd, unpriced FROM Tally"


def add(folder: Path, tallies: Iterable[Tally]) -> None:
    """Add to the record; what cannot be written is lost. May raise OSError."""
    rows = [(one.day.isoformat(), one.model, one.tier, one.answers, picousd(one.usd), one.unpriced) for one in tallies]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode("ascii")
    journal = files.open_own(folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW)
    try:
        files.write_all(journal, lines)
        is_long = os.fstat(journal).st_size > JOURNAL_BYTES
    finally:
        os.close(journal)
    if is_long:
        add_up(folder)


def add_up(folder: Path) -> None:
    """Put what stands in the journal, and in those that killed processes took, into the database. May raise OSError.

    A line that is being written at that moment is lost, and so are all where the database cannot be written: a statistic.
    """
    found = []
    for journal in (folder / JOURNAL, *_left(folder)):
        taken = folder / f"{JOURNAL}.{os.urandom(8).hex()}"
        with suppress(FileNotFoundError):  # another process was quicker
            journal.replace(taken)
            found += _lines(taken)
            taken.unlink()
    opened = _open(folder)
    opened.write(lambda one: one.executemany(_ADD, (row for row in found if _tally(row) is not None)))
    opened.close()


def _left(folder: Path) -> list[Path]:
    """List the journals that nobody adds up any more: whoever took them was killed."""
    long_ago = SystemClock().now().timestamp() - _TAKEN_S
    return [path for path in folder.glob(f"{JOURNAL}.*") if path.lstat().st_mtime < long_ago]


def read(folder: Path) -> Told[list[Tally]]:
    """Read the record; what is not ours is passed over. Of a database that cannot be read the journal is left, and a notice."""
    opened = _open(folder)
    nothing: list[tuple[object, ...]] = []
    rows, notices = opened.read(_rows, empty=nothing)
    opened.close()
    sums: dict[tuple[date, str, str], Tally] = {}
    journals = (line for path in (folder / JOURNAL, *_left(folder)) for line in _lines(path))
    for one in filter(None, map(_tally, [*(rows or ()), *journals])):
        name = (one.day, one.model, one.tier)
        sums[name] = one.plus(sums[name]) if name in sums else one
    return Told([sums[name] for name in sorted(sums)], notices)


def damage_of_tallies(folder: Path) -> str | None:
    """Say why the database cannot be read; None where it can."""
    notices = read(folder).notices
    return notices[0].message.partition(";")[0] if notices else None


def start_afresh(folder: Path) -> None:
    """Remove a database that cannot be read: it holds statistics alone. Raises OSError."""
    for suffix in ("-shm", "-wal", ""):
        path = folder / f"{FILE_NAME}{suffix}"
        if path.is_dir() and not path.is_symlink():
            path.rename(files.fresh_beside(path))
        else:
            path.unlink(missing_ok=True)


def _open(folder: Path) -> SqliteFile:
    return SqliteFile(
        folder / FILE_NAME, _STEPS, name="the record of the cache", code="tallies_unavailable", repair=_REPAIR
    )


def _rows(one: sqlite3.Connection) -> list[tuple[object, ...]]:
    return one.execute(_READ).fetchall()


def _lines(journal: Path) -> list[tuple[object, ...]]:
    """Read a journal; a line that is none of ours is passed over."""
    with suppress(OSError):
        return [*_parsed(files.read_own(journal, most_bytes=_MOST_BYTES).splitlines())]
    return []


def _parsed(lines: Iterable[bytes]) -> Iterator[tuple[object, ...]]:
    for line in lines:
        with suppress(ValueError, RecursionError):
            row = json.loads(line)
            if isinstance(row, list):
                yield tuple(row)


def _tally(row: tuple[object, ...]) -> Tally | None:
    """Read one row; None where it is not ours."""
    if len(row) != 6 or not all(type(value) is int and 0 <= value < 1 << 62 for value in row[3:]):
        return None
    day, model, tier, answers, amount, unpriced = row
    with suppress(ValueError):
        at = date.fromisoformat(str(day))
        return Tally(at, str(model), str(tier), answers, usd(amount) or Decimal(0), unpriced)  # type: ignore[arg-type]
    return None
