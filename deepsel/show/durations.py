"""Lengths of time as people read them. Imports nothing: a replayed answer needs it."""

from __future__ import annotations

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))
_NEXT_UNIT_AT = 119.5
"""So many minutes are written as hours, and so many seconds as minutes: 90 s says more than 1.5 min."""


def seconds(value: float | None) -> str:
    """Write a time in three digits with a unit that fits, `12.3 ms`; a dash for None."""
    if value is None:
        return "-"
    size = abs(value)
    if size < 0.9995:
        return f"{_three_digits(value * 1000)} ms"
    if size < _NEXT_UNIT_AT:
        return f"{_three_digits(value)} s"
    if size < 60 * _NEXT_UNIT_AT:
        return f"{_three_digits(value / 60)} min"
    return f"{_three_digits(value / 3600)} h"


def duration_text(seconds: float) -> str:
    """Write a length of time in its largest whole unit, `7d`, as it is typed; fractions of a second are dropped."""
    whole = max(0, int(seconds))
    for size, unit in _UNITS:
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def _three_digits(number: float) -> str:
    """Write a number without an exponent and without zeros at its end."""
    size = abs(number)
    text = f"{number:.{0 if size >= 99.95 else 1 if size >= 9.995 else 2}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
