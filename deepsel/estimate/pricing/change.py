"""Compares what changed files cost with what they cost before, on one model. Reads nothing: reading/sides.py does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from deepsel.errors import CheckFailedError
from deepsel.estimate.pricing.spend import Assumptions, cheapest, project
from deepsel.estimate.reading.sides import Sides
from deepsel.estimate.records import Change
from deepsel.values import Model, Provider, Source


def compare(
    sides: Sides, model: Model, *, providers: Mapping[str, Provider], assumptions: Assumptions
) -> Change:
    """Return the cost of each changed file before and after; raise CheckFailedError where the model's price is unknown.

    Text and pictures count: what a provider adds around a message is the same for every version of it.
    """
    bare = model._replace(framing_tokens=0)
    costs: list[dict[str, Decimal]] = []
    reasons: list[str] = []
    for reading in (sides.before, sides.after):
        rows = project(reading, [bare], providers=providers, assumptions=assumptions, by="file")
        unknown = next((row for row in rows if row.total_usd is None), None)
        if unknown is not None:
            raise CheckFailedError(f"the change cannot be priced: {unknown.reason}", "name a model of known price with `-m`")
        reasons += [row.reason for row in rows if row.source is Source.AT_LEAST]
        costs.append({row.group: row.total_usd for row in rows if row.total_usd is not None})
    before, after = costs
    files = [(path, before.get(path, Decimal(0)), after.get(path, Decimal(0))) for path in {**before, **after}]
    files.sort(key=lambda file: (file[1] - file[2], file[0]))
    sums = [sum(side.values(), Decimal(0)) for side in costs]
    return Change(model.name, sums[0], sums[1], tuple(files), next(iter(reasons), ""))


def cheapest_model(
    sides: Sides, models: Sequence[Model], *, providers: Mapping[str, Provider], assumptions: Assumptions
) -> Model:
    """Return the model on which the files as they are, or were where all are gone, cost least; the first where none is priced."""
    whole = sides.after if sides.after.inputs else sides.before
    name = cheapest(project(whole, models, providers=providers, assumptions=assumptions)).get("")
    return next((model for model in models if model.name == name), models[0])
