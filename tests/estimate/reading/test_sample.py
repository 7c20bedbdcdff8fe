"""The statistics of a sample: exact where all was seen, and an interval that holds what it promises."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.estimate.reading.sample import Estimate, Stratum, choose, estimate, student_95


@given(st.integers(0, 500), st.integers(2, 64), st.text(max_size=5))
def test_strata_hold_each_unit_once(units: int, wanted: int, seed: str) -> None:
    """Runs follow each other from the first unit to the last; two of each are drawn, or all where there are fewer."""
    draws = choose(units, wanted, seed=seed)
    assert [unit for draw in draws for unit in draw.units] == list(range(units))
    for draw in draws:
        assert len(set(draw.chosen)) == min(2, len(draw.units))
        assert set(draw.chosen) <= set(draw.units)
    assert sum(len(draw.chosen) for draw in draws) <= max(wanted, 2)
    assert draws == choose(units, wanted, seed=seed)


def test_another_seed_draws_others() -> None:
    """The seed decides what is drawn."""
    assert choose(1000, 32, seed="1") != choose(1000, 32, seed="2")


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 1e6)), min_size=1, max_size=20))
def test_all_seen_is_exact(units: list[tuple[float, float]]) -> None:
    """Where every unit was looked at, the total is their sum and the interval has no width."""
    strata = [Stratum(1, (unit,)) for unit in units]
    one = estimate(strata, sum(size for size, _ in units))
    total = sum(value for _, value in units)
    assert math.isclose(one.total, total, rel_tol=1e-9, abs_tol=1e-6)
    assert one.low == one.high == one.total


def test_values_in_proportion_to_size_leave_no_doubt() -> None:
    """A constant ratio of tokens to bytes gives the exact total from any sample."""
    strata = [Stratum(50, ((10.0, 30.0), (20.0, 60.0))), Stratum(50, ((5.0, 15.0), (8.0, 24.0)))]
    one = estimate(strata, 1000.0)
    assert one.total == pytest.approx(3000.0)
    assert one.high - one.low == pytest.approx(0.0, abs=1e-6)


def test_nothing_is_nothing() -> None:
    """No bytes, no tokens."""
    assert estimate([Stratum(3, ((0.0, 0.0), (0.0, 0.0)))], 0.0) == Estimate(0.0, 0.0, 0.0)


def test_a_worked_example() -> None:
    """Two strata worked by hand: ratio 0.5, variance from each stratum's residuals, Student's point at 2 degrees."""
    strata = [Stratum(10, ((10.0, 4.0), (10.0, 6.0))), Stratum(10, ((10.0, 4.0), (10.0, 6.0)))]
    one = estimate(strata, 200.0)
    # Residuals -1 and 1: s^2 = 2; each stratum 100 * 0.8 * 2 / 2 = 80; together 160; equal parts have 2 degrees.
    assert one.total == pytest.approx(100.0)
    assert one.high == pytest.approx(100.0 + 4.303 * math.sqrt(160.0), rel=1e-3)
    assert one.low == pytest.approx(max(20.0, 100.0 - 4.303 * math.sqrt(160.0)), rel=1e-3)


@pytest.mark.parametrize(
    ("freedom", "point"), [(3, 3.1824), (4, 2.7764), (5, 2.5706), (8, 2.306), (16, 2.1199), (30, 2.0423), (100, 1.984)]
)
def test_students_point(freedom: int, point: float) -> None:
    """The expansion is within 0.04 of the true point (any table of Student's distribution, two-sided 95 %)."""
    assert student_95(freedom) == pytest.approx(point, abs=0.04)


def _population(kind: str, source: random.Random) -> list[tuple[float, float]]:
    """(size, value) of the units of a made-up file or folder."""
    units = []
    for index in range(400):
        size = 64.0 if kind != "files" else source.lognormvariate(3, 1)
        ratio = {"even": 0.25, "drift": 0.2 + index / 2000, "halves": 0.2 if index < 200 else 0.6, "files": 0.3}[kind]
        units.append((size, size * ratio * source.gauss(1, 0.15)))
    return sorted(units) if kind == "files" else units


@pytest.mark.parametrize("kind", ["even", "drift", "halves", "files"])
def test_the_interval_holds_the_truth_in_95_of_100_cases(kind: str) -> None:
    """Over 600 drawn samples of several kinds of files, the 95 % interval holds the true total in 92 to 98 % of them."""
    source = random.Random(kind)
    hits = 0
    for trial in range(600):
        units = _population(kind, source)
        strata = [
            Stratum(len(draw.units), tuple(units[index] for index in draw.chosen)) for draw in choose(400, 32, seed=str(trial))
        ]
        one = estimate(strata, sum(size for size, _ in units))
        hits += one.low <= sum(value for _, value in units) <= one.high
    assert 0.92 <= hits / 600 <= 0.98


DENSE, USUAL, MOST = 0.75, 0.22, 1.0


@pytest.mark.parametrize("runs", [0, 1, 2, 3, 5, 10, 40, 200])
@pytest.mark.parametrize("run", [1, 8, 200])
def test_a_rare_dense_part_is_allowed_for(runs: int, run: int) -> None:
    """However rare the dense units are, and whether alone or in runs: at least 190 of 200 intervals hold the total."""
    source = random.Random(runs * 1000 + run)
    units = [(1.0, USUAL * source.gauss(1, 0.1)) for _ in range(20_000)]
    for _ in range(runs):
        first = source.randrange(len(units) - run)
        units[first : first + run] = [(1.0, DENSE)] * run
    total, held = sum(value for _, value in units), 0
    for trial in range(200):
        strata = [Stratum(len(draw.units), tuple(units[one] for one in draw.chosen)) for draw in choose(20_000, 1024, seed=f"{trial}")]
        one = estimate(strata, 20_000.0, most=MOST)
        held += one.low <= total <= one.high
    assert held >= 190


def test_without_a_look_at_all_of_it_there_is_doubt() -> None:
    """Units that are all alike leave the doubt of what was not seen; none is left where all were."""
    seen = tuple((1.0, 0.25) for _ in range(100))
    one = estimate([Stratum(1000, seen)], 1000.0, most=1.0)
    missed = 1 - 0.025 ** (1 / 100)
    assert one.high == pytest.approx(250 + 1000 * missed * 0.75)
    assert one.low == pytest.approx(250 - 1000 * missed * 0.25)
    assert estimate([Stratum(100, seen)], 100.0, most=1.0) == Estimate(25.0, 25.0, 25.0)
