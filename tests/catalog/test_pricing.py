"""Price rules at their boundaries, the bill's arithmetic, and the next change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.catalog import Catalog
from deepsel.catalog.pricing import (
    bill,
    charge,
    next_change,
    project,
    relies_on_unpublished_calendar,
    rule_at,
    rules_of_other_hours,
)
from deepsel.values import HourWindow, Model, PriceRule, Usage

CATALOG = Catalog()

FLASH = CATALOG.find_model("deepseek-flash")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "Z")


def label(model: Model, text: str, size: int | None = 1000) -> str | None:
    rule = rule_at(model, at=at(text), input_tokens=size)
    return rule.label if rule else None


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-11-24T00:59:59.999999", "off-peak"),  # Tuesday
        ("2026-11-24T01:00:00", "peak"),
        ("2026-11-24T03:59:59.999999", "peak"),
        ("2026-11-24T04:00:00", "off-peak"),
        ("2026-11-24T05:59:59", "off-peak"),
        ("2026-11-24T06:00:00", "peak"),
        ("2026-11-24T09:59:59", "peak"),
        ("2026-11-24T10:00:00", "off-peak"),
        ("2026-11-24T23:59:59", "off-peak"),
        ("2026-11-27T09:59:59", "peak"),  # Friday
        ("2026-11-28T01:00:00", "off-peak"),  # Saturday
        ("2026-11-29T08:00:00", "off-peak"),  # Sunday
        ("2026-11-30T01:00:00", "peak"),  # Monday
        ("2026-09-25T02:00:00", "off-peak"),  # Friday, a holiday
        ("2026-09-24T02:00:00", "peak"),  # the day before
        ("2026-09-28T02:00:00", "peak"),  # the Monday after
        ("2026-10-01T02:00:00", "off-peak"),
        ("2026-10-07T09:00:00", "off-peak"),  # the last holiday, a Wednesday
        ("2026-10-08T01:00:00", "peak"),
        ("2026-10-10T02:00:00", "off-peak"),  # a Saturday worked in China: still a weekend
        ("2027-01-01T02:00:00", "peak"),  # 2027 is not published: a working day
    ],
)
def test_peak_hours(instant: str, expected: str) -> None:
    """Peak is Monday to Friday, 01:00 to 04:00 and 06:00 to 10:00 UTC, start included, end not, but on no holiday."""
    assert label(FLASH, instant) == expected


def test_zones_are_converted() -> None:
    """An instant in another zone is priced at its UTC hour and weekday; one without a zone is refused."""
    beijing = timezone(timedelta(hours=8))
    rule = rule_at(FLASH, at=datetime(2026, 11, 24, 9, 0, tzinfo=beijing), input_tokens=1)
    assert rule is not None
    assert rule.label == "peak"
    rule = rule_at(FLASH, at=datetime(2026, 11, 30, 2, 0, tzinfo=timezone(timedelta(hours=4))), input_tokens=1)
    assert rule is not None
    assert rule.label == "off-peak"  # still Sunday in UTC
    with pytest.raises(ValueError, match="zone"):
        rule_at(FLASH, at=datetime(2026, 11, 24), input_tokens=1)


@pytest.mark.parametrize(
    ("name", "size", "price"),
    [
        ("qwen3-max", 32_000, "1.20"),
        ("qwen3-max", 32_001, "2.40"),
        ("qwen3-max", 128_000, "2.40"),
        ("qwen3-max", 128_001, "3.00"),
        ("qwen3-max", 252_000, "3.00"),
        ("qwen3-max", 252_001, None),
        ("qwen3.7-plus", 256_000, "0.40"),
        ("qwen3.7-plus", 256_001, "1.20"),
        ("qwen3-coder-plus", 1_000_001, None),
        ("claude-haiku-5-5", 100_000, "0.10"),
        ("claude-haiku-5-5", 100_001, "0.50"),
        ("gpt-6.1-sol", 272_000, "2"),
        ("gpt-6.1-sol", 272_001, "4"),
        ("gpt-5.4-mini", 272_001, "0.75"),
        ("gpt-5.4-mini", None, "0.75"),
        ("gpt-6.1-sol", None, None),
        ("claude-haiku-5-5", None, None),
    ],
)
def test_prompt_size(name: str, size: int | None, price: str | None) -> None:
    """A bound belongs to the lower tier; an unknown size has a price only where the size does not matter."""
    rule = rule_at(CATALOG.find_model(name), at=NOON, input_tokens=size)
    assert (rule.input if rule else None) == (Decimal(price) if price else None)


def test_tier_counts_cached_input_and_covers_everything() -> None:
    """Cache reads and writes count to the prompt's size, and the tier prices every token, output included."""
    haiku = CATALOG.find_model("claude-haiku-5-5")
    usage = Usage(1, 90_000, cache_write_short=6_000, cache_write_long=4_000, output_visible=10)
    expected = Decimal("0.50") + 90_000 * Decimal("0.05") + 6_000 * Decimal("0.625") + 4_000 + 10 * Decimal("2.50")
    assert bill(haiku, usage, at=NOON).total_usd == expected / 1_000_000


def test_bill_of_a_cached_prompt() -> None:
    """Cached input is charged at its own rate, once, beside the rest."""
    usage = Usage(input_uncached=1_000, cache_read=9_000, output_visible=500, output_reasoning=500)
    made = bill(FLASH, usage, at=NOON)
    assert made.input_usd == Decimal("0.000177")
    assert made.output_usd == Decimal("0.0006")
    assert made.total_usd == Decimal("0.000777")
    assert made.rule == rule_at(FLASH, at=NOON, input_tokens=10_000)
    assert made.reason == ""


def test_reasoning_has_its_own_rate() -> None:
    """Reasoning is charged at the rate of its own where there is one, else as output."""
    usage = Usage(input_uncached=0, output_visible=1_000_000, output_reasoning=1_000_000)
    assert bill(CATALOG.find_model("qwen-plus-latest"), usage, at=NOON).output_usd == Decimal("5.20")
    assert bill(FLASH, usage, at=NOON).output_usd == Decimal("1.20")


@pytest.mark.parametrize(
    ("name", "usage", "reason"),
    [
        ("deepseek-flash", Usage(output_visible=5), "the input tokens were not reported"),
        ("deepseek-flash", Usage(cache_read=5, output_visible=5), "the input tokens were not reported"),
        ("deepseek-flash", Usage(input_uncached=5), "the output tokens were not reported"),
        ("deepseek-flash", Usage(input_uncached=5, output_reasoning=5), "the output tokens were not reported"),
        ("deepseek-flash", Usage(5, 0, 1, 0, 5, 0), "no price for short cache writes is known"),
        ("deepseek-flash", Usage(5, 0, 0, 1, 5, 0), "no price for long cache writes is known"),
        ("qwen3-max", Usage(252_001, output_visible=5), "no price of qwen3-max is known for 252,001 input tokens"),
        ("qwen3-max", Usage(output_visible=5), "depends on the prompt's size"),
        ("openrouter/auto", Usage(5, output_visible=5), "no price of openrouter/auto is known"),
        ("deepseek-chat", Usage(5, output_visible=5), "on 2026-11-24 12:00 UTC"),
    ],
)
def test_unknown_is_never_zero(name: str, usage: Usage, reason: str) -> None:
    """A count or a price that is missing leaves no total, and the reason names it."""
    made = bill(CATALOG.find_model(name), usage, at=NOON)
    assert made.total_usd is None
    assert reason in made.reason


def test_cached_input_of_no_stated_price_is_bounded() -> None:
    """It costs what input costs at most, and the bill's rule says that; nothing is said where nothing was cached."""
    model = Model("m", "p", "m", prices=(PriceRule(Decimal(1), Decimal(2), label="peak", source="test"),))
    made = bill(model, Usage(1_000_000, 500_000, output_visible=0), at=NOON, multiplier=Decimal("1.1"))
    assert made.total_usd == Decimal("1.65")
    assert made.rule is not None
    assert made.rule.label == "peak; cached input at most, at the price of input"
    assert made.rule.cached_input == Decimal("1.1")
    assert bill(model, Usage(1_000_000, 0, output_visible=0), at=NOON).rule == model.prices[0]
    unpriced = Model("m", "p", "m", prices=(PriceRule(None, Decimal(2), source="test"),))
    assert bill(unpriced, Usage(0, 5, output_visible=0), at=NOON).reason == "no price for cached input is known"


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-11-20", "peak"), ("2026-11-21", "peak"), ("2026-11-22", "peak; was promised until 2026-11-21")],
)
@pytest.mark.parametrize("tier", ["standard", "flex"])
def test_a_promise_that_is_over_is_said(day: str, expected: str, tier: str) -> None:
    """After the last day for which the maker promised a price, its label says so; the price stays, since no other is known."""
    rule = PriceRule(Decimal(1), Decimal(2), label="peak", guaranteed_until=date(2026, 11, 21), source="test")
    model = Model("m", "p", "m", prices=(rule,), service_tiers={"flex": Decimal("0.5")})
    found = rule_at(model, at=at(f"{day}T23:59"), input_tokens=1, service_tier=tier)
    assert found is not None
    assert (found.label, found.input) == (expected, Decimal(1) if tier == "standard" else Decimal("0.5"))
    assert next_change(model, at=at(f"{day}T23:59"), input_tokens=1) is None


def test_zero_tokens_cost_nothing_whatever_their_price() -> None:
    """An empty bucket costs 0 even where its price is unknown."""
    made = bill(FLASH, Usage(0, 0, 0, 0, 0, 0), at=NOON)
    assert made.total_usd == Decimal(0)
    assert made.reason == ""


def test_one_side_may_be_known() -> None:
    """Where only the output is unknown, the input's cost is still said."""
    made = bill(FLASH, Usage(input_uncached=1_000_000), at=NOON)
    assert (made.total_usd, made.input_usd, made.output_usd) == (None, Decimal("0.15"), None)


def test_service_tiers() -> None:
    """A tier is the standard price times its multiplier, of the same prompt size; an unlisted tier has no price."""
    sol = CATALOG.find_model("gpt-6.1-sol")
    half = rule_at(sol, at=NOON, input_tokens=272_001, service_tier="flex")
    assert half is not None
    assert (half.input, half.output, half.cached_input) == (Decimal(2), Decimal("7.5"), Decimal("0.10"))
    assert half.service_tier == "flex"
    assert rule_at(FLASH, at=NOON, input_tokens=1, service_tier="batch") is None
    made = bill(FLASH, Usage(5, output_visible=5), at=NOON, service_tier="batch")
    assert made.total_usd is None
    assert "service tier batch" in made.reason


def test_a_tier_with_rules_of_its_own() -> None:
    """Rules written for a tier win over the multiplier."""
    standard = PriceRule(input=Decimal(2), output=Decimal(4))
    batch = standard._replace(input=Decimal("0.9"), service_tier="batch")
    model = Model("m", "p", "m", prices=(standard, batch), service_tiers={"batch": Decimal("0.5")})
    found = rule_at(model, at=NOON, input_tokens=1, service_tier="batch")
    assert found is not None
    assert found.input == Decimal("0.9")
    assert rule_at(model, at=NOON, input_tokens=1) == standard


def test_host_multiplier() -> None:
    """A regional surcharge raises every price, and the bill's rule shows the prices as charged."""
    model = CATALOG.find_model("mistral-eu/mistral-small-2603")
    surcharge = CATALOG.providers["mistral-eu"].price_multiplier
    made = bill(model, Usage(1_000_000, 1_000_000, output_visible=1_000_000), at=NOON, multiplier=surcharge)
    assert made.total_usd == Decimal("0.8415")
    assert made.rule is not None
    assert made.rule.output == Decimal("0.66")


def test_a_charge_asks_for_no_conditions() -> None:
    """A rule is applied as it stands, whether its hour or size fits or not; the bill holds the prices as charged."""
    rule = PriceRule(input=Decimal(2), output=Decimal(4), hours=(HourWindow(0, 60),), up_to_input_tokens=1)
    one = charge(rule, Usage(input_uncached=1_000_000, output_visible=500_000), multiplier=Decimal("1.5"))
    assert (one.input_usd, one.output_usd, one.total_usd) == (3, 3, 6)
    assert one.rule is not None
    assert (one.rule.input, one.rule.hours) == (3, rule.hours)


def test_rules_of_other_hours() -> None:
    """What another hour or day of now could pick, up to the rule behind which none is reached; nothing without hours."""
    peak = PriceRule(input=Decimal(2), output=None, label="peak", hours=(HourWindow(60, 120),))
    past = PriceRule(input=Decimal(8), output=None, label="past", valid_to=at("2026-11-01T00:00:00"))
    small = PriceRule(input=Decimal(1), output=None, label="small", up_to_input_tokens=10)
    batch = PriceRule(input=Decimal(3), output=None, label="batch", service_tier="batch")
    rest, never = PriceRule(input=Decimal(1), output=None, label="rest"), PriceRule(input=Decimal(9), output=None, label="never")
    one = Model(name="m", provider="p", id="m", prices=(past, batch, peak, small, rest, never))
    assert [rule.label for rule in rules_of_other_hours(one, at=NOON, input_tokens=11)] == ["peak", "rest"]
    assert [rule.label for rule in rules_of_other_hours(one, at=NOON, input_tokens=10)] == ["peak", "small"]
    assert rules_of_other_hours(one._replace(prices=(rest,)), at=NOON, input_tokens=1) == ()


@given(st.integers(0, 7 * 24 * 60), st.sampled_from(["deepseek-flash", "deepseek-v4-pro"]), st.integers(0, 2_000_000))
def test_the_rule_of_each_hour_is_among_those_of_the_week(minutes: int, name: str, size: int) -> None:
    """Whenever in the week it is, the rule in force is one that another hour could have picked."""
    model, when = CATALOG.find_model(name), NOON + timedelta(minutes=minutes)
    assert rule_at(model, at=when, input_tokens=size) in rules_of_other_hours(model, at=NOON, input_tokens=size)


def test_project() -> None:
    """A projection is the bill of the usage it describes."""
    made = project(FLASH, input_tokens=10_000, output_tokens=1_000, at=NOON, cached_tokens=9_000)
    assert made.total_usd == Decimal("0.000777")
    with pytest.raises(ValueError, match="larger"):
        project(FLASH, input_tokens=10, output_tokens=1, at=NOON, cached_tokens=11)


@pytest.mark.parametrize(
    ("name", "now", "change", "price"),
    [
        ("deepseek-flash", "2026-11-24T00:59:59.5", "2026-11-24T01:00", "0.30"),
        ("deepseek-flash", "2026-11-24T01:00:00", "2026-11-24T04:00", "0.15"),
        ("deepseek-flash", "2026-11-24T03:59:59", "2026-11-24T04:00", "0.15"),
        ("deepseek-flash", "2026-11-24T04:00:00", "2026-11-24T06:00", "0.30"),
        ("deepseek-flash", "2026-11-24T06:00:00", "2026-11-24T10:00", "0.15"),
        ("deepseek-flash", "2026-11-24T10:00:00", "2026-11-25T01:00", "0.30"),
        ("deepseek-flash", "2026-11-27T10:00:00", "2026-11-30T01:00", "0.30"),  # over the weekend
        ("deepseek-flash", "2026-09-24T10:00:00", "2026-09-28T01:00", "0.30"),  # over a holiday and the weekend
        ("deepseek-flash", "2026-09-30T10:00:00", "2026-10-08T01:00", "0.30"),  # over the October holidays
        ("deepseek-flash", "2026-09-10T03:00:00", "2026-09-10T04:00", "0.15"),  # its first price
        ("deepseek-v4-flash", "2026-08-16T12:00:00", "2026-08-16T16:00", "0.22"),
        ("deepseek-v4-flash", "2026-08-22T10:00:00", "2026-08-24T01:00", "0.44"),
        ("deepseek-v4-flash", "2026-04-24T00:00:00", "2026-04-26T00:00", "0.14"),
        ("deepseek-v4-flash", "2025-01-01T00:00:00", "2026-04-24T00:00", "0.14"),
        ("deepseek-v4-flash", "2026-09-10T03:30:00", "2026-09-10T04:00", "0.15"),
        ("mistral-large-4", "2026-10-19T23:00:00", "2026-10-20T00:00", "1.36"),
        ("mistral-large-4", "2026-10-20T00:00:00", "2026-10-29T00:00", "0.70"),
        ("claude-sonnet-5-5", "2026-10-01T00:00:00", "2026-10-07T00:00", "2"),
        ("deepseek-chat", "2026-04-01T00:00:00", "2026-04-24T00:00", None),
        ("deepseek-chat", "2025-03-01T00:00:00", "2025-03-01T00:30", "0.27"),
        ("deepseek-chat", "2025-03-01T16:30:00", "2025-03-02T00:30", "0.27"),  # midnight changes nothing
        ("deepseek-chat", "2025-08-31T23:00:00", "2025-09-01T00:00", None),
    ],
)
def test_next_change(name: str, now: str, change: str, price: str | None) -> None:
    """The next change is the exact instant of another price, with the rule from then on."""
    found = next_change(CATALOG.find_model(name), at=at(now), input_tokens=1000)
    assert found is not None
    moment, rule = found
    assert moment == at(change)
    assert (rule.input if rule else None) == (Decimal(price) if price else None)


@pytest.mark.parametrize("name", ["mistral-large-4", "gpt-6.1-sol", "claude-sonnet-5-5", "openrouter/auto"])
def test_no_change_to_come(name: str) -> None:
    """A price without a later row and without hours has no next change."""
    assert next_change(CATALOG.find_model(name), at=NOON, input_tokens=1000) is None


@pytest.mark.parametrize(
    ("instant", "expected"),
    [("2027-01-01T02:00", True), ("2027-01-01T12:00", False), ("2026-12-31T02:00", False)],
)
def test_unpublished_holidays_are_said(instant: str, expected: bool) -> None:
    """A peak price in a year without a published calendar can be recognised."""
    assert relies_on_unpublished_calendar(FLASH, at=at(instant)) is expected


TOKENS = st.integers(min_value=0, max_value=20_000)
USAGES = st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS)
INSTANTS = st.datetimes(datetime(2026, 9, 11), datetime(2027, 6, 1), timezones=st.just(UTC))
PRICED = st.sampled_from([name for name, model in CATALOG.models.items() if model.prices])


def _plus(one: Usage, other: Usage) -> Usage:
    return Usage(
        (one.input_uncached or 0) + (other.input_uncached or 0),
        (one.cache_read or 0) + (other.cache_read or 0),
        (one.cache_write_short or 0) + (other.cache_write_short or 0),
        (one.cache_write_long or 0) + (other.cache_write_long or 0),
        (one.output_visible or 0) + (other.output_visible or 0),
        (one.output_reasoning or 0) + (other.output_reasoning or 0),
    )


@given(USAGES, USAGES, INSTANTS)
def test_a_bill_is_additive(one: Usage, other: Usage, when: datetime) -> None:
    """Two calls in one cost what they cost apart, as long as the same rule holds (no size tiers here)."""
    model = CATALOG.find_model("claude-opus-5-5")
    apart = [bill(model, usage, at=when).total_usd for usage in (one, other)]
    together = bill(model, _plus(one, other), at=when).total_usd
    assert apart[0] is not None
    assert apart[1] is not None
    assert together == apart[0] + apart[1]


@given(PRICED, USAGES, INSTANTS)
def test_a_bill_is_never_negative_and_sums_its_sides(name: str, usage: Usage, when: datetime) -> None:
    """A total is the sum of its sides and not negative, or there is none and a reason."""
    made = bill(CATALOG.find_model(name), usage, at=when)
    if made.total_usd is None:
        assert made.reason
    else:
        assert made.input_usd is not None
        assert made.output_usd is not None
        assert made.total_usd == made.input_usd + made.output_usd
        assert made.input_usd >= 0
        assert made.output_usd >= 0


@given(PRICED, INSTANTS)
def test_nothing_changes_before_the_next_change(name: str, when: datetime) -> None:
    """The price one microsecond before the next change is still today's, and at the change it is another."""
    model = CATALOG.find_model(name)
    found = next_change(model, at=when, input_tokens=1000)
    if found is not None:
        moment, rule = found
        now = rule_at(model, at=when, input_tokens=1000)
        before = max(when, moment - timedelta(microseconds=1))
        assert moment > when
        assert rule_at(model, at=before, input_tokens=1000) == now
        assert rule_at(model, at=moment, input_tokens=1000) == rule != now
