"""Checks the observation log and puts it right: what can be read goes into a new file, the damaged one is kept beside it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.health.tables import FILE_NAME, READABLE, STEPS
from deepsel.records import NamedTuple
from deepsel.storage import files
from deepsel.storage.sqlite import SqliteFile, identity, reason_of

_SAY = {
    "observations": "observation",
    "endpoints": "state of an endpoint",
    "limits": "rate limit",
    "holds": "reservation",
    "spend": "day's spend",
    "taken_back": "refusal of a host",
}
_RECKON = (
    "INSERT OR IGNORE INTO spend SELECT profile, date(at, 'unixepoch'), MIN(SUM(cost_picousd), 9000000000000000000) "
    "FROM observations WHERE cost_picousd > 0 GROUP BY 1, 2"
)
_LOST_SPEND = "what was spent by then can no longer be known: budgets go by what was observed, and by nothing where nothing was"


class LogVerdict(NamedTuple):
    """What a check of the log found."""

    problems: tuple[str, ...]
    saved: int = 0
    """Rows of the new file."""
    kept_as: Path | None = None
    """Where the damaged file is now; None: nothing was repaired."""


def verify(folder: Path, *, repairs: bool, at: datetime) -> LogVerdict:
    """Check the log in the data folder; with `repairs` save what can be read into a new one. Raises ConfigError where neither can be."""
    path = folder / FILE_NAME
    try:
        problems = _problems(path)
        if not problems or not repairs:
            return LogVerdict(tuple(problems))
        fresh = Path(files.fresh_beside(path))
        try:
            saved, lost = _saved(path, fresh)
            kept_as = path.with_name(f"{FILE_NAME}.damaged-{at:%Y%m%dT%H%M%S%f}")
            for suffix in ("-shm", "-wal", ""):  # a log that stays would be applied to the new file
                if os.path.lexists(f"{path}{suffix}"):
                    Path(f"{path}{suffix}").rename(f"{kept_as}{suffix}")
            fresh.replace(path)
        finally:
            for suffix in ("", "-wal", "-shm"):
                files.remove(f"{fresh}{suffix}")
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"the observation log `{path}` cannot be repaired: {reason_of(error)}", OTHER_HOME) from error
    return LogVerdict((*problems, *lost), saved, kept_as)


def _problems(path: Path) -> list[str]:
    """List what is wrong; nothing where there is no file."""
    if not os.path.lexists(path):
        return []
    _, notices = SqliteFile(path, STEPS, name="the observation log", code="").read(lambda _: None, empty=None)
    try:
        if identity(path) is None:
            raise OSError("it is a link to no file")
        with closing(_opened(path)) as log:
            told = [" ".join(text.split()) for (text,) in log.execute("PRAGMA integrity_check(5)")]
            found = [f"the file is damaged: {text}" for text in told if text != "ok"]
            strange = log.execute("SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')").fetchall()
            found += [f"the {kind} `{name}` is not deepsel's" for kind, name in strange]
            for table, condition in READABLE.items():
                (count,) = log.execute(f"SELECT COUNT(*) FROM {table} WHERE ({condition}) IS NOT TRUE").fetchone()  # noqa: S608 - our own words
                if count:
                    found.append(f"{count:,} x no {_SAY[table]} of deepsel's")
            return found or [notice.message for notice in notices]
    except (sqlite3.Error, OSError, ValueError) as error:
        return [f"the file is damaged: {reason_of(error)}"]


def _saved(path: Path, fresh: Path) -> tuple[int, list[str]]:
    """Copy every row that can be read into a new file; returns how many it has, and what is lost."""

    def work(one: sqlite3.Connection) -> tuple[int, list[str]]:
        broken: set[str] = set()
        for table, condition in READABLE.items():
            for names, row in _rows(path, table, broken):
                marks = ", ".join("?" * len(row))
                one.execute(f"INSERT OR IGNORE INTO {table} (rowid, {names}) VALUES ({marks})", row)  # noqa: S608 - names of our own tables
            if one.execute(f"DELETE FROM {table} WHERE ({condition}) IS NOT TRUE").rowcount:  # noqa: S608 - our own words
                broken.add(table)
        one.execute(_RECKON)
        lost = [_LOST_SPEND] if broken & {"spend", "holds"} else []
        return sum(_count(one, table) for table in READABLE), lost

    new = SqliteFile(fresh, STEPS, name="the new log", code="")
    told = new.write(work)
    new.close()
    if told.value is None:
        raise OSError(told.notices[0].message)
    return told.value


def _rows(path: Path, table: str, broken: set[str]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Read the rows a damaged file still gives, from both of its ends, each with the names of its columns; each row once.

    A table that cannot be read to its end is added to `broken`.
    """
    seen: set[object] = set()
    for order in ("ASC", "DESC"):
        try:
            with closing(_opened(path)) as log:
                known = {row[1] for row in log.execute(f"PRAGMA table_info({table})")}
                names = ", ".join(name for name in _columns(table) if name in known)
                for row in log.execute(f"SELECT rowid, {names} FROM {table} ORDER BY rowid {order}"):  # noqa: S608 - our own names
                    if row[0] in seen:
                        break
                    seen.add(row[0])
                    yield names, row
        except (sqlite3.Error, OSError):
            broken.add(table)


def _columns(table: str) -> list[str]:
    """Name the columns a table of ours has."""
    with closing(sqlite3.connect(":memory:")) as empty:
        for statement in (statement for step in STEPS for statement in step):
            empty.execute(statement)
        return [row[1] for row in empty.execute(f"PRAGMA table_info({table})") if row[1] != "id"]


def _opened(path: Path) -> sqlite3.Connection:
    """Open the file for reading alone, as far as its schema can be read."""
    identity(path)
    log = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
    log.text_factory = lambda text: text.decode("utf-8", "replace")
    log.execute("PRAGMA writable_schema = ON")  # what cannot be parsed of the schema is passed over
    return log


def _count(one: sqlite3.Connection, table: str) -> int:
    return int(one.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - a name of ours
