"""A report for machines: the JSON record (a contract), and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from deepsel.bench.figures import rows_of
from deepsel.bench.records import METRICS, BenchReport, Case, Check, Comparison, Result
from deepsel.show import csv
from deepsel.show.record import SCHEMA_VERSION

_CASE = tuple(field.name for field in fields(Case))
_STATISTICS = ("n", "mean", "stdev", "min", "p50", "p90", "p95", "p99", "max")


def record(report: BenchReport) -> dict[str, Any]:
    """Build the record of `--format json`; times in seconds, money as Decimal, unknown as None."""
    return {
        "schema": SCHEMA_VERSION,
        "started_at": report.started_at,
        "tool": report.tool,
        "machine": dict(report.machine),
        "settings": dict(report.settings),
        "is_partial": report.is_partial,
        "cost_usd": report.cost_usd,
        "overhead_usd": report.overhead_usd,
        "cases": [_case(result) for result in report.results],
        "comparisons": [_comparison(one) for one in report.comparisons],
        "checks": [_check(check) for check in report.checks],
        "warnings": list(report.warnings),
    }


def _case(result: Result) -> dict[str, Any]:
    """Build one member of `cases`."""
    distributions = {name: _rounded(asdict(result.distribution(name))) for name in METRICS}
    tokens = sum(sample.output_tokens or 0 for sample in result.answered)
    return {
        **asdict(result.case),
        "requests": len(result.samples),
        "errors": result.errors,
        "wall_s": round(result.wall_s, 6),
        "throughput_tokens_per_s": round(tokens / result.wall_s, 3) if result.wall_s and tokens else None,
        **distributions,
        "cost_usd": result.cost_usd,
        "warnings": list(result.warnings),
        "samples": [_rounded(asdict(sample)) for sample in result.samples],
    }


def _rounded(members: Mapping[str, Any]) -> dict[str, Any]:
    """Round to microseconds, which is finer than any clock's truth here."""
    return {name: _round(value) for name, value in members.items()}


def _round(value: Any) -> Any:
    if isinstance(value, tuple):
        return [round(one, 6) for one in value]
    return round(value, 6) if isinstance(value, float) else value


def _comparison(one: Comparison) -> dict[str, Any]:
    """Build one member of `comparisons`."""
    ratio = one.ratio
    return {
        "case": one.case.label,
        "against": one.against,
        "metric": one.metric,
        "ratio": round(ratio.value, 4),
        "ci95": [round(ratio.low, 4), round(ratio.high, 4)],
        "is_significant": ratio.is_significant,
    }


def _check(check: Check) -> dict[str, Any]:
    """Build one member of `checks`."""
    return {name: _round(value) for name, value in asdict(check).items()}


def csv_text(report: BenchReport) -> str:
    """Return one line for each case and metric, for spreadsheets."""
    heads = [*_CASE, "requests", "failed", "cost_usd", "metric", *_STATISTICS, "p50_low", "p50_high"]
    rows: list[list[Any]] = []
    for result in report.results:
        failed = len(result.samples) - len(result.answered)
        case = [*asdict(result.case).values(), len(result.samples), failed, result.cost_usd]
        for _, metric, _, figures in rows_of(result):
            numbers = [getattr(figures, name) for name in _STATISTICS]
            span = figures.p50_ci95 or (None, None)
            rows.append([*case, metric, *(_round(one) for one in (*numbers, *span))])
    return csv.csv_text(heads, rows)
