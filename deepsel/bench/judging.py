"""What the figures are worth: warnings that teach, comparisons, checks; pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from deepsel.bench.records import Case, Check, Comparison, Result, Sample
from deepsel.bench.statistics import (
    MIN_FOR_P95,
    MIN_FOR_P99,
    MIN_FOR_RATIO,
    describe,
    drift,
    missed_sends,
    outliers,
    quantile,
    ratio_of_medians,
)
from deepsel.show.money import exact_usd

COMPARED = ("ttft_s", "tpot_s")
"""Of a load; of silences `cold_ttft_s`. Few, since every comparison more is one more chance to be misled."""
BASELINE = "baseline"
_SEED = 1
"""Fixed, so that the same samples give the same verdict."""
_LATE_S = 0.005


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows; None: anything."""

    ttft_p95_s: float | None = None
    error_rate: float | None = None
    regression_pct: float | None = None
    cost_usd: Decimal | None = None


# --- warnings --------------------------------------------------------------------------------------------------------


def warnings_of(result: Result, *, shares_prefix: bool) -> list[str]:
    """List what a reader of a case's figures should know, and what can be done about it."""
    found = _about_size(result) + _about_shape(result)
    answered = result.answered
    if result.case.concurrency is not None:
        missed = missed_sends([sample.e2e_s for sample in answered if sample.e2e_s is not None])
        if missed:
            found.append(
                f"a closed loop waits while an answer stalls: about {missed} requests were not sent meanwhile, so p95 and p99 "
                "look better than they are; an open loop (`--rate`) counts them"
            )
    late = sorted(sample.late_s for sample in answered if sample.late_s is not None)
    if late and quantile(late, 0.95) > _LATE_S:
        found.append(f"this machine sent late (p95 {quantile(late, 0.95) * 1000:.0f} ms), which is in the figures; lower `--rate`")
    cached = sum(1 for sample in answered if sample.cached_input_tokens)
    if cached and not shares_prefix:
        found.append(f"{cached} of {len(answered)} requests were partly served from the provider's prefix cache")
    return found + _about_answers(answered) + _about_connections(result)


def _about_answers(answered: Sequence[Sample]) -> list[str]:
    """Say why answers have no time to first token."""
    without = [sample for sample in answered if sample.ttft_s is None]
    whole = sum(1 for sample in without if sample.form == "whole")
    calls = sum(1 for sample in without if sample.tool_calls and sample.form != "whole")
    reasons = (
        (whole, "came whole and not as the stream that was asked for, so that there is no time to first token"),
        (calls, "are calls of tools without text, so that there is no time to first token"),
        (len(without) - whole - calls, "hold no text, only reasoning; raise `--max-tokens`"),
    )
    return [f"{count} of {len(answered)} answers {reason}" for count, reason in reasons if count]


def _about_size(result: Result) -> list[str]:
    """Say which percentiles there are too few samples for."""
    n = len(result.values("ttft_s"))
    if result.case.idle_s is not None:
        n = len(result.values("cold_penalty_s"))
        return [f"{n} rounds are too few for an interval of 95 %; 6 are needed (`--rounds`)"] if 0 < n < 6 else []
    if 0 < n < MIN_FOR_P95:
        return [f"{n} samples are too few for p95 and p99, which are hardly more than the largest; {MIN_FOR_P99} are needed for p99 (`-n`)"]
    return [f"{n} samples are too few for p99; {MIN_FOR_P99} are needed (`-n`)"] if 0 < n < MIN_FOR_P99 else []


def _about_shape(result: Result) -> list[str]:
    """Say what the times to first token look like over the run."""
    values = result.values("ttft_s")
    if result.case.idle_s is not None:
        return []
    found, far = [], outliers(values)
    if far == [0]:
        found.append("the first request was far slower than the others: raise `--warmup`, or measure that with `--idle`")
    elif far:
        shown = ", ".join(f"{values[place] * 1000:.0f} ms" for place in far[:3]) + (", ..." if len(far) > 3 else "")
        found.append(f"{len(far)} outlier{'s' if len(far) > 1 else ''} ({shown}): look for other load, limits or pauses on either side")
    factor = drift(values)
    if factor is not None:
        found.append(f"the later half took {factor:.2f} times as long as the earlier: conditions changed during the run; run it again")
    return found


def _about_connections(result: Result) -> list[str]:
    """Say how many connections were not what the case says."""
    case, cold = result.case, [sample for sample in result.answered if sample.role == "cold"]
    new = sum(1 for sample in cold if sample.connect_s is not None)
    if case.connection == "kept" and new:
        return [f"{new} of {len(cold)} connections had been closed during the silence, so that new ones were opened"]
    if case.concurrency is not None or case.rate is not None:
        new = len(result.values("connect_s"))
        if new > len(result.answered) / 10 and case.concurrency is not None:
            return [f"{new} of {len(result.answered)} requests needed a new connection: the provider does not keep them open"]
    return []


# --- comparisons -----------------------------------------------------------------------------------------------------


def compare_models(results: Sequence[Result]) -> list[Comparison]:
    """Compare, where several models were asked in the same way, each with the one of the smallest median."""
    pairs = []
    ways = dict.fromkeys(result.case.how for result in results)
    for how in ways:
        for metric in COMPARED if not any(one.case.idle_s for one in results) else ("cold_ttft_s",):
            of_way = [one for one in results if one.case.how == how and one.values(metric)]
            if len(of_way) > 1:
                best = min(of_way, key=lambda one: describe(one.values(metric)).p50 or 0.0)
                pairs += [(one, best, best.case.model, metric) for one in of_way if one is not best]
    return _compared(pairs)


def compare_baseline(results: Sequence[Result], baseline: Sequence[Result]) -> list[Comparison]:
    """Compare each case with the same case of an earlier run."""
    before = {one.case: one for one in baseline}
    pairs = []
    for result in results:
        old = before.get(result.case)
        for metric in _metrics(result):
            if old is not None and result.values(metric) and old.values(metric):
                pairs.append((result, old, BASELINE, metric))
    return _compared(pairs)


def _metrics(result: Result) -> tuple[str, ...]:
    """Name what is compared of a case."""
    return ("cold_ttft_s",) if result.case.idle_s is not None else COMPARED


def _compared(pairs: Sequence[tuple[Result, Result, str, str]]) -> list[Comparison]:
    """Compare pairs; all intervals together hold in 95 % of the runs (Bonferroni)."""
    rng = random.Random(_SEED)  # noqa: S311 - a bootstrap, repeatable on purpose
    found = []
    for after, before, against, metric in pairs:
        ratio = ratio_of_medians(after.values(metric), before.values(metric), rng=rng, confidence=1 - 0.05 / len(pairs))
        if ratio is not None:
            found.append(Comparison(after.case, against, metric, ratio))
    return found


def missing_in(baseline: Sequence[Result], cases: Sequence[Case]) -> list[Case]:
    """List the cases that a baseline does not have."""
    known = {one.case for one in baseline}
    return [case for case in cases if case not in known]


# --- checks ----------------------------------------------------------------------------------------------------------


def checks_of(
    results: Sequence[Result],
    baseline: Sequence[Result],
    comparisons: Sequence[Comparison],
    limits: Limits,
    cost_usd: Decimal | None,
) -> list[Check]:
    """Hold what was measured against every limit that was given; what could not be checked has failed."""
    found = _unmeasured(limits) if not results else []
    for result in results:
        if limits.ttft_p95_s is not None:
            p95 = result.distribution("ttft_s").p95
            shown = "no answer" if p95 is None else f"p95 of the time to first token {p95:.3f} s"
            found.append(_check("--max-ttft-p95", result.case, limits.ttft_p95_s, p95, f"{shown}; {limits.ttft_p95_s:g} s allowed"))
        if limits.error_rate is not None:
            rate, failed = result.error_rate, len(result.samples) - len(result.answered)
            words = f"{failed} of {len(result.samples)} requests failed; a share of {limits.error_rate:g} allowed"
            found.append(_check("--max-error-rate", result.case, limits.error_rate, rate, words))
    if limits.regression_pct is not None:
        with_baseline = [one for one in comparisons if one.against == BASELINE]
        found += [_regression(one, limits.regression_pct) for one in with_baseline]
        found += _uncompared(results, baseline, with_baseline, limits.regression_pct)
    if limits.cost_usd is not None:
        passed = cost_usd is not None and cost_usd <= limits.cost_usd
        cost = "an unknown amount" if cost_usd is None else exact_usd(cost_usd)
        words = f"the run cost {cost}; {exact_usd(limits.cost_usd)} allowed"
        found.append(Check("--max-cost", "", limits.cost_usd, cost_usd, passed, words))
    return found


def _unmeasured(limits: Limits) -> list[Check]:
    """Fail the limits on a case where there is no case."""
    given = {"--max-ttft-p95": limits.ttft_p95_s, "--max-error-rate": limits.error_rate, "--max-regression": limits.regression_pct}
    return [
        Check(name, "", limit, None, False, "could not be checked: nothing was measured")
        for name, limit in given.items()
        if limit is not None
    ]


def _uncompared(
    results: Sequence[Result], baseline: Sequence[Result], compared: Sequence[Comparison], limit_pct: float
) -> list[Check]:
    """Fail each comparison that could not be made. A time per token that neither run could measure is none."""
    before, made = {one.case: one for one in baseline}, {(one.case, one.metric) for one in compared}
    found = []
    for result in results:
        old = before.get(result.case)
        for metric in _metrics(result):
            counts = [len(one.values(metric)) if one else 0 for one in (result, old)]
            if (result.case, metric) in made or (metric == "tpot_s" and old is not None and max(counts) < MIN_FOR_RATIO):
                continue
            why = f"{counts[0]} samples here and {counts[1]} in the baseline, {MIN_FOR_RATIO} are needed of each"
            words = f"{result.case.label}: could not be checked: {'the baseline has no such case' if old is None else why}"
            found.append(Check(f"--max-regression {metric}", result.case.label, limit_pct, None, False, words))
    return found


def _check(name: str, case: Case, limit: float, value: float | None, words: str) -> Check:
    return Check(name, case.label, limit, value, value is not None and value <= limit, f"{case.label}: {words}")


def _regression(comparison: Comparison, limit_pct: float) -> Check:
    """Fail where the slow-down is both beyond chance and larger than allowed."""
    ratio = comparison.ratio
    slower_pct = (ratio.value - 1) * 100
    is_one = ratio.low > 1 and slower_pct > limit_pct
    words = f"{comparison.text}; {limit_pct:g} % allowed"
    return Check(f"--max-regression {comparison.metric}", comparison.case.label, limit_pct, slower_pct, not is_one, words)
