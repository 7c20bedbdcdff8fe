"""An evaluation as one page, with quality drawn over cost."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from deepsel.cli.route.text import apgr_words
from deepsel.show import html
from deepsel.show.html import Cell
from deepsel.show.money import usd
from deepsel.show.svg import axis, frame

if TYPE_CHECKING:
    from deepsel.cli.route.steps import Evaluation
    from deepsel.routing.evaluation import Reached

_HEIGHT = 280
_MARGIN = 0.06
_MOST_PROMPTS = 500


def page(shown: Evaluation) -> str:
    """Write the page."""
    ways = [*shown.strategies, *shown.baselines]
    figures = [("prompts", str(len(shown.rows))), ("judged", str(sum(bool(row.scores) for row in shown.rows)))]
    if shown.task_accuracy:
        right, whole = shown.task_accuracy
        figures.append(("tasks as named", f"{right} of {whole}"))
    if shown.apgr is not None:
        figures.append(("APGR", f"{shown.apgr:.3f}"))
    parts = [
        html.cards(figures),
        html.section("Quality and cost", "Each way of choosing: further left is cheaper, further up is better.", plot(ways)),
        html.section("Ways of choosing", apgr_words(shown), _ways(ways)),
        html.section("Prompts", _limit(shown), _prompts(shown)),
    ]
    return html.page("What routing is worth", f"prices of {shown.at:%Y-%m-%d %H:%M} UTC; nothing was sent", parts)


def plot(ways: list[Reached]) -> str:
    """Draw a point for each way that has both figures, cost in logarithms; says so where there is none."""
    points = [(one.name, float(one.cost_usd), one.quality) for one in ways if one.cost_usd and one.quality is not None]
    if not points:
        return '<p class="soft">No way of choosing has both a cost and scores.</p>'
    costs = [math.log10(cost) for _, cost, _ in points]
    qualities = [quality for _, _, quality in points]
    drawn = []
    for (name, cost, quality), log in zip(points, costs, strict=True):
        x = 100 * _share(log, costs)
        y = _HEIGHT * (1 - _share(quality, qualities))
        words = escape(f"{name}: quality {quality:.3f}, ${cost:.6f} a prompt")
        anchor, away = ("end", -9) if x > 60 else ("start", 9)
        drawn.append(
            f'<circle class="dot s0" cx="{x:.2f}%" cy="{y:.1f}" r="5.5"><title>{words}</title></circle>'
            f'<text class="value" x="{x:.2f}%" y="{y + 4:.1f}" dx="{away}" text-anchor="{anchor}">{escape(name)}</text>'
        )
    ends = axis(f"${10 ** min(costs):.6f} a prompt", f"${10 ** max(costs):.6f}", height=_HEIGHT)
    levels = (
        f'<text class="value" x="0" y="12">quality {max(qualities):.3f}</text>'
        f'<text class="value" x="0" y="{_HEIGHT - 6}">{min(qualities):.3f}</text>'
    )
    return frame("Quality over cost", ends + levels + "".join(drawn), height=_HEIGHT + 24)


def _share(value: float, values: list[float]) -> float:
    """Return where a value stands between the least and the greatest, with a margin at both ends."""
    low, high = min(values), max(values)
    inner = 0.5 if high == low else (value - low) / (high - low)
    return _MARGIN + (1 - 2 * _MARGIN) * inner


def _ways(ways: list[Reached]) -> str:
    """Set the ways of choosing in a table."""
    rows = [
        [
            Cell(one.name),
            html.figure("-" if one.quality is None else f"{one.quality:.3f}", "" if one.quality is None else one.quality),
            html.figure(str(one.judged or "-"), one.judged),
            html.money(one.cost_usd),
            Cell(", ".join(f"{model} {count}" if count else model for model, count in one.models.items())),
        ]
        for one in ways
    ]
    return html.table(("way", "quality", "judged", "cost a prompt", "first choices"), rows)


def _prompts(shown: Evaluation) -> str:
    """Set the prompts in a table."""
    rows = [
        [
            Cell(" ".join(row.prompt.split())[:120]),
            Cell(row.task),
            html.figure(f"{row.difficulty:.2f}", row.difficulty),
            Cell(row.choices["balanced"] or "nobody"),
            Cell(usd(row.costs.get(row.choices["balanced"]))),
        ]
        for row in shown.rows[:_MOST_PROMPTS]
    ]
    return html.table(("prompt", "task", "difficulty", "balanced", "cost"), rows)


def _limit(shown: Evaluation) -> str:
    """Say that not all prompts are listed, where that is so."""
    whole = len(shown.rows)
    return f"The first {_MOST_PROMPTS} of {whole}." if whole > _MOST_PROMPTS else ""
