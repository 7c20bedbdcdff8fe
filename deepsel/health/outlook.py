"""What is known of endpoints before a request is planned: standing, waits, latency, usual length of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from deepsel.health.cooldowns import Standing, Thresholds, read_state
from deepsel.health.endpoint import Endpoint
from deepsel.health.holds import Left
from deepsel.health.limits import Limit
from deepsel.health.percentiles import median
from deepsel.health.tables import READABLE
from deepsel.records import NamedTuple
from deepsel.values import Notice

if TYPE_CHECKING:
    import sqlite3

FEWEST = 3
"""Fewer answers than this say nothing yet."""
RECENT_S = 86_400.0
"""How far back latency is looked for."""
HISTORY_S = 30 * 86_400.0
"""How far back the length of answers is looked for."""
_MOST = 50
_MANY_TOKENS = 8
"""A shorter answer says nothing of the speed of writing."""

_TIMES = (
    "SELECT ttft_s, total_s, output_tokens FROM observations WHERE provider = ? AND model = ? AND at > ? AND at <= ? "  # noqa: S608 - our own words
    f"AND outcome = 'ok' AND ttft_s IS NOT NULL AND {READABLE['observations']} ORDER BY at DESC LIMIT ?"
)
_LENGTHS = (
    "SELECT output_tokens FROM observations WHERE provider = ? AND model = ? AND at > ? AND at <= ? AND task = ? "  # noqa: S608 - our own words
    f"AND outcome = 'ok' AND output_tokens > 0 AND {READABLE['observations']} ORDER BY at DESC LIMIT ?"
)


class Pace(NamedTuple):
    """How an endpoint answered lately."""

    ttft_s: float | None = None
    """Median of its recent answers; None: too few."""
    tokens_per_s: float | None = None
    answers: int = 0
    """How many these are taken from."""
    usual_tokens: float | None = None
    """Median length of its answers to the task; None: too few."""
    usual_of: int = 0


class Outlook(NamedTuple):
    """What is known of one endpoint."""

    standing: Standing = Standing("well")
    limit: Limit = Limit()
    ttft_s: float | None = None
    """This and what follows: its pace."""
    tokens_per_s: float | None = None
    answers: int = 0
    usual_tokens: float | None = None
    usual_of: int = 0


class Outlooks(NamedTuple):
    """What is known for one request."""

    endpoints: Mapping[Endpoint, Outlook]
    left: Left | None = None
    """What the budgets leave; None: there is none, or it cannot be read."""
    is_readable: bool = True
    read_at: float = float("-inf")
    """Seconds since the epoch; minus infinity: it was not read."""
    notices: tuple[Notice, ...] = ()
    """Why it cannot be read."""


def read_standing(database: sqlite3.Connection, endpoint: Endpoint, thresholds: Thresholds, *, at: float) -> Standing:
    """Read how an endpoint stands with one profile."""
    state = read_state(database, endpoint)
    return state.standing(thresholds, at=at) if state else Standing("well")


def read_pace(database: sqlite3.Connection, endpoint: Endpoint, task: str, *, forget_before: float, at: float) -> Pace:
    """Read how an endpoint answered lately."""
    # After a cool-down, what led to it says nothing of what comes: a probe would never be sent where it did.
    after = max(at - RECENT_S, forget_before)
    times = database.execute(_TIMES, (*endpoint, after, at, _MOST)).fetchall()
    lengths = database.execute(_LENGTHS, (*endpoint, at - HISTORY_S, at, task, _MOST)).fetchall()
    rates = [
        count / (total_s - ttft_s)
        for ttft_s, total_s, count in times
        if count is not None and count >= _MANY_TOKENS and total_s is not None and total_s > ttft_s
    ]
    is_enough = len(times) >= FEWEST
    return Pace(
        ttft_s=median(row[0] for row in times) if is_enough else None,
        tokens_per_s=median(rates) if is_enough else None,
        answers=len(times),
        usual_tokens=median(row[0] for row in lengths) if len(lengths) >= FEWEST else None,
        usual_of=len(lengths),
    )
