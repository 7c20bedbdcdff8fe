"""Warnings teach, comparisons are careful, checks name what they failed on."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from deepsel.bench.judging import Limits, checks_of, compare_baseline, compare_models, missing_in, warnings_of
from deepsel.bench.records import Result, Sample

sys.path.insert(0, str(Path(__file__).parent))
from bench_builders import result, silence


def noise(seed: int, factor: float = 1.0, n: int = 50) -> list[float]:
    """Skewed latencies."""
    rng = random.Random(seed)
    return [0.4 * factor * rng.lognormvariate(0, 0.2) for _ in range(n)]


def noisy(seed: int, factor: float = 1.0) -> Result:
    """Fifty requests of a provider, both of whose compared metrics are noise; `factor` slows the first token."""
    one = result(noise(seed, factor))
    paces = noise(seed + 500_000)
    return replace(one, samples=tuple(replace(row, tpot_s=pace / 40) for row, pace in zip(one.samples, paces, strict=True)))


def told(one: Result, *, shares_prefix: bool = False) -> str:
    return "\n".join(warnings_of(one, shares_prefix=shares_prefix))


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (result(noise(1, n=10)), "10 samples are too few for p95"),
        (result(noise(1, n=50)), "50 samples are too few for p99"),
        (result([9.0, *noise(1, n=30)]), "the first request was far slower"),
        (result([*noise(1, n=30), 9.0]), "1 outlier ("),
        (result([*noise(1, n=30), *noise(2, 1.5, n=30)]), "conditions changed during the run"),
        (result([0.1] * 20 + [3.0]), "an open loop (`--rate`) counts them"),
        (silence([(1.0, 0.2)] * 3), "3 rounds are too few"),
        (silence([(1.0, 0.2)] * 6, connection="kept"), "6 of 6 connections had been closed"),
    ],
)
def test_what_is_warned_of(one: Result, words: str) -> None:
    """Each weakness of a sample is said, with what to do about it."""
    assert words in told(one)


def test_answers_without_a_first_token_are_named() -> None:
    """What came whole, what calls tools and what only reasons have no time to first token, each for its own reason."""
    one = result([0.4] * 4)
    whole = Sample(4.0, form="whole", e2e_s=1.0)
    samples = (*one.samples, whole, replace(whole, tool_calls=1), Sample(5.0, tool_calls=2, e2e_s=1.0), Sample(6.0, e2e_s=1.0))
    words = told(replace(one, samples=samples))
    assert "2 of 8 answers came whole and not as the stream that was asked for" in words
    assert "1 of 8 answers are calls of tools without text" in words
    assert "1 of 8 answers hold no text, only reasoning" in words


def test_a_good_sample_is_not_warned_of() -> None:
    """A hundred steady requests, and six rounds on fresh connections, raise nothing."""
    assert told(result([0.4 + 0.001 * (place * 7 % 11) for place in range(100)])) == ""
    assert told(silence([(1.0, 0.2)] * 6)) == ""


def test_models_are_compared_with_the_fastest() -> None:
    """Of models asked in the same way each is held against the one of the smallest median, per metric."""
    fast, slow = result(noise(1), model="fast"), result(noise(2, 1.5), model="slow")
    first, per_token = compare_models([slow, fast])
    assert (first.case.model, first.against, first.metric) == ("slow", "fast", "ttft_s")
    assert first.ratio.is_significant
    assert first.ratio.value == pytest.approx(1.5, abs=0.15)
    assert not per_token.ratio.is_significant
    assert compare_models([fast, result(noise(1), model="other", concurrency=8)]) == []


def test_regression_is_significant_and_large() -> None:
    """Slower beyond chance and beyond the limit fails; either alone does not."""
    before = [result(noise(1))]
    verdicts = {}
    for name, after in {"slower": noise(2, 1.4), "a little": noise(2, 1.12), "same": noise(3)}.items():
        found = compare_baseline([result(after)], before)
        checks = checks_of([result(after)], before, found, Limits(regression_pct=20), None)
        verdicts[name] = [check.passed for check in checks if "ttft_s" in check.name]
    assert verdicts == {"slower": [False], "a little": [True], "same": [True]}
    few = compare_baseline([result([9.0] * 5)], before)
    assert few == []


def test_noise_passes_nineteen_times_in_twenty() -> None:
    """The same server twice, two hundred times, over all metrics of a run: at most 5 % of the runs fail."""
    failed = 0
    for seed in range(200):
        after, before = [noisy(1000 + seed)], [noisy(5000 + seed)]
        checks = checks_of(after, before, compare_baseline(after, before), Limits(regression_pct=0), None)
        failed += not all(check.passed for check in checks)
    assert failed <= 10


def test_a_fifth_slower_fails_nine_times_in_ten() -> None:
    """A first token that comes 20 % later fails a run of fifty requests at least 90 times in a hundred, by its own check."""
    found = 0
    for seed in range(200):
        after, before = [noisy(1000 + seed, 1.2)], [noisy(5000 + seed)]
        checks = checks_of(after, before, compare_baseline(after, before), Limits(regression_pct=5), None)
        found += any(not check.passed for check in checks if "ttft_s" in check.name)
    assert found >= 180


def test_other_cases_are_not_compared() -> None:
    """A case that the baseline has under another load is missing in it."""
    before, after = [result(noise(1), concurrency=8)], [result(noise(1))]
    assert compare_baseline(after, before) == []
    assert missing_in(before, [after[0].case]) == [after[0].case]


def test_checks_hold_limits() -> None:
    """Percentile, share of failures and cost are each held against their limit, and name themselves."""
    one = result([0.1] * 9, errors=["server"])
    limits = Limits(ttft_p95_s=0.2, error_rate=0.05, cost_usd=Decimal("0.01"))
    checks = {check.name: check for check in checks_of([one], [], [], limits, Decimal("0.02"))}
    assert {name: check.passed for name, check in checks.items()} == {
        "--max-ttft-p95": True,
        "--max-error-rate": False,
        "--max-cost": False,
    }
    assert "1 of 10 requests failed" in checks["--max-error-rate"].text
    nothing = checks_of([result([], errors=["server"])], [], [], Limits(ttft_p95_s=1.0), None)
    assert (nothing[0].value, nothing[0].passed) == (None, False)


def failed(after: list[Result], before: list[Result]) -> list[str]:
    """What `--max-regression` says that did not pass."""
    checks = checks_of(after, before, compare_baseline(after, before), Limits(regression_pct=1000), None)
    return [check.text for check in checks if not check.passed]


def test_what_could_not_be_compared_has_failed() -> None:
    """Too few samples on a side, another case, or no answer at all are no evidence: each fails, and says why."""
    many, few = result(noise(1)), result(noise(2, n=5))
    assert failed([many], [many]) == []
    assert all("5 samples here and 50 in the baseline, 6 are needed of each" in text for text in failed([few], [many]))
    assert len(failed([few], [many])) == len(failed([many], [few])) == 2
    assert "the baseline has no such case" in failed([replace(many, case=replace(many.case, prompt_tokens=128))], [many])[0]
    assert "0 samples here" in failed([result([], errors=["server"] * 9)], [many])[0]


def test_a_pace_that_neither_run_has_is_none() -> None:
    """Where all answers come in one piece the first token alone is compared; where only one run's do, that is said."""
    many = result(noise(1))
    whole = replace(many, samples=tuple(replace(one, tpot_s=None) for one in many.samples))
    assert failed([whole], [whole]) == []
    assert len(failed([whole], [many])) == len(failed([many], [whole])) == 1


def test_no_limit_passes_where_nothing_was_measured() -> None:
    """Without a case each limit on cases fails."""
    checks = checks_of([], [], [], Limits(ttft_p95_s=9.0, error_rate=1.0, regression_pct=9.0, cost_usd=Decimal(9)), Decimal(0))
    assert {check.name: check.passed for check in checks} == {
        "--max-ttft-p95": False,
        "--max-error-rate": False,
        "--max-regression": False,
        "--max-cost": True,
    }
