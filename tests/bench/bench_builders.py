"""Samples and results written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from deepsel.bench.records import BenchReport, Case, Result, Sample


def result(ttft: Sequence[float], *, errors: Sequence[str] = (), warnings: tuple[str, ...] = (), **case: Any) -> Result:
    """Make a load's result with these times to first token, and these failures behind them."""
    samples = [
        Sample(float(place), ttft_s=value, ttfb_s=value / 2, itl_s=(0.01, 0.011), tpot_s=0.01, e2e_s=round(value + 0.02, 6),
               input_tokens=64, output_tokens=3, cost_usd=Decimal("0.0001"))
        for place, value in enumerate(ttft)
    ]  # fmt: skip
    samples += [Sample(float(len(ttft) + place), error=kind, cost_usd=Decimal(0)) for place, kind in enumerate(errors)]
    given = {"model": "quick", "provider": "host", "concurrency": 1, "prompt_tokens": 64, **case}
    return Result(Case(**given), tuple(samples), 2.0, warnings)


def silence(pairs: Sequence[tuple[float, float]], **case: Any) -> Result:
    """Make a silence's result with these cold and warm times."""
    samples = []
    for place, (cold, warm) in enumerate(pairs):
        samples.append(Sample(2.0 * place, "cold", ttft_s=cold, connect_s=0.02, cost_usd=Decimal(0)))
        samples.append(Sample(2.0 * place + 1, "warm", ttft_s=warm, cost_usd=Decimal(0)))
    given = {"model": "quick", "provider": "host", "idle_s": 60.0, "connection": "fresh", "prompt_tokens": 64, **case}
    return Result(Case(**given), tuple(samples), 2.0)


def report(*results: Result, **fields: Any) -> BenchReport:
    """Make a report."""
    given: dict[str, Any] = {
        "started_at": datetime(2026, 11, 25, 12, tzinfo=UTC),
        "tool": "deepsel 0",
        "machine": {"cpus": 2},
        "settings": {"requests": 3},
        "overhead_usd": Decimal("0.0001"),
    }
    return BenchReport(results=results, **{**given, **fields})
