"""Values of options: one of some words, a number within bounds, a length of time; a wrong one is a UsageError that says so."""

from __future__ import annotations

from deepsel.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST_DIGITS = 9


def one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    """Accept one of the known words."""
    if value in known:
        return value
    from deepsel.config import nearest_hint  # only a mistake needs it

    raise UsageError(f"`{option}` does not know `{value}`", nearest_hint(value, known))


def within(option: str, value: float | None, low: float, high: float) -> float | None:
    """Accept a number in [low, high]; None, where the option was not given, stays None."""
    if value is None or low <= value <= high:
        return value
    raise UsageError(f"`{option}` takes a number from {low:g} to {high:g}, not {value:g}")


def parse_duration(text: str) -> float:
    """Read a length of time as it is typed (45s, 30m, 12h, 7d, 2w) as seconds."""
    number, unit = text.strip()[:-1], text.strip()[-1:].lower()
    if unit in _SECONDS and number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS:
        return float(int(number) * _SECONDS[unit])
    raise UsageError(f"`{text}` is not a length of time", "write a whole number and s, m, h, d or w, such as `7d`")
