"""Rate limits as the providers last told them, shared by all processes: until when to stay away, how many calls are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepsel.health.tables import READABLE, SKEW_S
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    import sqlite3

    from deepsel.health.endpoint import Endpoint


LONGEST_S = 3600.0
"""No wait is shared for longer, since nobody could lift it by hand."""
_FURTHEST_S = LONGEST_S + SKEW_S


class Limit(NamedTuple):
    """An endpoint's limit; instants are seconds since the epoch, and none is believed that no wait can reach."""

    closed_until: float = 0.0
    requests_left: int | None = None
    """Of those that may be sent until `resets_at`; None: not told."""
    resets_at: float = 0.0

    def opens_at(self, now: float) -> float:
        """Return the instant from which it may be asked; in the past where nothing holds it back."""
        left = self.left_at(now)
        is_used_up = left is not None and left <= 0
        closed_until = self.closed_until if self.closed_until <= now + _FURTHEST_S else 0.0
        return max(closed_until, self.resets_at if is_used_up else 0.0)

    def left_at(self, now: float) -> int | None:
        """Return how many requests are left; None: not told, or reset since."""
        return self.requests_left if now < self.resets_at <= now + _FURTHEST_S else None


_READ = (
    "SELECT closed_until, requests_left, resets_at FROM limits "  # noqa: S608 - our own words
    f"WHERE provider = ? AND model = ? AND {READABLE['limits']}"
)
_DROP = f"DELETE FROM limits WHERE provider = ? AND model = ? AND ({READABLE['limits']}) IS NOT TRUE"  # noqa: S608 - our own words
_CLOSE = (
    "INSERT INTO limits (provider, model, closed_until) VALUES (?, ?, ?) "  # noqa: S608 - our own words
    "ON CONFLICT (provider, model) DO UPDATE SET closed_until = CASE "
    f"WHEN closed_until BETWEEN excluded.closed_until AND excluded.closed_until + {_FURTHEST_S} THEN closed_until "
    "ELSE excluded.closed_until END"
)
_TELL = (
    "INSERT INTO limits (provider, model, requests_left, resets_at) VALUES (?, ?, ?, ?) ON CONFLICT (provider, model) "
    "DO UPDATE SET requests_left = excluded.requests_left, resets_at = excluded.resets_at"
)
_TAKE = (
    "UPDATE limits SET requests_left = requests_left - 1 "
    "WHERE provider = ? AND model = ? AND requests_left > 0 AND resets_at > ?"
)


def read_limit(database: sqlite3.Connection, endpoint: Endpoint) -> Limit:
    """Read an endpoint's limit; one that holds nothing back where none is known."""
    row = database.execute(_READ, endpoint).fetchone()
    return Limit() if row is None else Limit(*row)


def close_until(database: sqlite3.Connection, endpoint: Endpoint, instant: float) -> None:
    """Keep every process from asking the endpoint before `instant`; of two deadlines the later one holds, where it can be."""
    database.execute(_DROP, endpoint)
    database.execute(_CLOSE, (*endpoint, instant))


def tell_left(database: sqlite3.Connection, endpoint: Endpoint, requests_left: int, resets_at: float) -> None:
    """Note how many requests an answer said are left; the last answer's word holds."""
    database.execute(_DROP, endpoint)
    database.execute(_TELL, (*endpoint, requests_left, resets_at))


def take_one(database: sqlite3.Connection, endpoint: Endpoint, *, at: float) -> bool:
    """Count one request against what is left; False where another process has taken the last one."""
    return bool(database.execute(_TAKE, (*endpoint, at)).rowcount)
