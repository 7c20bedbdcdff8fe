"""Quantiles of a few numbers; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the quantile at `share` in [0, 1], linear between the two nearest values; None of nothing.

    The same as type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996.
    """
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def median(values: Iterable[float]) -> float | None:
    """Return the middle value; None of nothing."""
    return quantile(values, 0.5)
