"""Puts one estimate together: rows, totals, the cheapest, and in words what was assumed. Pure; the exports write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from deepsel.estimate.pricing.portions import By
from deepsel.estimate.pricing.spend import Assumptions, cheapest, project
from deepsel.estimate.records import Change, CostRow, Reading, Report
from deepsel.values import Model, Notice, Provider


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report is to show."""

    by: By = "model"
    period: str = ""
    """`day` or `month` where requests are a rate; empty otherwise."""
    prices_as_of: str = ""
    """The day the price table was last read."""
    answers_from: str = ""
    """Where the length of answers comes from, if not from the command line."""


def build(
    reading: Reading,
    models: Sequence[Model],
    *,
    providers: Mapping[str, Provider],
    assumptions: Assumptions,
    wanted: ReportOptions,
    change: Change | None = None,
    notices: Sequence[Notice] = (),
) -> Report:
    """Return the report of everything that was read."""
    totals = project(reading, models, providers=providers, assumptions=assumptions)
    rows = totals
    if wanted.by != "model":
        rows = project(reading, models, providers=providers, assumptions=assumptions, by=wanted.by)
    return Report(
        at=assumptions.at,
        prices_as_of=wanted.prices_as_of,
        reading=reading,
        rows=rows,
        cheapest={**cheapest(rows), **cheapest(totals)},
        change=change,
        assumptions=describe(assumptions, wanted),
        totals=totals,
        by=wanted.by,
        notices=(*notices, *_bounds(totals)),
    )


def _bounds(totals: Sequence[CostRow]) -> list[Notice]:
    """Say in one sentence for which models a share of cached input is priced at most."""
    names = [row.model for row in totals if row.is_at_most]
    if not names:
        return []
    return [Notice("cached_at_most", f"no price of cached input is stated, so it costs what input costs, at most: {', '.join(names)}")]


def describe(assumptions: Assumptions, wanted: ReportOptions) -> Mapping[str, str]:
    """Say in words what the text itself does not tell."""
    answers = assumptions.answers
    if answers.ratio is not None:
        output = f"{answers.ratio.normalize():f} output tokens for each input token"
    elif answers.tokens:
        output = f"{answers.tokens:,} output tokens a request"
    else:
        output = "no output, the input alone (--output-tokens or --output-ratio adds answers)"
    if wanted.answers_from:
        output += f", {wanted.answers_from}"
    often = "once" if assumptions.requests == 1 else f"{assumptions.requests:,} times"
    share = assumptions.cached_share
    cached = "nothing is read from a provider's cache"
    if share:
        cached = f"{_percent(share)} of the input is read at the cached price, writes to the cache not counted"
    return {
        "output": output,
        "requests": f"each input is sent {often}" + (f" a {wanted.period}" if wanted.period else ""),
        "cached": cached,
        "framing": "what a provider adds around a request and its messages is counted, as its chat template or recorded bills show it",
    }


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"
