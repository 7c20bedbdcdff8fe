"""Statistics of a stratified sample: a total, its 95 % interval, and which units to look at. Pure.

Separate ratio estimation is refused for its bias with two units a stratum; the combined ratio estimator is used
(Cochran, Sampling Techniques, 3rd ed., 6.11): with size x and value y of each unit,
R = sum_h N_h mean(y_h) / sum_h N_h mean(x_h), total = R X, and
variance = (X / X')^2 sum_h N_h^2 (1 - n_h/N_h) s_h^2 / n_h, s_h^2 the variance of y - R x within stratum h, X' = sum_h N_h mean(x_h).
The interval is Student's, with Satterthwaite's degrees of freedom. It is wider by what may lie where nobody looked: a part so
small that a sample of this size misses it all in one of forty cases (the exact form of the "rule of three", Hanley and
Lippman-Hand, JAMA 249, 1983), and has as much of the value, or as little, as anything can.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_Z = 1.959964
_MISSED = 0.025
"""How likely a part of the size that is allowed for is missed altogether; one side of 95 %."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Units that are alike, and those of them that were looked at."""

    units: int
    """How many there are."""
    seen: tuple[tuple[float, float], ...]
    """(size, value) of each unit that was looked at; two or more, or all."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A total and the 95 % interval around it."""

    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Draw:
    """One stratum before anything is looked at."""

    units: range
    chosen: tuple[int, ...]
    """The units to look at, in order."""


def choose(units: int, wanted: int, *, seed: str) -> list[Draw]:
    """Cut numbered units into runs of neighbours and draw two of each, `wanted` in all; the same seed draws the same."""
    strata = max(1, min(wanted, units) // 2)
    edges = [round(index * units / strata) for index in range(strata + 1)]
    source = random.Random(seed)  # noqa: S311  has to be reproducible, guards nothing
    runs = [range(first, end) for first, end in pairwise(edges)]
    return [Draw(run, tuple(sorted(source.sample(run, min(2, len(run)))))) for run in runs]


def estimate(strata: Sequence[Stratum], size: float, *, most: float | None = None) -> Estimate:
    """Return the total of the values over units whose sizes add up to `size`.

    `most` is the largest value that a size of 1 can have; None leaves out what may lie where nobody looked.
    """
    sizes = sum(stratum.units * _mean([x for x, _ in stratum.seen]) for stratum in strata)
    values = sum(stratum.units * _mean([y for _, y in stratum.seen]) for stratum in strata)
    if not sizes:
        return Estimate(0.0, 0.0, 0.0)
    ratio = values / sizes
    half = _half(strata, ratio) * size / sizes
    unseen = 0.0 if most is None else size * _unseen_share(strata)
    counted = sum(y for stratum in strata for _, y in stratum.seen)
    total = ratio * size
    low = max(counted, total - math.hypot(half, unseen * ratio))
    return Estimate(total, min(total, low), total + math.hypot(half, unseen * max(0.0, (most or 0.0) - ratio)))


def _half(strata: Sequence[Stratum], ratio: float) -> float:
    """Return half of the interval's width, for what was looked at."""
    parts = [(_variance(stratum, ratio), len(stratum.seen) - 1) for stratum in strata]
    variance = sum(part for part, _ in parts)
    if not variance:
        return 0.0
    freedom = variance**2 / sum(part**2 / free for part, free in parts if free > 0 and part)
    return student_95(freedom) * math.sqrt(variance)


def _unseen_share(strata: Sequence[Stratum]) -> float:
    """Return the largest share of the units of which a sample like this may show nothing; 0 where all were seen."""
    seen = sum(len(stratum.seen) for stratum in strata)
    left = sum(stratum.units for stratum in strata) - seen
    return 0.0 if left <= 0 else 1 - _MISSED ** (1 / seen)


def student_95(freedom: float) -> float:
    """Return Student's two-sided 95 % point: exact for 1 and 2 degrees of freedom, by expansion (error < 0.03) above."""
    if freedom < 2:
        return 12.706 if freedom < 1.5 else 6.0
    if freedom < 3:
        return 4.303
    z, n = _Z, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def _variance(stratum: Stratum, ratio: float) -> float:
    """A stratum's part of the variance of the total; 0 where all of it was seen."""
    seen = len(stratum.seen)
    if seen < 2 or seen >= stratum.units:
        return 0.0
    rest = [y - ratio * x for x, y in stratum.seen]
    middle = _mean(rest)
    spread = sum((one - middle) ** 2 for one in rest) / (seen - 1)
    return stratum.units**2 * (1 - seen / stratum.units) * spread / seen


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
