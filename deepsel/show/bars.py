"""Bars and histograms of one line, in eighths of a block, or in ASCII where a terminal has no blocks."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588"
_LEVELS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII_LEVELS = "_:-=+*%#"


def bar(share: float, columns: int, *, has_blocks: bool) -> str:
    """Draw a share in [0, 1] over at most so many columns; what is not nothing shows."""
    share = min(1.0, max(0.0, share))
    if not has_blocks:
        return "#" * max(1, round(share * columns)) if share else ""
    eighths = max(1, round(share * columns * 8)) if share else 0
    return (_EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def sparkline(values: Sequence[float], *, has_blocks: bool, nothing: str = " ") -> str:
    """Draw one character a value, the highest for the greatest; `nothing` stands for 0, and for nothing else."""
    levels = _LEVELS if has_blocks else _ASCII_LEVELS
    most = max(values, default=0)
    return "".join(levels[round(value / most * (len(levels) - 1))] if value > 0 else nothing for value in values)


def histogram(values: Sequence[float], bins: int) -> list[int]:
    """Count values in equal bins from the smallest to the largest; one bin where all are equal."""
    low, high = min(values), max(values)
    found = [0] * (bins if high > low else 1)
    for value in values:
        place = int((value - low) / (high - low) * bins) if high > low else 0
        found[min(place, len(found) - 1)] += 1
    return found
