"""What a router's choices are worth on prompts whose answers were scored: quality, cost, baselines, APGR; pure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from deepsel.records import NamedTuple

STEPS = 10
"""Into how many shares of traffic the APGR's curve is cut."""


class Scored(NamedTuple):
    """One prompt of the user's with what it would cost, and how well models did on it."""

    prompt: str
    task: str
    """As it was detected."""
    difficulty: float
    scores: Mapping[str, float]
    """Quality in [0, 1] by model; empty: nobody judged it."""
    costs: Mapping[str, Decimal | None]
    """Expected cost in USD by model; None: not known."""
    choices: Mapping[str, str]
    """The first model of the plan by strategy."""
    named_task: str | None = None
    """As the user names it; None: not named."""


class Reached(NamedTuple):
    """What one way of choosing comes to, over all prompts where its model has a score."""

    name: str
    models: Mapping[str, int]
    """How often each was chosen, over all prompts."""
    quality: float | None
    """Mean; None where no chosen model was scored."""
    judged: int
    """Prompts that the mean is over."""
    cost_usd: Decimal | None
    """Mean a prompt; None where a price is not known."""


def reached(name: str, rows: Sequence[Scored], chosen: Sequence[str]) -> Reached:
    """Reckon what choosing so comes to; `chosen` holds one model a row, empty where nobody could be chosen."""
    scores = [row.scores[model] for row, model in zip(rows, chosen, strict=True) if model in row.scores]
    costs = [row.costs.get(model) for row, model in zip(rows, chosen, strict=True) if model]
    known = [cost for cost in costs if cost is not None]
    return Reached(
        name=name,
        models=dict(Counter(model for model in chosen if model).most_common()),
        quality=sum(scores) / len(scores) if scores else None,
        judged=len(scores),
        cost_usd=sum(known, Decimal(0)) / len(known) if known and len(known) == len(costs) else None,
    )


def baselines(rows: Sequence[Scored]) -> list[Reached]:
    """Reckon the fixed choices that a router has to beat: always the best, always the cheapest, and any at random.

    They are of the models that have a score on every judged prompt, so that all are judged on the same prompts.
    """
    models = comparable(rows)
    if not models:
        return []
    best = max(models, key=lambda model: (mean_score(rows, model) or 0.0))
    cheapest = min(models, key=lambda model: _mean_cost(rows, model))
    found = [reached(f"always {best} (best)", rows, [best] * len(rows))]
    if cheapest != best:
        found.append(reached(f"always {cheapest} (cheapest)", rows, [cheapest] * len(rows)))
    each = [reached(model, rows, [model] * len(rows)) for model in models]
    qualities = [one.quality for one in each if one.quality is not None]
    costs = [one.cost_usd for one in each if one.cost_usd is not None]
    random_cost = sum(costs, Decimal(0)) / len(costs) if len(costs) == len(each) else None
    found.append(Reached("any at random", dict.fromkeys(models, 0), sum(qualities) / len(qualities), each[0].judged, random_cost))
    return found


def comparable(rows: Sequence[Scored]) -> list[str]:
    """Name the models that have a score on every prompt that has any."""
    judged = [row for row in rows if row.scores]
    if not judged:
        return []
    return sorted(set.intersection(*(set(row.scores) for row in judged)))


def mean_score(rows: Sequence[Scored], model: str) -> float | None:
    """Return a model's mean score; None where it has none."""
    scores = [row.scores[model] for row in rows if model in row.scores]
    return sum(scores) / len(scores) if scores else None


def pair_of(rows: Sequence[Scored]) -> tuple[str, str] | None:
    """Choose the weak and the strong model of an APGR: the cheapest and the best; None where these are one, or no better."""
    models = comparable(rows)
    if len(models) < 2:
        return None
    weak = min(models, key=lambda model: _mean_cost(rows, model))
    strong = max(models, key=lambda model: (mean_score(rows, model) or 0.0))
    return (weak, strong) if (mean_score(rows, strong) or 0.0) > (mean_score(rows, weak) or 0.0) else None


def apgr(rows: Sequence[Scored], weak: str, strong: str) -> float | None:
    """Return the average performance gap recovered by sending the hardest prompts to the strong model.

    arXiv 2406.18665, section 4; ties by a fixed shuffle. None where the strong model is not better on these prompts.
    """
    judged = [row for row in rows if weak in row.scores and strong in row.scores]
    if not judged or (mean_score(judged, strong) or 0.0) <= (mean_score(judged, weak) or 0.0):
        return None
    tie = random.Random(0)  # noqa: S311  an order, not a secret
    order = sorted(judged, key=lambda row: (-row.difficulty, tie.random()))
    base = sum(row.scores[weak] for row in order) / len(order)
    gap = sum(row.scores[strong] for row in order) / len(order) - base
    shares, gains = [0], [0.0]
    for step in range(1, STEPS + 1):
        cut = round(len(order) * step / STEPS)
        gains.append(gains[-1] + sum(row.scores[strong] - row.scores[weak] for row in order[shares[-1] : cut]) / len(order))
        shares.append(cut)
    area = sum((shares[at + 1] - shares[at]) / len(order) * (gains[at + 1] + gains[at]) / 2 for at in range(STEPS))
    return area / gap


def _mean_cost(rows: Sequence[Scored], model: str) -> Decimal:
    """Return the mean cost of a model's calls; what is not known counts as dear."""
    costs = [row.costs.get(model) for row in rows]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) / len(known) if known else Decimal("Infinity")
