"""What models would charge for what was read: tokens times the price in force, for each model and group. Pure.

Exact sums of whole tokens and Decimal prices: the rows of any grouping add up, and N requests cost N times one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from deepsel import catalog
from deepsel.estimate.pricing.groups import PricedSlice, RequestGroup, by_paths, group_up
from deepsel.estimate.pricing.portions import Answers, By
from deepsel.estimate.pricing.premium import english_rates
from deepsel.estimate.records import CostRow, Reading
from deepsel.tokens import ModelReader, reader_of
from deepsel.values import Bill, Model, Provider, Source, Usage

_DIGITS = 12
"""Significant digits of a quotient of money; sums and products are exact."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the text itself does not say."""

    at: datetime
    """When it is sent; aware."""
    answers: Answers = field(default_factory=Answers)
    requests: int = 1
    """How often each input is sent."""
    cached_share: Decimal = Decimal(0)
    """Share of the input read from the provider's cache, in [0, 1]."""


def project(
    reading: Reading,
    models: Iterable[Model],
    *,
    providers: Mapping[str, Provider],
    assumptions: Assumptions,
    by: By = "model",
) -> tuple[CostRow, ...]:
    """Return a row for each model and group: groups in alphabetical order, cheapest first, unknown prices last."""
    english = english_rates(reading)
    parts = by_paths(reading) if by == "file" else [reading]
    wanted = list(models)
    return tuple(
        row for part in parts for row in _rows(part, wanted, english, providers=providers, assumptions=assumptions, by=by)
    )


def _rows(
    reading: Reading,
    models: Sequence[Model],
    english: Mapping[str, float],
    *,
    providers: Mapping[str, Provider],
    assumptions: Assumptions,
    by: By,
) -> list[CostRow]:
    """Return the rows of a part of a reading whose groups are not in another part, in order."""
    read: dict[ModelReader, Mapping[str, RequestGroup]] = {}
    rows = []
    for model in models:
        reader = reader_of(model)
        if reader not in read:
            answers, cached_share = assumptions.answers, assumptions.cached_share
            read[reader] = group_up(reading, model, english, answers=answers, cached_share=cached_share, by=by)
        provider = providers.get(model.provider)
        multiplier = provider.price_multiplier if provider else Decimal(1)
        rows += [
            _row(name, group, model, assumptions=assumptions, multiplier=multiplier) for name, group in read[reader].items()
        ]
    return sorted(rows, key=_order)


def cheapest(rows: Iterable[CostRow]) -> Mapping[str, str]:
    """Return each group's cheapest model of known price whose window is large enough; groups without one are left out.

    Models of unknown window count only where no other fits, and those whose cost is only known to be no less after these.
    """
    best: dict[str, tuple[bool, bool, Decimal, str]] = {}
    for row in rows:
        if row.total_usd is None or row.fits_window is False:
            continue
        rank = (row.source is Source.AT_LEAST, row.fits_window is None, row.total_usd)
        if row.group not in best or rank < best[row.group][:3]:
            best[row.group] = (*rank, row.model)
    return {group: model for group, (*_, model) in best.items()}


def _order(row: CostRow) -> tuple[str, bool, bool, bool, Decimal, str]:
    """Sort by group, then known before unknown and before what may be more, then what fits, then by cost."""
    is_open = row.source is Source.AT_LEAST
    return row.group, row.total_usd is None, is_open, row.fits_window is False, row.total_usd or Decimal(0), row.model


# --- one row ----------------------------------------------------------------------------------------------------------


def _row(name: str, group: RequestGroup, model: Model, *, assumptions: Assumptions, multiplier: Decimal) -> CostRow:
    """Price one group on one model."""
    parts = group.slices(model, assumptions.answers)
    at, times = assumptions.at, assumptions.requests
    now = _total([_bill(model, part, at=at, multiplier=multiplier) for part in parts])
    batch = _total([_bill(model, part, at=at, multiplier=multiplier, service_tier="batch") for part in parts])
    hourly = [_hourly(model, part, at=at, multiplier=multiplier) for part in parts]
    has_hours = any(len(totals) > 1 for totals in hourly)
    total = _times(now.total_usd, times)
    most = total
    if group.most_tokens > group.input_tokens:
        largest = [_largest(part, group) for part in parts]
        most = _times(_total([_bill(model, part, at=at, multiplier=multiplier) for part in largest]).total_usd, times)
    low, high = group.interval
    return CostRow(
        group=name,
        model=model.name,
        provider=model.provider,
        vocabulary=model.vocabulary,
        source=group.source,
        error_pct=group.error_pct,
        input_tokens=times * group.input_tokens,
        output_tokens=times * group.output_tokens,
        input_usd=_times(now.input_usd, times),
        output_usd=_times(now.output_usd, times),
        total_usd=total,
        most_usd=most,
        usd_per_1k_chars=_over(now.total_usd, group.chars, unit=1000),
        usd_per_sentence=_over(now.total_usd, group.sentences),
        tokens_per_char=round(group.tokens / group.chars, 6) if group.chars else None,
        premium_vs_english=group.premium,
        fits_window=_fits(group, model),
        price_label=now.rule.label if now.rule else "",
        peak_usd=_times(_sum(max, hourly), times) if has_hours else None,
        off_peak_usd=_times(_sum(min, hourly), times) if has_hours else None,
        batch_usd=_times(batch.total_usd, times),
        is_at_most=now.rule is not None and now.rule.is_at_most,
        price_source=now.rule.source if now.rule else "",
        price_checked=now.rule.checked.isoformat() if now.rule and now.rule.checked else "",
        reason="; ".join(filter(None, (now.reason, _why_more(group, model)))),
        input_tokens_low=None if low is None else times * low,
        input_tokens_high=None if high is None else times * high,
    )


def _bill(
    model: Model, part: PricedSlice, *, at: datetime, multiplier: Decimal, service_tier: str = "standard"
) -> Bill:
    """Price a slice's tokens by the rule of its largest request."""
    rule = catalog.rule_at(model, at=at, input_tokens=part.request_tokens, service_tier=service_tier)
    if rule is None:
        size = Usage(input_uncached=part.request_tokens, output_visible=0)
        return catalog.bill(model, size, at=at, service_tier=service_tier)  # says why
    return catalog.charge(rule, part.usage, multiplier=multiplier)


def _hourly(model: Model, part: PricedSlice, *, at: datetime, multiplier: Decimal) -> list[Decimal | None]:
    """Return what the slice costs by each rule that another hour or day could have picked; empty where prices have no hours."""
    rules = catalog.rules_of_other_hours(model, at=at, input_tokens=part.request_tokens)
    return [catalog.charge(rule, part.usage, multiplier=multiplier).total_usd for rule in rules]


def _why_more(group: RequestGroup, model: Model) -> str:
    """Say why the input may be more than was counted; empty where it is not."""
    if group.source is not Source.AT_LEAST:
        return ""
    if model.pictures is None and any(portion.origin.media.pictures for portion in group.portions):
        return "it is not known how it counts pictures"
    return "it is not known how many tokens its files are"


# --- small sums -------------------------------------------------------------------------------------------------------


def _total(bills: Sequence[Bill]) -> Bill:
    """Add bills; unknown where one of them is."""
    labels = list(dict.fromkeys(bill.rule.label for bill in bills if bill.rule and bill.rule.label))
    rule = next((bill.rule for bill in bills if bill.rule), None)
    if rule is not None and labels:
        rule = rule._replace(label="; ".join(labels))
    return Bill(
        _added([bill.total_usd for bill in bills]),
        _added([bill.input_usd for bill in bills]),
        _added([bill.output_usd for bill in bills]),
        rule,
        "; ".join(dict.fromkeys(bill.reason for bill in bills if bill.reason)),
    )


def _added(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Add amounts; None where one is unknown."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def _sum(choose: Callable[[Iterable[Decimal]], Decimal], hourly: Sequence[Sequence[Decimal | None]]) -> Decimal | None:
    """Add the dearest (`max`) or the cheapest (`min`) of each slice; None where a price is unknown."""
    known = [[amount for amount in totals if amount is not None] for totals in hourly]
    if any(len(some) < len(totals) or not some for some, totals in zip(known, hourly, strict=True)):
        return None
    return sum((choose(some) for some in known), Decimal(0))


def _times(amount: Decimal | None, factor: int) -> Decimal | None:
    return None if amount is None else amount * factor


def _over(amount: Decimal | None, count: int, *, unit: int = 1) -> Decimal | None:
    """Divide money by a count; None where either is missing."""
    if amount is None or not count:
        return None
    quotient = amount * unit / count
    return round(quotient, _DIGITS - 1 - quotient.adjusted()) if quotient else Decimal(0)


def _largest(part: PricedSlice, group: RequestGroup) -> PricedSlice:
    """Return a slice with as many tokens as its bytes allow."""
    usage = part.usage
    grown = usage._replace(input_uncached=_grown(usage.input_uncached or 0, group), cache_read=_grown(usage.cache_read or 0, group))
    return PricedSlice(_grown(part.request_tokens, group), grown)


def _grown(tokens: int, group: RequestGroup) -> int:
    return -(-tokens * group.most_tokens // max(1, group.input_tokens))


def _fits(group: RequestGroup, model: Model) -> bool | None:
    """Return whether the largest request with its answer fits; None where no limit of the model is known, or it may not."""
    if model.context_window is None and model.max_input is None:
        return None
    answer = min(group.answer_tokens, model.max_output or group.answer_tokens)
    fits, surely_fits = (
        (model.context_window is None or size + answer <= model.context_window)
        and (model.max_input is None or size <= model.max_input)
        for size in (group.largest_tokens, _grown(group.largest_tokens, group))
    )
    return fits if fits is surely_fits else None
