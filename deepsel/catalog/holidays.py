"""Named holiday calendars for price rules; knows which years were published. Dates are those of UTC."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from deepsel.catalog.files import read_data


def calendar_names() -> tuple[str, ...]:
    """Return the names a rule's `not_on` may have."""
    return tuple(_calendars())


def is_holiday(calendar: str, day: date) -> bool:
    """Return whether `day` is a holiday; false in a year that is not published (see `is_published`)."""
    return day in _days(calendar)


def is_published(calendar: str, year: int) -> bool:
    """Return whether the calendar lists the holidays of `year`; where not, its days count as working days."""
    return year in _calendars()[calendar]["years"]


@cache
def _calendars() -> dict[str, dict[str, list[int] | list[str]]]:
    calendars: dict[str, dict[str, list[int] | list[str]]] = read_data("holidays.json")["calendars"]
    return calendars


@cache
def _days(calendar: str) -> frozenset[date]:
    """Expand the calendar's spans `first..last`, both included."""
    days: set[date] = set()
    for span in _calendars()[calendar]["days"]:
        first, _, last = str(span).partition("..")
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last or first):
            days.add(day)
            day += timedelta(days=1)
    return frozenset(days)
