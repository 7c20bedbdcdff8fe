"""Budgets that many processes share: what a request may cost is held before it is sent and settled with its bill after.

A hold counts as spent until it is settled (`SharedState.add` with its id), also once its time is over, as it is when its
process has died: see `health/spend.py`. Checking and holding are one transaction, so that processes which ask together
cannot overspend.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel.health.spend import LONGEST_HOLD_S, Spend, held_usd, spend_of
from deepsel.records import NamedTuple
from deepsel.show.money import exact_usd
from deepsel.storage.amounts import picousd

if TYPE_CHECKING:
    import sqlite3


class Budgets(NamedTuple):
    """A profile's bounds on its spend; None: no bound."""

    profile: str
    daily_usd: Decimal | None = None
    monthly_usd: Decimal | None = None

    def __bool__(self) -> bool:
        return self.daily_usd is not None or self.monthly_usd is not None


class Held(NamedTuple):
    """The answer to a wish to spend."""

    hold: int | None
    """None: it would go over a bound, and nothing is held."""
    refusal: str = ""
    """With its numbers, for a person."""


class Left(NamedTuple):
    """What may still be spent, and by which bound."""

    usd: Decimal
    words: str
    """`$1.20 left of the daily budget of $5.00`."""


def untouched(budgets: Budgets) -> Left | None:
    """Give the whole of the tighter budget, of which nothing was ever spent; None without a bound."""
    return _tighter(budgets, Spend(Decimal(0), Decimal(0)), Decimal(0))


def left_of(database: sqlite3.Connection, budgets: Budgets, *, at: datetime, besides: int | None = None) -> Left | None:
    """Return what is left under the tighter bound, holds counted (but not the one `besides`); None without a bound.

    Raises ValueError where what was spent or is held is damaged.
    """
    spend = spend_of(database, budgets.profile, at, besides=besides)
    return _tighter(budgets, spend, held_usd(database, budgets.profile, at=at.timestamp(), besides=besides))


def _tighter(budgets: Budgets, spend: Spend, held_usd: Decimal) -> Left | None:
    """Return what a spend and what is held leave under the tighter bound; None without a bound."""
    found = []
    for name, bound, spent in (
        ("daily", budgets.daily_usd, spend.day_usd),
        ("monthly", budgets.monthly_usd, spend.month_usd),
    ):
        if bound is not None:
            rest = max(Decimal(0), bound - spent - held_usd)
            found.append(Left(rest, f"{exact_usd(rest)} left of the {name} budget of {exact_usd(bound)}"))
    return min(found, key=lambda left: left.usd, default=None)


def hold(
    database: sqlite3.Connection,
    budgets: Budgets,
    amount_usd: Decimal,
    *,
    at: datetime,
    ttl_s: float,
    replaces: int | None,
) -> Held:
    """Hold an amount, in place of what the request held before. Has to be a transaction of its own."""
    left = left_of(database, budgets, at=at, besides=replaces)
    if left is not None and amount_usd > left.usd:
        return Held(None, f"could cost {exact_usd(amount_usd)}, and there is {left.words}")
    now = at.timestamp()
    row = (budgets.profile, now, now + min(ttl_s, LONGEST_HOLD_S), picousd(amount_usd) or 0)
    if replaces is not None and database.execute(
        "UPDATE holds SET profile = ?, at = ?, expires_at = ?, picousd = ? WHERE id = ?", (*row, replaces)
    ).rowcount:
        return Held(replaces)
    insert = "INSERT INTO holds (profile, at, expires_at, picousd) VALUES (?, ?, ?, ?)"
    return Held(database.execute(insert, row).lastrowid)
