"""How many calls at once the endpoints of batch jobs were last found to bear, shared by all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepsel.health.tables import READABLE, SKEW_S
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    import sqlite3

    from deepsel.health.endpoint import Endpoint

GOOD_FOR_S = 600.0
"""An older find says little of now."""
_READ = (
    "SELECT most, ceiling FROM paces WHERE provider = ? AND model = ? AND at BETWEEN ? AND ? "  # noqa: S608 - our own words
    f"AND {READABLE['paces']}"
)
_KEEP = (
    "INSERT INTO paces (provider, model, most, ceiling, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (provider, model) "
    "DO UPDATE SET most = excluded.most, ceiling = excluded.ceiling, at = excluded.at"
)


class FoundPace(NamedTuple):
    """What one process found of an endpoint."""

    limit: float
    """Calls at once."""
    ceiling: float | None = None
    """The most it was taken to bear; None: nothing spoke against more."""


def read_pace(database: sqlite3.Connection, endpoint: Endpoint, *, at: float) -> FoundPace | None:
    """Read what was found lately; None where nothing was."""
    row = database.execute(_READ, (*endpoint, at - GOOD_FOR_S, at + SKEW_S)).fetchone()
    return None if row is None else FoundPace(*row)


def keep_pace(database: sqlite3.Connection, endpoint: Endpoint, limit: float, ceiling: float | None, *, at: float) -> None:
    """Keep what was found; the last word holds."""
    database.execute(_KEEP, (*endpoint, limit, ceiling, at))
