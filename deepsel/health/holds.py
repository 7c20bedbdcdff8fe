"""Budgets that many processes share: what a request may cost is held before it is sent and settled with its bill after.

A hold counts as spent until it is settled (`SharedState.add` with its id), also once its time is over, as it is when its
process has died: see `health/spend.py`. Checking and holding are one transaction, so that processes which ask together
cannot overspend.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel.health.spend import LONGEST_HOLD_S, Spend, account_of, held_usd, spend_of
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
    client: str = ""
    """Who asks, where that has a bound of its own."""
    client_daily_usd: Decimal | None = None

    def __bool__(self) -> bool:
        return any(one is not None for one in (self.daily_usd, self.monthly_usd, self.client_daily_usd))


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
    nothing = Spend(Decimal(0), Decimal(0))
    return _least([*_profiles(budgets, nothing, Decimal(0)), *_clients(budgets, nothing, Decimal(0))])


def left_of(database: sqlite3.Connection, budgets: Budgets, *, at: datetime, besides: int | None = None) -> Left | None:
    """Return what is left under the tighter bound, holds counted (but not the one `besides`); None without a bound.

    Raises ValueError where what was spent or is held is damaged.
    """

    def known(account: str) -> tuple[Spend, Decimal]:
        held = held_usd(database, account, at=at.timestamp(), besides=besides)
        return spend_of(database, account, at, besides=besides), held

    found: list[Left] = []
    if budgets.daily_usd is not None or budgets.monthly_usd is not None:
        found += _profiles(budgets, *known(budgets.profile))
    if budgets.client_daily_usd is not None:
        found += _clients(budgets, *known(account_of(budgets.client)))
    return _least(found)


def _profiles(budgets: Budgets, spend: Spend, held_usd: Decimal) -> list[Left]:
    """Say what is left under the bounds of the profile."""
    bounds = (("daily", budgets.daily_usd, spend.day_usd), ("monthly", budgets.monthly_usd, spend.month_usd))
    return [_left(f"the {name} budget", bound, spent + held_usd) for name, bound, spent in bounds if bound is not None]


def _clients(budgets: Budgets, spend: Spend, held_usd: Decimal) -> list[Left]:
    """Say what is left under the bound of the client."""
    bound = budgets.client_daily_usd
    return [] if bound is None else [_left(f"the daily budget of the client {budgets.client}", bound, spend.day_usd + held_usd)]


def _left(name: str, bound: Decimal, used_usd: Decimal) -> Left:
    rest = max(Decimal(0), bound - used_usd)
    return Left(rest, f"{exact_usd(rest)} left of {name} of {exact_usd(bound)}")


def _least(found: list[Left]) -> Left | None:
    """Return the tighter bound; None without one."""
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
    row = (budgets.profile, budgets.client, now, now + min(ttl_s, LONGEST_HOLD_S), picousd(amount_usd) or 0)
    if replaces is not None and database.execute(
        "UPDATE holds SET profile = ?, client = ?, at = ?, expires_at = ?, picousd = ? WHERE id = ?", (*row, replaces)
    ).rowcount:
        return Held(replaces)
    insert = "INSERT INTO holds (profile, client, at, expires_at, picousd) VALUES (?, ?, ?, ?, ?)"
    return Held(database.execute(insert, row).lastrowid)
