"""Counts and sizes as people read them."""

from __future__ import annotations


def count(number: int | None) -> str:
    """Write a count with separators; `?` for None."""
    return "?" if number is None else f"{number:,}"


def short_count(number: int) -> str:
    """Write a count in three digits and a unit: `12.3k`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def size(count: int) -> str:
    """Write bytes with a unit that fits."""
    number = float(count)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}" if unit != "B" else f"{count} B"
        number /= 1000
    return f"{number:,.3g} GB" if number < 1000 else f"{number:,.0f} GB"


def plain_number(value: float | None) -> str:
    """Write a number in three digits; a dash for None."""
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def percent(share: float | None) -> str:
    """Write a share in [0, 1] in whole percent; a dash for None."""
    return "-" if share is None else f"{share:.0%}"
