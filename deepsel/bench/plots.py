"""Plots of a case as inline SVG: how its times are spread, how they went over the run, cold beside warm."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from deepsel.bench.records import Result
from deepsel.bench.statistics import describe
from deepsel.show import svg
from deepsel.show.bars import histogram
from deepsel.show.durations import seconds

_HEIGHT = 120
_BELOW = 20
"""For the labels of an axis."""
_BINS = 48


def distribution(values: Sequence[float], title: str) -> str:
    """Draw a histogram with marks at the median and at p95."""
    if not values:
        return ""
    counts, figures = histogram(values, _BINS), describe(values)
    low, high = min(values), max(values)
    parts = [svg.uprights(counts, [str(count) for count in counts], height=_HEIGHT)]
    for row, (name, value) in enumerate((("p50", figures.p50), ("p95", figures.p95))):
        if value is not None and high > low:
            parts.append(svg.mark((value - low) / (high - low), f"{name} {seconds(value)}", row=row, height=_HEIGHT))
    return _drawn(title, parts, seconds(low), seconds(high))


def timeline(result: Result) -> str:
    """Draw each request's time to first token over the time it was sent; failures are crosses at the bottom."""
    times = [sample.ttft_s for sample in result.answered if sample.ttft_s is not None]
    if not result.samples or not times:
        return ""
    start, end = result.samples[0].at_s, result.samples[-1].at_s
    span, top = (end - start) or 1.0, max(times)
    parts = [f'<text class="value" x="0" y="10">{seconds(top)}</text>']
    for sample in result.samples:
        x = 100 * (sample.at_s - start) / span
        if sample.error is not None:
            tip = f"<title>{escape(sample.error)}</title>"
            parts.append(f'<text class="fail" x="{x:.2f}%" y="{_HEIGHT}" text-anchor="middle">×{tip}</text>')
        elif sample.ttft_s is not None:
            y = _HEIGHT - (_HEIGHT - 16) * sample.ttft_s / top
            kind = "cold" if sample.role == "cold" else "dot"
            parts.append(f'<circle class="{kind}" cx="{x:.2f}%" cy="{y:.1f}" r="3"><title>{seconds(sample.ttft_s)}</title></circle>')
    return _drawn("Time to first token over the run", parts, "0 s", seconds(span))


def cold_warm(result: Result) -> str:
    """Draw a line for each round from its warm to its cold time to first token."""
    cold, warm = result.values("cold_ttft_s"), result.values("warm_ttft_s")
    if not cold or not warm:
        return ""
    top = max(*cold, *warm)
    parts = []
    for place, (first, second) in enumerate(zip(cold, warm, strict=False)):
        y, x1, x2 = 14 + 18 * place, 100 * second / top, 100 * first / top
        parts.append(
            f'<line class="grid" x1="{x1:.2f}%" x2="{x2:.2f}%" y1="{y}" y2="{y}"/>'
            f'<circle class="dot" cx="{x1:.2f}%" cy="{y}" r="4"><title>warm {seconds(second)}</title></circle>'
            f'<circle class="cold" cx="{x2:.2f}%" cy="{y}" r="4"><title>cold {seconds(first)}</title></circle>'
        )
    height = 14 + 18 * len(parts)
    return _drawn("Warm and cold time to first token, a line for each round", parts, "0 s", seconds(top), height)


def _drawn(title: str, parts: Sequence[str], left: str, right: str, height: int = _HEIGHT) -> str:
    """Put parts over an axis with a label at each end."""
    return svg.frame(title, "".join(parts) + svg.axis(left, right, height=height), height=height + _BELOW)
