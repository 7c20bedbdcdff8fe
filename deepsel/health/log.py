"""Observations as rows, and what is kept of them; knows no policy but how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deepsel.health.spend import account_of, add_spend
from deepsel.health.tables import READABLE
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    import sqlite3

    from deepsel.health.endpoint import Endpoint

KEPT_S = 90 * 86_400.0
"""Older observations are dropped. What was spent on a day is kept apart."""
KEPT_DAYS = 10_000
"""The most sums of a profile and a day kept."""
KEPT_ROWS = 100_000
"""The most observations kept, about 25 MB with their indexes."""
_PRUNE_EVERY = 200
"""Rows between two prunings."""


class Observation(NamedTuple):
    """One attempt, or one answer from the cache. Holds no word of any text."""

    at: float
    """Seconds since the epoch, UTC, when it ended."""
    profile: str
    provider: str
    model: str
    task: str
    """One of `values.TASKS`, or `warm`."""
    outcome: str
    """ok, failed, cancelled (the user ended it), or hit."""
    error_class: str | None = None
    http_status: int | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_picousd: int | None = None
    """None: unknown."""
    ttft_s: float | None = None
    """None also where the answer was not streamed: its first token came with its last."""
    total_s: float | None = None
    wait_s: float = 0.0
    number: int = 1
    """Its place among its request's attempts; 1 is the request itself."""
    host: str = ""
    """Where the request went."""
    cache_status: str = "off"
    """What the answer cache did for the request: hit, miss, stored or off."""
    saved_picousd: int | None = None
    """What a hit would have cost; None: unknown, or no hit."""
    gateway_cache: str | None = None
    """What a gateway's own cache did, in its words."""
    gateway_retries: int | None = None
    """Calls the gateway made beyond the first."""
    trace_id: str | None = None
    """Under which the gateway knows the call."""
    first_sign_s: float | None = None
    """To the first text or reasoning of a stream."""
    is_loading: bool = False
    """Whether the server was only starting, which says nothing of its health."""
    client: str = ""
    """Who asked through `deepsel serve`, by the name of its key; empty: nobody with one."""


def sign_s(seen: Observation) -> float | None:
    """Return the seconds to an observation's first sign of life; older rows know only of text."""
    return seen.ttft_s if seen.first_sign_s is None else seen.first_sign_s


_COLUMNS = Observation._fields
_LIST = ", ".join(_COLUMNS)
_INSERT = f"INSERT INTO observations ({_LIST}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - our own names
_SELECT = f"SELECT {_LIST} FROM observations WHERE at >= ? AND {READABLE['observations']} ORDER BY at"  # noqa: S608 - our own words
_LAST = "SELECT MAX(at) FROM observations WHERE provider = ? AND model = ? AND at <= ? AND outcome <> 'hit'"
_SEEN = "SELECT MIN(at) FROM observations WHERE rowid > ? AND typeof(at) = 'real'"


def append(
    database: sqlite3.Connection, observations: Sequence[Observation], *, hold: int | None, assumed_picousd: int
) -> None:
    """Append observations and what they cost.

    `hold` is the budget reservation they settle; `assumed_picousd` stands in for costs that stay unknown.
    """
    last = 0
    for observation in observations:
        last = database.execute(_INSERT, observation).lastrowid or 0
        _spend(database, observation, observation.cost_picousd or 0)
    if observations and assumed_picousd:
        _spend(database, observations[-1], assumed_picousd)
    if hold is not None:
        database.execute("DELETE FROM holds WHERE id = ?", (hold,))
    if last % _PRUNE_EVERY < len(observations):
        _prune(database, last, now=observations[-1].at)


def _spend(database: sqlite3.Connection, seen: Observation, amount: int) -> None:
    """Add an amount to what was spent by the profile, and by the client where there is one."""
    for account in filter(None, (seen.profile, account_of(seen.client))):
        add_spend(database, account, seen.at, amount)


def rows_since(database: sqlite3.Connection, instant: float) -> list[Observation]:
    """List what was observed from that instant on, oldest first."""
    return [Observation(*row) for row in database.execute(_SELECT, (instant,))]


def last_call(database: sqlite3.Connection, endpoint: Endpoint, *, at: float) -> float | None:
    """Return when the endpoint was last called before `at`, in seconds since the epoch; None: never, as far as is known."""
    row = database.execute(_LAST, (*endpoint, at)).fetchone()
    return None if row is None else row[0]


def _prune(database: sqlite3.Connection, last_row: int, *, now: float) -> None:
    """Drop what is too old or too much; the space is used again.

    Old is what was old already when the first of the last rows was written: a clock that runs ahead makes nothing old.
    """
    (seen_at,) = database.execute(_SEEN, (last_row - _PRUNE_EVERY,)).fetchone()
    oldest = (now if seen_at is None else min(now, seen_at)) - KEPT_S
    database.execute("DELETE FROM observations WHERE at < ? OR rowid <= ?", (oldest, last_row - KEPT_ROWS))
    database.execute("DELETE FROM holds WHERE COALESCE(at, expires_at) < ?", (oldest,))
    database.execute("DELETE FROM spend WHERE rowid <= (SELECT MAX(rowid) FROM spend) - ?", (KEPT_DAYS,))
