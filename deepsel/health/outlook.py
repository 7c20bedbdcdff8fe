"""What the log says of endpoints before a request is planned: standing, waits, latency, usual length of an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from deepsel.health.cooldowns import Endpoint, Standing, Thresholds, read_state
from deepsel.health.holds import Budgets, Left, left_of
from deepsel.health.limits import Limit, read_limit
from deepsel.health.percentiles import median
from deepsel.show.money import exact_usd
from deepsel.values import Latency

if TYPE_CHECKING:
    import sqlite3

    from deepsel.health.log import ObservationLog

BENCH_FILE = "bench.json"
"""In the data folder: `{MODEL: {"ttft_s": p50, "tokens_per_s": p50}}`, of the last bench that was kept."""
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
    "SELECT ttft_s, total_s, output_tokens FROM observations WHERE provider = ? AND model = ? AND at > ? "
    "AND outcome = 'ok' AND ttft_s IS NOT NULL ORDER BY at DESC LIMIT ?"
)
_LENGTHS = (
    "SELECT output_tokens FROM observations WHERE provider = ? AND model = ? AND at > ? AND task = ? "
    "AND outcome = 'ok' AND output_tokens > 0 ORDER BY at DESC LIMIT ?"
)


class Outlook(NamedTuple):
    """What is known of one endpoint."""

    standing: Standing = Standing("well")
    limit: Limit = Limit()
    ttft_s: float | None = None
    """Median of its recent answers; None: too few."""
    tokens_per_s: float | None = None
    answers: int = 0
    """How many these are taken from."""
    usual_tokens: float | None = None
    """Median length of its answers to the task; None: too few."""
    usual_of: int = 0


class Outlooks(NamedTuple):
    """What is known for one request."""

    endpoints: Mapping[Endpoint, Outlook]
    left: Left | None = None
    """What the budgets leave; None: there is none, or it cannot be read."""
    is_readable: bool = True


def look(
    log: ObservationLog,
    endpoints: Iterable[Endpoint],
    *,
    task: str,
    thresholds: Thresholds,
    budgets: Budgets,
    at: datetime,
) -> Outlooks:
    """Read everything a plan needs in one go; writes nothing."""
    names = list(dict.fromkeys(endpoints))
    now = at.timestamp()

    def work(database: sqlite3.Connection) -> Outlooks:
        found = {name: _outlook(database, name, task, thresholds, now) for name in names}
        return Outlooks(found, left_of(database, budgets, at=at) if budgets else None)

    fresh = Outlooks({}, _untouched(budgets) if budgets else None)
    return log.database.read(work, empty=fresh) or Outlooks({}, is_readable=False)


def _untouched(budgets: Budgets) -> Left:
    """Give the whole of the tighter budget, of which nothing was ever spent."""
    bounds = ((budgets.daily_usd, "daily"), (budgets.monthly_usd, "monthly"))
    amount, name = min((bound, name) for bound, name in bounds if bound is not None)
    return Left(amount, f"{exact_usd(amount)} left of the {name} budget of {exact_usd(amount)}")


def _outlook(
    database: sqlite3.Connection, endpoint: Endpoint, task: str, thresholds: Thresholds, now: float
) -> Outlook:
    state = read_state(database, endpoint)
    standing = state.standing(thresholds, at=now) if state else Standing("well")
    # After a cool-down, what led to it says nothing of what comes: a probe would never be sent where it did.
    after = max(now - RECENT_S, standing.forget_before)
    times = database.execute(_TIMES, (*endpoint, after, _MOST)).fetchall()
    lengths = database.execute(_LENGTHS, (*endpoint, now - HISTORY_S, task, _MOST)).fetchall()
    rates = [
        count / (total_s - ttft_s)
        for ttft_s, total_s, count in times
        if count is not None and count >= _MANY_TOKENS and total_s is not None and total_s > ttft_s
    ]
    is_enough = len(times) >= FEWEST
    return Outlook(
        standing=standing,
        limit=read_limit(database, endpoint),
        ttft_s=median(row[0] for row in times) if is_enough else None,
        tokens_per_s=median(rates) if is_enough else None,
        answers=len(times),
        usual_tokens=median(row[0] for row in lengths) if len(lengths) >= FEWEST else None,
        usual_of=len(lengths),
    )


@cache
def benched(folder: Path) -> Mapping[str, Latency]:
    """Return what the last bench measured, by model; nothing where there is none or it cannot be read."""
    try:
        rows = json.loads((folder / BENCH_FILE).read_bytes())
        return {
            str(name): Latency(float(row["ttft_s"]), float(row["tokens_per_s"]))
            for name, row in rows.items()
            if float(row["tokens_per_s"]) > 0
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
