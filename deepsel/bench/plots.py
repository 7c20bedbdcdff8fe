"""Plots of a case as inline SVG: positions are percentages, so that text keeps its size on every screen."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from deepsel.bench.figures import duration, histogram
from deepsel.bench.records import Result
from deepsel.bench.statistics import describe

_HEIGHT = 120
_BINS = 48


def distribution(values: Sequence[float], title: str) -> str:
    """Draw a histogram with marks at the median and at p95."""
    if not values:
        return ""
    counts, figures = histogram(values, _BINS), describe(values)
    low, high, most = min(values), max(values), max(counts)
    width = 100 / len(counts)
    bars = "".join(
        f'<rect class="bar" x="{place * width:.2f}%" y="{_HEIGHT - _HEIGHT * count / most:.1f}" '
        f'width="{width * 0.9:.2f}%" height="{_HEIGHT * count / most:.1f}"><title>{count}</title></rect>'
        for place, count in enumerate(counts)
        if count
    )
    marks = "".join(_mark(name, value, low, high) for name, value in (("p50", figures.p50), ("p95", figures.p95)))
    return _svg(title, bars + marks + _axis(duration(low), duration(high)))


def timeline(result: Result) -> str:
    """Draw each request's time to first token over the time it was sent; failures are crosses at the bottom."""
    times = [sample.ttft_s for sample in result.answered if sample.ttft_s is not None]
    if not result.samples or not times:
        return ""
    start, end = result.samples[0].at_s, result.samples[-1].at_s
    span, top = (end - start) or 1.0, max(times)
    parts = [f'<text class="value" x="0" y="10">{duration(top)}</text>']
    for sample in result.samples:
        x = 100 * (sample.at_s - start) / span
        if sample.error is not None:
            tip = f"<title>{escape(sample.error)}</title>"
            parts.append(f'<text class="fail" x="{x:.2f}%" y="{_HEIGHT}" text-anchor="middle">×{tip}</text>')
        elif sample.ttft_s is not None:
            y = _HEIGHT - (_HEIGHT - 16) * sample.ttft_s / top
            kind = "cold" if sample.role == "cold" else "dot"
            parts.append(f'<circle class="{kind}" cx="{x:.2f}%" cy="{y:.1f}" r="3"><title>{duration(sample.ttft_s)}</title></circle>')
    return _svg("Time to first token over the run", "".join(parts) + _axis("0 s", duration(span)))


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
            f'<circle class="dot" cx="{x1:.2f}%" cy="{y}" r="4"><title>warm {duration(second)}</title></circle>'
            f'<circle class="cold" cx="{x2:.2f}%" cy="{y}" r="4"><title>cold {duration(first)}</title></circle>'
        )
    height = 14 + 18 * min(len(cold), len(warm))
    return _svg("Warm and cold time to first token, a line for each round", "".join(parts) + _axis("0 s", duration(top), height), height)


def _mark(name: str, value: float | None, low: float, high: float) -> str:
    """Draw a line at a percentile."""
    if value is None or high <= low:
        return ""
    x = 100 * (value - low) / (high - low)
    anchor = "end" if x > 85 else "start"
    return (
        f'<line class="one" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="{_HEIGHT}"/>'
        f'<text class="value" x="{x:.2f}%" y="{10 if name == "p50" else 24}" dx="{-4 if anchor == "end" else 4}" '
        f'text-anchor="{anchor}">{name} {duration(value)}</text>'
    )


def _axis(left: str, right: str, height: int = _HEIGHT) -> str:
    return (
        f'<line class="grid" x1="0" x2="100%" y1="{height}" y2="{height}"/>'
        f'<text class="value" x="0" y="{height + 16}">{escape(left)}</text>'
        f'<text class="value" x="100%" y="{height + 16}" text-anchor="end">{escape(right)}</text>'
    )


def _svg(title: str, content: str, height: int = _HEIGHT) -> str:
    name = escape(title)
    return f'<svg role="img" height="{height + 20}" aria-label="{name}"><title>{name}</title>{content}</svg>'
