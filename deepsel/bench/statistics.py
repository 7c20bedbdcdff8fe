"""Statistics of latencies: pure functions of numbers, each with its definition. None where something is undefined.

All are unchanged by the order of their samples, but those whose name says `drift` or `missed`, which are about it.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

MIN_FOR_P95 = 20
MIN_FOR_P99 = 100
"""With fewer samples the percentile is hardly more than the largest of them: less than one is expected above it."""
MIN_FOR_RATIO = 6
"""With fewer on a side a median has no interval of 95 %."""
OUTLIER_MADS = 10 * 1.4826
"""Distance from the median, in median absolute deviations, that stands for ten standard deviations of a normal sample."""
_REPLICATES = 4000
_EXACT_UP_TO = 1000


@dataclass(frozen=True, slots=True)
class Distribution:
    """A sample in numbers; a percentile is `quantile`, an interval is `quantile_ci`."""

    n: int
    mean: float | None = None
    stdev: float | None = None
    """Of the sample (n - 1); None below two values."""
    min: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    p50_ci95: tuple[float, float] | None = None
    """None: too few values (below 6) for an interval of 95 %."""
    p95_ci95: tuple[float, float] | None = None
    """None: below 72 values the upper bound would have to lie above the largest."""


def describe(values: Sequence[float]) -> Distribution:
    """Sum up a sample."""
    if not values:
        return Distribution(0)
    ordered = sorted(values)
    n = len(ordered)
    mean = math.fsum(ordered) / n
    stdev = math.sqrt(math.fsum((value - mean) ** 2 for value in ordered) / (n - 1)) if n > 1 else None
    p50, p90, p95, p99 = (quantile(ordered, share) for share in (0.5, 0.9, 0.95, 0.99))
    return Distribution(
        n, mean, stdev, ordered[0], p50, p90, p95, p99, ordered[-1], quantile_ci(ordered, 0.5), quantile_ci(ordered, 0.95)
    )  # fmt: skip


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values: at position (n - 1) * share from 0, interpolated between its neighbours.

    Definition 7 of Hyndman and Fan (1996), the default of numpy and R.
    """
    position = (len(ordered) - 1) * share
    below = math.floor(position)
    rest = position - below
    return ordered[below] if not rest else ordered[below] + rest * (ordered[below + 1] - ordered[below])


def quantile_ci(ordered: Sequence[float], share: float, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return an interval that holds the population's quantile, from order statistics of sorted values; assumes no shape.

    The number of values below the quantile is binomial (n, share): the bounds are the innermost pair of ranks, each of
    which is passed with probability (1 - confidence) / 2 at most. None where even the extremes are not enough.
    """
    n, tail = len(ordered), (1 - confidence) / 2
    if n > _EXACT_UP_TO:
        spread = _normal_quantile(1 - tail) * math.sqrt(n * share * (1 - share))
        low, high = math.floor(n * share - spread), math.ceil(n * share + spread) + 1
        return (ordered[low - 1], ordered[high - 1]) if low >= 1 and high <= n else None
    cumulated, low, high = 0.0, 0, 0
    for k in range(n):  # P(exactly k values lie below)
        before, cumulated = cumulated, cumulated + math.comb(n, k) * share**k * (1 - share) ** (n - k)
        if before <= tail < cumulated:
            low = k
        if before < 1 - tail <= cumulated:
            high = k + 1
    return (ordered[low - 1], ordered[high - 1]) if low and high else None


def outliers(values: Sequence[float]) -> list[int]:
    """Return the places of values further from the median than OUTLIER_MADS, and than a tenth of it.

    Empty where half of the values are equal, or there are fewer than five.
    """
    if len(values) < 5:
        return []
    ordered = sorted(values)
    middle = quantile(ordered, 0.5)
    spread = quantile(sorted(abs(value - middle) for value in values), 0.5)
    far = max(OUTLIER_MADS * spread, abs(middle) / 10)
    return [place for place, value in enumerate(values) if spread and abs(value - middle) > far]


def drift(values: Sequence[float]) -> float | None:
    """Return by which factor the later half's median differs from the earlier half's; None where that may be chance.

    Chance: the rank sum test of the halves gives p >= 0.01, or the medians differ by less than 10 %.
    """
    half = len(values) // 2
    if half < 10:
        return None
    early, late = sorted(values[:half]), sorted(values[-half:])
    factor = quantile(late, 0.5) / quantile(early, 0.5) if quantile(early, 0.5) > 0 else 1.0
    is_large = max(factor, 1 / factor) >= 1.1 if factor > 0 else False
    return factor if is_large and rank_sum_p(early, late) < 0.01 else None


def rank_sum_p(ordered_a: Sequence[float], ordered_b: Sequence[float]) -> float:
    """Return the two-sided p of the rank sum test of two sorted samples (Mann-Whitney, normal approximation, no ties)."""
    n, m = len(ordered_a), len(ordered_b)
    wins = sum((bisect_left(ordered_b, a) + bisect_right(ordered_b, a)) / 2 for a in ordered_a)
    z = (wins - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def missed_sends(durations_s: Sequence[float]) -> int:
    """Return how many requests a closed loop did not send since one took over ten times the median: coordinated omission.

    While such a request lasts, its worker would have sent one request each median; their latency is in no percentile.
    """
    if not durations_s:
        return 0
    usual = quantile(sorted(durations_s), 0.5)
    return sum(int(one / usual) - 1 for one in durations_s if usual > 0 and one > 10 * usual)


# --- comparing two samples -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of one sample over that of another, with an interval."""

    value: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves out 1."""
        return self.low > 1 or self.high < 1


def ratio_of_medians(
    after: Sequence[float], before: Sequence[float], *, rng: random.Random, confidence: float = 0.95
) -> Ratio | None:
    """Return median(after) / median(before) with its bootstrap percentile interval; None below MIN_FOR_RATIO values a side or at 0.

    The median of a resample is drawn at once: its rank has a beta distribution, so that nothing is resampled.
    """
    top, bottom = sorted(after), sorted(before)
    if min(len(top), len(bottom)) < MIN_FOR_RATIO or bottom[0] <= 0:
        return None
    ratios = sorted(_resampled_median(top, rng) / _resampled_median(bottom, rng) for _ in range(_REPLICATES))
    tail = (1 - confidence) / 2
    value = quantile(top, 0.5) / quantile(bottom, 0.5)
    return Ratio(value, quantile(ratios, tail), quantile(ratios, 1 - tail))


def _resampled_median(ordered: Sequence[float], rng: random.Random) -> float:
    """Draw the median of a sample with replacement: of n uniform numbers the k-th smallest is Beta(k, n + 1 - k)."""
    n = len(ordered)
    k = (n + 1) // 2
    lower = rng.betavariate(k, n + 1 - k)
    one = ordered[int(lower * n)]
    if n % 2:
        return one
    upper = lower + (1 - lower) * rng.betavariate(1, n - k)  # the next one, given that one
    return (one + ordered[min(n - 1, int(upper * n))]) / 2


def _normal_quantile(share: float) -> float:
    """Return the quantile of the standard normal distribution."""
    import statistics

    return statistics.NormalDist().inv_cdf(share)
