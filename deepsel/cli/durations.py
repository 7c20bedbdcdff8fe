"""Lengths of time as people type them (45s, 30m, 12h, 7d, 2w) and read them. Imports nothing: a replayed answer needs it."""

from __future__ import annotations

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST_DIGITS = 9


def parse_duration(text: str) -> float:
    """Read one whole number with its unit as seconds; raises UsageError for anything else."""
    number, unit = text.strip()[:-1], text.strip()[-1:].lower()
    if unit in _SECONDS and number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS:
        return float(int(number) * _SECONDS[unit])
    from deepsel.errors import UsageError

    raise UsageError(f"`{text}` is not a length of time", "write a whole number and s, m, h, d or w, such as `7d`")


def duration_text(seconds: float) -> str:
    """Write a length of time in its largest whole unit, `7d`; fractions of a second are dropped."""
    whole = max(0, int(seconds))
    for unit in ("d", "h", "m"):
        if whole >= _SECONDS[unit]:
            return f"{whole // _SECONDS[unit]}{unit}"
    return f"{whole}s"


def seconds(value: float | None) -> str:
    """Write a duration with a unit that fits; `?` for None."""
    if value is None:
        return "?"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"
