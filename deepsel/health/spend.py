"""What a profile has spent by day, and what it may have: reservations whose bill never came. Money is never guessed at here.

A reservation outlives its process. As long as its request may still be under way it is held; once its time is over it is
*unsettled*: the call was sent, nobody wrote what it cost, and the most it may have cost counts as spent on the day it was
made. A bill that comes late after all takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel.health.tables import SKEW_S
from deepsel.records import NamedTuple
from deepsel.storage.amounts import is_amount, usd

if TYPE_CHECKING:
    import sqlite3

LONGEST_HOLD_S = 86_400.0
"""No reservation is held longer; one that ends later than that from now is of a clock that ran ahead, and counts on its own day."""
_MOST_A_DAY = 9 * 10**18

_ADD = (
    "INSERT INTO spend VALUES (?, ?, ?) ON CONFLICT (profile, day) DO UPDATE SET picousd = "  # noqa: S608 - our own words
    f"CASE WHEN typeof(picousd) = 'integer' AND picousd >= 0 THEN MIN(picousd + excluded.picousd, {_MOST_A_DAY}) ELSE picousd END"
)
_SPENT = "SELECT day, picousd FROM spend WHERE profile = ? AND day BETWEEN ? AND ?"
_HOLDS = (
    "SELECT profile, client, COALESCE(at, expires_at), expires_at, picousd FROM holds "
    "WHERE COALESCE(at, expires_at) >= ? AND COALESCE(at, expires_at) <= ? AND id <> ?"
)


class Spend(NamedTuple):
    """What a profile's calls cost; those of unknown cost count as far as they were reserved."""

    day_usd: Decimal
    """Since midnight UTC."""
    month_usd: Decimal
    """Since the first of the month, UTC."""
    unsettled_day_usd: Decimal = Decimal(0)
    """Of `day_usd`, what was reserved for calls whose bill never came."""
    unsettled_month_usd: Decimal = Decimal(0)
    """The same of `month_usd`."""


class Unsettled(NamedTuple):
    """One reservation whose bill never came."""

    profile: str
    at: float
    """When its call was made, in seconds since the epoch."""
    usd: Decimal
    """The most the call may have cost."""
    client: str = ""
    """Who asked through `deepsel serve`, where that has a bound of its own."""

    def is_of(self, account: str) -> bool:
        """Tell whether it counts for a profile, or for a client's account."""
        return account in (self.profile, account_of(self.client))


def account_of(client: str) -> str:
    """Return what a client's spend is kept under, beside that of the profiles."""
    return f"client:{client}" if client else ""


def add_spend(database: sqlite3.Connection, profile: str, at: float, amount: int) -> None:
    """Add an amount to the profile's spend of a day; a day whose amount is damaged stays so, since nobody knows its sum."""
    if amount:
        database.execute(_ADD, (profile, str(datetime.fromtimestamp(at, UTC).date()), amount))


def spend_of(database: sqlite3.Connection, profile: str, at: datetime, *, besides: int | None = None) -> Spend:
    """Read what a profile has spent, the reservation `besides` left out.

    Raises ValueError where what is kept of it is no amount: nobody knows then what is left of a budget.
    """
    today = at.astimezone(UTC).date()
    first = today.replace(day=1)
    days: dict[str, int] = {}
    for day, amount in database.execute(_SPENT, (profile, str(first), str(today))):
        if type(amount) is not int or amount < 0:
            raise ValueError(f"what is kept as spent on {day} is no amount")
        days[day] = amount
    lost = [one for one in unsettled(database, _begin(first), at=at.timestamp(), besides=besides) if one.is_of(profile)]
    lost_month = sum((one.usd for one in lost), Decimal(0))
    lost_day = sum((one.usd for one in lost if one.at >= _begin(today)), Decimal(0))
    day_usd, month_usd = usd(days.get(str(today), 0)) or Decimal(0), usd(sum(days.values())) or Decimal(0)
    return Spend(day_usd + lost_day, month_usd + lost_month, lost_day, lost_month)


def unsettled(database: sqlite3.Connection, since: float, *, at: float, besides: int | None = None) -> list[Unsettled]:
    """List the reservations made since an instant whose time is over; raises ValueError for one that is no amount."""
    rows = _reservations(database, since, at=at, besides=besides)
    return [one for one, expires_at in rows if expires_at <= at and one.usd]


def held_usd(database: sqlite3.Connection, profile: str, *, at: float, besides: int | None = None) -> Decimal:
    """Add up what the profile's requests hold that may still be under way; raises ValueError for what is no amount."""
    rows = _reservations(database, at - LONGEST_HOLD_S - SKEW_S, at=at, besides=besides)
    ends = at + LONGEST_HOLD_S + SKEW_S
    return sum((one.usd for one, expires_at in rows if one.is_of(profile) and at < expires_at <= ends), Decimal(0))


def _reservations(
    database: sqlite3.Connection, since: float, *, at: float, besides: int | None
) -> Iterator[tuple[Unsettled, float]]:
    """Read the reservations made from `since` to a day after `at`, each with the instant its time is over."""
    for profile, client, made_at, expires_at, amount in database.execute(_HOLDS, (since, at + LONGEST_HOLD_S + SKEW_S, besides or 0)):
        if not is_amount(amount) or not isinstance(expires_at, int | float):
            raise ValueError("what is kept as reserved is no amount")
        yield Unsettled(str(profile), made_at, usd(amount) or Decimal(0), str(client)), expires_at


def _begin(day: date) -> float:
    """Return the first instant of a day in UTC."""
    return datetime.combine(day, time(), UTC).timestamp()
