"""Writes and sums observations in SQLite; knows no policy. A log that fails is one warning, never a failed command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from deepsel.values import Notice

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")
_BUSY_TIMEOUT_S = 2.0
_PICO = Decimal(10) ** 12
"""Costs are summed as whole millionths of a millionth of a dollar, exactly."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One attempt, or one answer from the cache."""

    at: float
    """Seconds since the epoch, UTC, when it ended."""
    profile: str
    provider: str
    model: str
    task: str
    outcome: str
    """ok, failed, or hit."""
    error_class: str | None = None
    http_status: int | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_picousd: int | None = None
    """None: unknown."""
    ttft_s: float | None = None
    total_s: float | None = None
    wait_s: float = 0.0


def picousd(cost_usd: Decimal | None) -> int | None:
    """Turn USD into the log's whole unit."""
    return None if cost_usd is None else int(cost_usd * _PICO)


_COLUMNS = tuple(column.name for column in fields(Observation))
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS observations ({', '.join(_COLUMNS)})",
    "CREATE INDEX IF NOT EXISTS observations_by_time ON observations (at)",
)


class ObservationLog:
    """The log in `folder`; every call opens, works and closes, so that many processes can share it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "observations.sqlite"
        self._notices: list[Notice] = []

    def add(self, observations: list[Observation]) -> None:
        """Append observations in one transaction."""
        marks = ", ".join("?" * len(_COLUMNS))
        rows = [astuple(observation) for observation in observations]

        def write(database: sqlite3.Connection) -> None:
            self._path.chmod(0o600)
            database.execute("PRAGMA journal_mode=WAL")
            with database:
                for statement in _CREATE:
                    database.execute(statement)
                database.executemany(f"INSERT INTO observations VALUES ({marks})", rows)  # noqa: S608 - only marks

        if rows:
            self._use(write)

    def spent_usd(self, profile: str, *, since: datetime) -> Decimal | None:
        """Sum what the profile's attempts since that instant cost, those of unknown cost aside; None where the log cannot be read."""
        if not self._path.exists():
            return Decimal(0)
        query = "SELECT COALESCE(SUM(cost_picousd), 0) FROM observations WHERE profile = ? AND at >= ?"

        def read(database: sqlite3.Connection) -> int:
            (total,) = database.execute(query, (profile, since.timestamp())).fetchone()
            return int(total)

        total = self._use(read)
        return None if total is None else Decimal(total) / _PICO

    def notices(self) -> list[Notice]:
        """Return, once, what went wrong with the log."""
        told, self._notices = self._notices, []
        return told

    def _use(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Do one piece of work on the open database; None, and a notice, where that fails."""
        import sqlite3

        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S)) as database:
                return work(database)
        except (sqlite3.Error, OSError) as error:
            self._note(error)
            return None

    def _note(self, error: Exception) -> None:
        """Remember one warning."""
        if not self._notices:
            self._notices.append(
                Notice("log_unavailable", f"the observation log `{self._path}` cannot be used: {error}")
            )
