"""What a call costs and when that changes: pure arithmetic on price rules, in Decimal. Unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from deepsel.catalog.holidays import is_holiday, is_published
from deepsel.values import Bill, Model, PriceRule, Usage

STANDARD = "standard"
# Hours and weekdays repeat every week; a month also steps over the longest run of holidays.
_HORIZON_DAYS = 32
_AT_MOST = "cached input at most, at the price of input"


def rule_at(model: Model, *, at: datetime, input_tokens: int | None, service_tier: str = STANDARD) -> PriceRule | None:
    """Return the rule in force for a prompt of `input_tokens`, cached parts included; None where no price is known.

    `input_tokens` None is an unknown size: only a rule that holds for any size is returned. A service tier without
    rules of its own is the standard rule times the model's multiplier for it. The label says where the maker promised the
    price for a time that is over. Raise ValueError for an `at` without a zone.
    """
    at = _in_utc(at)
    own_tier = any(rule.service_tier == service_tier for rule in model.prices)
    wanted = service_tier if own_tier else STANDARD
    of_tier = (rule for rule in model.prices if rule.service_tier == wanted)
    rule = next((rule for rule in of_tier if _holds(rule, at, input_tokens=input_tokens)), None)
    if rule is None or (input_tokens is None and rule.up_to_input_tokens is not None):
        return None
    rule = _with_promise(rule, at)
    if wanted == service_tier:
        return rule
    factor = model.service_tiers.get(service_tier)
    return None if factor is None else scaled(rule, factor)._replace(service_tier=service_tier)


def rules_of_other_hours(
    model: Model, *, at: datetime, input_tokens: int, service_tier: str = STANDARD
) -> tuple[PriceRule, ...]:
    """Return the rules that hold for a prompt of that size at some hour or day of the dates that `at` falls into.

    In the order in which they are tried, without what is never reached; empty where no price of the model has hours.
    """
    at, found = _in_utc(at), []
    for rule in model.prices if any(rule.hours for rule in model.prices) else ():
        if rule.service_tier == service_tier and _covers(rule, input_tokens) and _is_valid(rule, at):
            found.append(rule)
            if not rule.hours and not rule.weekdays and rule.not_on is None:
                break
    return tuple(found)


def scaled(rule: PriceRule, factor: Decimal) -> PriceRule:
    """Return the rule with every known price times `factor`."""
    if factor == 1:
        return rule

    def _times(price: Decimal | None) -> Decimal | None:
        return None if price is None else price * factor

    return rule._replace(
        input=_times(rule.input),
        output=_times(rule.output),
        cached_input=_times(rule.cached_input),
        cache_write_short=_times(rule.cache_write_short),
        cache_write_long=_times(rule.cache_write_long),
        reasoning_output=_times(rule.reasoning_output),
    )


def bill(
    model: Model, usage: Usage, *, at: datetime, service_tier: str = STANDARD, multiplier: Decimal = Decimal(1)
) -> Bill:
    """Return what `usage` costs by the rule in force at `at`, as `charge` does; `reason` also says why there is no rule.

    The rule of the bill holds the prices as charged, tier and host included.
    """
    size = usage.input_tokens
    rule = rule_at(model, at=at, input_tokens=size, service_tier=service_tier)
    if rule is None:
        return Bill(None, reason=_why_no_rule(model, at=at, size=size, service_tier=service_tier))
    return charge(rule, usage, multiplier=multiplier)


def charge(rule: PriceRule, usage: Usage, *, multiplier: Decimal = Decimal(1)) -> Bill:
    """Return what `usage` costs by this rule, whatever its conditions; `multiplier` is the host's `price_multiplier`.

    A total is given only where every count and every price it needs is known; `reason` says which one is not. The rule
    of the bill holds the prices as charged, and its label says where one of them is only a bound.
    """
    rule = scaled(rule, multiplier)
    if usage.cache_read:
        rule = _with_cached_bounded(rule)
    input_usd, input_reason = _side(
        ("input", usage.input_uncached, rule.input),
        ("cached input", usage.cache_read or 0, rule.cached_input),
        # A write price of 0 means no charge of its own: what is written was read at the price of input.
        ("short cache writes", usage.cache_write_short or 0, rule.input if rule.cache_write_short == 0 else rule.cache_write_short),
        ("long cache writes", usage.cache_write_long or 0, rule.cache_write_long),
    )
    reasoning_price = rule.output if rule.reasoning_output is None else rule.reasoning_output
    output_usd, output_reason = _side(
        ("output", usage.output_visible, rule.output),
        ("reasoning", usage.output_reasoning or 0, reasoning_price),
    )
    total = None if input_usd is None or output_usd is None else input_usd + output_usd
    return Bill(total, input_usd, output_usd, rule, "; ".join(filter(None, (input_reason, output_reason))))


def project(
    model: Model,
    *,
    input_tokens: int,
    output_tokens: int,
    at: datetime,
    cached_tokens: int = 0,
    service_tier: str = STANDARD,
    multiplier: Decimal = Decimal(1),
) -> Bill:
    """Return what a call of these sizes would cost; cached tokens are part of the input. Raise ValueError where they are not."""
    if not 0 <= cached_tokens <= input_tokens:
        raise ValueError("a part is negative or larger than its whole")
    usage = Usage(input_uncached=input_tokens - cached_tokens, cache_read=cached_tokens, output_visible=output_tokens)
    return bill(model, usage, at=at, service_tier=service_tier, multiplier=multiplier)


def next_change(
    model: Model, *, at: datetime, input_tokens: int | None, service_tier: str = STANDARD
) -> tuple[datetime, PriceRule | None] | None:
    """Return the first instant after `at` with another price, in UTC, and the rule from then on.

    None: no change is known to come. A rule of None: from then on the price is unknown.
    """
    at = _in_utc(at)
    now = rule_at(model, at=at, input_tokens=input_tokens, service_tier=service_tier)
    for moment in _edges(model, at):
        rule = rule_at(model, at=moment, input_tokens=input_tokens, service_tier=service_tier)
        if _prices(rule) != _prices(now):
            return moment, rule
    return None


def relies_on_unpublished_calendar(model: Model, *, at: datetime) -> bool:
    """Return whether the price at `at` rests on a holiday calendar that does not list that year.

    Its days are then taken as working days.
    """
    at = _in_utc(at)
    return any(
        rule.not_on is not None and not is_published(rule.not_on, at.year) and _holds(rule, at, input_tokens=None)
        for rule in model.prices
    )


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("prices need an instant with a zone")
    return at.astimezone(UTC)


def _holds(rule: PriceRule, at: datetime, *, input_tokens: int | None) -> bool:
    """Return whether the rule covers the instant and the size; an unknown size is covered by any rule."""
    if not _covers(rule, input_tokens) or not _is_valid(rule, at) or (rule.weekdays and at.isoweekday() not in rule.weekdays):
        return False
    minute = at.hour * 60 + at.minute
    if rule.hours and not any(window.start_minute <= minute < window.end_minute for window in rule.hours):
        return False
    return rule.not_on is None or not is_holiday(rule.not_on, at.date())


def _covers(rule: PriceRule, input_tokens: int | None) -> bool:
    """Return whether the rule is for prompts of this size; an unknown one may be of any."""
    return rule.up_to_input_tokens is None or input_tokens is None or input_tokens <= rule.up_to_input_tokens


def _is_valid(rule: PriceRule, at: datetime) -> bool:
    return (rule.valid_from is None or rule.valid_from <= at) and (rule.valid_to is None or at < rule.valid_to)


def _with_promise(rule: PriceRule, at: datetime) -> PriceRule:
    """Say in the label that the price was promised for a time that is over at `at`: it may be another one by now."""
    if rule.guaranteed_until is None or at.date() <= rule.guaranteed_until:
        return rule
    return rule._replace(label="; ".join(filter(None, (rule.label, f"was promised until {rule.guaranteed_until}"))))


def _with_cached_bounded(rule: PriceRule) -> PriceRule:
    """Return the rule with an unstated price of cached input at that of input: no host asks more for what it need not read."""
    if rule.cached_input is not None or rule.input is None:
        return rule
    return rule._replace(cached_input=rule.input, label=f"{rule.label or STANDARD}; {_AT_MOST}", is_at_most=True)


def _side(*buckets: tuple[str, int | None, Decimal | None]) -> tuple[Decimal | None, str]:
    """Add up the buckets (what, tokens, price); None with the reason where a count or a needed price is missing."""
    total = Decimal(0)
    for what, tokens, price in buckets:
        if tokens is None:
            return None, f"the {what} tokens were not reported"
        if tokens and price is None:
            return None, f"no price for {what} is known"
        if tokens and price is not None:
            total += (tokens * price).scaleb(-6)
    return total, ""


def _why_no_rule(model: Model, *, at: datetime, size: int | None, service_tier: str) -> str:
    """Say which part of a rule's conditions no row of the model covers."""
    if not model.prices:
        return f"no price of {model.name} is known"
    if rule_at(model, at=at, input_tokens=size) is not None:
        return f"no price of {model.name} is known for the service tier {service_tier}"
    if size is None:
        return f"the price of {model.name} depends on the prompt's size, which is unknown"
    return f"no price of {model.name} is known for {size:,} input tokens on {_in_utc(at):%Y-%m-%d %H:%M} UTC"


def _prices(rule: PriceRule | None) -> tuple[Decimal | None, ...] | None:
    """Return what is charged, to compare two rules by."""
    if rule is None:
        return None
    reasoning = rule.output if rule.reasoning_output is None else rule.reasoning_output
    return rule.input, rule.output, rule.cached_input, rule.cache_write_short, rule.cache_write_long, reasoning


def _edges(model: Model, at: datetime) -> Iterator[datetime]:
    """Yield in order where a rule can begin or end after `at`, for a month from `at` and from each dated bound."""
    bounds = {bound for rule in model.prices for bound in (rule.valid_from, rule.valid_to) if bound and bound > at}
    minutes = {0} if any(rule.weekdays or rule.not_on for rule in model.prices) else set()
    minutes |= {m for rule in model.prices for window in rule.hours for m in (window.start_minute, window.end_minute)}
    edges = set(bounds)
    for start in (at, *bounds):
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        for day in range(_HORIZON_DAYS):
            edges |= {midnight + timedelta(days=day, minutes=minute) for minute in minutes}
    yield from sorted(edge for edge in edges if edge > at)
