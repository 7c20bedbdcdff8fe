"""The statistics against published tables, hand-computed values and injected samples."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.bench import statistics as ours

TABLE = {6: (1, 6), 8: (1, 8), 9: (2, 8), 10: (2, 9), 15: (4, 12), 20: (6, 15), 25: (8, 18), 30: (10, 21), 50: (18, 33)}
"""Ranks of the 95 % interval of a median, as in the tables of nonparametric textbooks."""
SECONDS = st.floats(0.001, 100, allow_nan=False)


@pytest.mark.parametrize(("share", "expected"), [(0, 1.0), (0.25, 2.0), (0.5, 3.0), (0.9, 8.4), (0.95, 10.2), (1, 12.0)])
def test_quantile_is_definition_7(share: float, expected: float) -> None:
    """numpy.quantile([1, 2, 3, 3, 12], share) gives the same, computed by hand: position 4 * share, interpolated."""
    assert ours.quantile([1.0, 2.0, 3.0, 3.0, 12.0], share) == pytest.approx(expected)


def test_description_by_hand() -> None:
    """Mean 5, squared distances 9+1+1+1+0+0+4+16 = 32 over 7."""
    figures = ours.describe([2, 4, 4, 4, 5, 5, 7, 9])
    assert (figures.n, figures.mean, figures.min, figures.p50, figures.max) == (8, 5, 2, 4.5, 9)
    assert figures.stdev == pytest.approx(math.sqrt(32 / 7))
    assert figures.p50_ci95 == (2, 9)


def test_nothing_is_nothing() -> None:
    """What is undefined is None, not 0."""
    empty, single = ours.describe([]), ours.describe([3.0])
    assert (empty.n, empty.mean, empty.p50, empty.p50_ci95) == (0, None, None, None)
    assert (single.stdev, single.p50, single.p50_ci95) == (None, 3.0, None)


@pytest.mark.parametrize("n", TABLE)
def test_interval_of_the_median_is_the_tables(n: int) -> None:
    """The order statistics of the interval are those of the published table."""
    assert ours.quantile_ci(range(1, n + 1), 0.5) == TABLE[n]


def test_interval_needs_enough_values() -> None:
    """Six values for a median, 72 for p95; from 1,000 on the normal approximation gives nearly the same ranks."""
    assert ours.quantile_ci(range(5), 0.5) is None
    assert ours.quantile_ci(range(71), 0.95) is None
    assert ours.quantile_ci(range(72), 0.95) is not None
    exact, approximate = ours.quantile_ci(range(1000), 0.5), ours.quantile_ci(range(1001), 0.5)
    assert exact is not None
    assert approximate is not None
    assert all(abs(a - b) <= 2 for a, b in zip(exact, approximate, strict=True))


def test_interval_covers_as_often_as_it_says() -> None:
    """Of 2,000 skewed samples at least 95 % have the true median in their interval, within the error of counting."""
    rng = random.Random(5)
    covered = 0
    for _ in range(2000):
        interval = ours.quantile_ci(sorted(rng.lognormvariate(0, 1) for _ in range(25)), 0.5)
        assert interval is not None
        covered += interval[0] <= 1.0 <= interval[1]
    assert covered >= 2000 * 0.94


@given(st.lists(SECONDS, min_size=1, max_size=60), st.randoms())
def test_order_does_not_matter(values: list[float], rng: random.Random) -> None:
    """Shuffled samples have the same figures, and their percentiles are in order."""
    shuffled = list(values)
    rng.shuffle(shuffled)
    figures = ours.describe(values)
    assert ours.describe(shuffled) == figures
    assert figures.min is not None
    assert figures.p50 is not None
    assert figures.p95 is not None
    assert figures.p99 is not None
    assert figures.max is not None
    assert figures.min <= figures.p50 <= figures.p95 <= figures.p99 <= figures.max


def test_outliers() -> None:
    """A value ten robust deviations away is one; equal values, few values and small distances are none."""
    usual = [0.40, 0.41, 0.42, 0.43, 0.44, 0.41, 0.42]
    assert ours.outliers([*usual, 2.0]) == [7]
    assert ours.outliers([0.4] * 9 + [2.0]) == []
    assert ours.outliers([1.0, 9.0]) == []
    assert ours.outliers([0.05, 0.05001, 0.05002, 0.05001, 0.05, 0.0511]) == []


def test_drift_is_found_and_noise_is_not() -> None:
    """A later half that is 30 % slower is told with its factor; the same noise throughout is not drift."""
    rng = random.Random(1)
    noise = [rng.gauss(1, 0.1) for _ in range(60)]
    assert ours.drift(noise) is None
    factor = ours.drift([*noise[:30], *(value * 1.3 for value in noise[30:])])
    assert factor == pytest.approx(1.3, abs=0.1)
    assert ours.drift(noise[:10]) is None


def test_rank_sum_by_hand() -> None:
    """Two samples of five without overlap: U is 0, z is -12.5 / sqrt(25 * 11 / 12), p is 0.0090."""
    assert ours.rank_sum_p([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(0.00902, abs=1e-4)
    assert ours.rank_sum_p([1, 3], [2, 2]) == pytest.approx(1)


def test_missed_sends() -> None:
    """An answer of two seconds among many of 0.1 s kept its worker from about 19 more."""
    assert ours.missed_sends([0.1] * 20 + [2.0]) == 19
    assert ours.missed_sends([0.1, 0.12, 0.3] * 5) == 0
    assert ours.missed_sends([]) == 0


# --- comparing -------------------------------------------------------------------------------------------------------


def _latencies(rng: random.Random, n: int, factor: float = 1.0) -> list[float]:
    """Draw skewed latencies, as providers have them: log-normal, with a spread of about 20 %."""
    return [0.4 * factor * rng.lognormvariate(0, 0.2) for _ in range(n)]


def _is_regression(after: Sequence[float], before: Sequence[float], seed: int) -> bool:
    """Judge as `--max-regression 5` does, for one metric."""
    ratio = ours.ratio_of_medians(after, before, rng=random.Random(seed))
    assert ratio is not None
    return ratio.low > 1 and ratio.value > 1.05


def test_noise_is_no_regression() -> None:
    """The same server twice raises a regression in at most 5 % of 400 runs of fifty requests."""
    rng = random.Random(11)
    wrong = sum(_is_regression(_latencies(rng, 50), _latencies(rng, 50), seed) for seed in range(400))
    assert wrong <= 400 * 0.05


def test_a_fifth_slower_is_found() -> None:
    """A true slow-down of 20 % is found in at least 90 % of 200 runs of fifty requests."""
    rng = random.Random(12)
    found = sum(_is_regression(_latencies(rng, 50, 1.2), _latencies(rng, 50), seed) for seed in range(200))
    assert found >= 200 * 0.9


@pytest.mark.parametrize("n", [20, 21])
def test_drawn_medians_are_those_of_resamples(n: int) -> None:
    """The shortcut gives the distribution that resampling gives, for even and odd sizes."""
    rng = random.Random(3)
    ordered = sorted(rng.lognormvariate(0, 0.5) for _ in range(n))
    drawn = sorted(ours._resampled_median(ordered, rng) for _ in range(4000))
    resampled = sorted(ours.quantile(sorted(rng.choices(ordered, k=n)), 0.5) for _ in range(4000))
    for share in (0.1, 0.5, 0.9):
        assert ours.quantile(drawn, share) == pytest.approx(ours.quantile(resampled, share), rel=0.06)


def test_ratio_is_repeatable_and_needs_values() -> None:
    """The same generator gives the same interval; five values a side give none."""
    rng = random.Random(2)
    after, before = _latencies(rng, 30, 1.5), _latencies(rng, 30)
    first, second = (ours.ratio_of_medians(after, before, rng=random.Random(7)) for _ in range(2))
    assert first == second
    assert first is not None
    assert first.is_significant
    assert first.low < first.value < first.high
    assert ours.ratio_of_medians(after[:5], before, rng=rng) is None
