"""Values of options, read and held against their bounds; a wrong one is a UsageError that says so."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from deepsel.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST_DIGITS = 9
_LARGEST = 10**15

_Word = TypeVar("_Word", bound=str)


def refuse(is_wrong: bool, message: str, hint: str = "") -> None:
    """Raise UsageError for options that cannot go together."""
    if is_wrong:
        raise UsageError(message, hint)


def one_of(option: str, value: str, known: tuple[_Word, ...]) -> _Word:
    """Accept one of the known words."""
    for word in known:
        if value == word:
            return word
    from deepsel.config import nearest_hint  # only a mistake needs it

    raise UsageError(f"`{option}` does not know `{value}`", nearest_hint(value, known))


def within(option: str, value: float | None, low: float, high: float) -> float | None:
    """Accept a number in [low, high]; None, where the option was not given, stays None."""
    if value is None or low <= value <= high:
        return value
    raise UsageError(f"`{option}` takes a number from {low:g} to {high:g}, not {value:g}")


def count(option: str, value: int, *, least: int = 1, most: int = _LARGEST) -> int:
    """Accept a whole number in [least, most]."""
    if least <= value <= most:
        return value
    bounds = f"of at least {least}" if most == _LARGEST and value < least else f"from {least} to {most:,}"
    raise UsageError(f"`{option}` takes a whole number {bounds}, not {value}")


def number(option: str, text: str) -> Decimal:
    """Read a number of at least 0, exactly."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0 or value > _LARGEST:
        raise UsageError(f"`{option}` takes a number of at least 0, not `{text}`")
    return value


def money(option: str, text: str | None) -> Decimal | None:
    """Read an amount of USD, its sign before it or not; None, where the option was not given, stays None."""
    if text is None:
        return None
    from deepsel.config import fields

    try:
        return fields.money(text)
    except ValueError:
        raise UsageError(f"`{option}` takes an amount of USD, not `{text}`", f"e.g. `{option} 0.05`") from None


def share(option: str, text: str) -> Decimal:
    """Read a share in [0, 1], or a percentage."""
    value = number(option, text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if value > 1:
        raise UsageError(f"`{option}` takes a share from 0 to 1, not `{text}`", f"e.g. `{option} 0.8`")
    return value


def percent(option: str, text: str | None, *, most: float) -> float | None:
    """Read percents in [0, most], with or without the sign; None, where the option was not given, stays None."""
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        raise UsageError(f"`{option}` takes percents, not `{text}`", f"e.g. `{option} 10%`") from None
    return within(option, value, 0, most)


def seconds(option: str, text: str, *, least: float, most: float) -> float:
    """Read seconds: a plain number, or one with a unit such as `5m`."""
    try:
        value = float(text)
    except ValueError:
        value = parse_duration(text)
    within(option, value, least, most)
    return value


def parse_duration(text: str) -> float:
    """Read a length of time as it is typed (45s, 30m, 12h, 7d, 2w) as seconds."""
    digits, unit = text.strip()[:-1], text.strip()[-1:].lower()
    if unit in _SECONDS and digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        return float(int(digits) * _SECONDS[unit])
    raise UsageError(f"`{text}` is not a length of time", "write a whole number and s, m, h, d or w, such as `7d`")


def instant(option: str, text: str) -> datetime:
    """Read a time; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"`{option}` takes a time, not `{text}`", f"e.g. `{option} 2026-12-01T09:00`") from None
