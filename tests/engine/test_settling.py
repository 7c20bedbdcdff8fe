"""What a call costs, however it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from deepsel.catalog import Catalog
from deepsel.engine.attempt import Draft, settle, settle_failed
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.tokens import Count
from deepsel.values import Finish, Identity, Model, PriceRule, Provider, Source, Usage

RULE = PriceRule(input=Decimal(1), output=Decimal(2), cached_input=Decimal("0.1"), source="test")
INPUT = Count(100, Source.COUNTED, 0.0, "o200k_base")


def _draft(**changes: Any) -> Draft:
    model = Model(
        name="m", provider="p", id="m", vocabulary="o200k_base", prices=(RULE,), service_tiers={"priority": Decimal(2)}
    )
    host = Provider(name="p", wire="openai-chat", base_url="http://127.0.0.1:1")
    draft = Draft(model, host, 1000, datetime(2026, 11, 24, tzinfo=UTC), 0.0, Catalog())
    for name, value in changes.items():
        setattr(draft, name, value)
    return draft


def _cost(error: ErrorClass, status: int | None = 200, **changes: Any) -> Decimal | None:
    return settle_failed(_draft(**changes), AttemptFailed(error, "x", http_status=status), INPUT).cost_usd


@pytest.mark.parametrize("error", [ErrorClass.AUTH, ErrorClass.BILLING, ErrorClass.RATE_LIMITED, ErrorClass.OVERLOADED])
def test_a_refusal_costs_nothing(error: ErrorClass) -> None:
    """A call that was refused before anything was said is free, also inside a 200."""
    assert _cost(error) == 0


def test_a_redirect_costs_nothing() -> None:
    """Nobody answered."""
    assert _cost(ErrorClass.MALFORMED, 301) == 0


@pytest.mark.parametrize("error", [ErrorClass.OVERLOADED, ErrorClass.SERVER, ErrorClass.STREAM_CUT])
def test_an_error_after_text_is_priced_by_what_came(error: ErrorClass) -> None:
    """Text that came was paid for, whatever the error is called."""
    cost = _cost(error, text="Some words of an answer.")
    assert cost is not None
    assert cost > Decimal(100) / 10**6


def test_nothing_seen_is_unknown_not_free() -> None:
    """A call that broke off without a sign may have been billed."""
    assert _cost(ErrorClass.STALLED, None) is None


def test_a_placeholder_is_not_the_output() -> None:
    """Usage that was reported before the text was written (Anthropic's message_start) keeps its input, not its output."""
    early = Usage(input_uncached=80, cache_read=20, output_visible=1)
    settled = settle(_draft(text="one two three four five six", usage=early), INPUT)
    assert (settled.usage.input_tokens, settled.usage.output_tokens) == (100, 6)
    assert settled.usage.source is Source.COUNTED


def test_the_tier_that_was_asked_for_is_priced() -> None:
    """A request for the priority tier costs what that tier costs."""
    usage = Usage(input_uncached=10, output_visible=10)
    standard = settle(_draft(text="x", usage=usage, finish=Finish.COMPLETE), INPUT).cost_usd
    priority = settle(_draft(text="x", usage=usage, finish=Finish.COMPLETE, service_tier="priority"), INPUT).cost_usd
    assert standard is not None
    assert priority == 2 * standard


def test_what_a_host_states_is_no_bound() -> None:
    """Cached input without a stated price is a bound of ours, until the host says what it charges."""
    usage = Usage(input_uncached=10, cache_read=90, output_visible=10)
    draft = _draft(text="x", usage=usage, finish=Finish.COMPLETE)
    draft.model = draft.model._replace(prices=(RULE._replace(cached_input=None),))
    own = settle(draft, INPUT)
    assert own.cost_usd == Decimal(120) / 10**6
    assert own.bill.rule is not None
    assert own.bill.rule.is_at_most
    draft.stated_cost_usd = Decimal("0.00001")
    stated = settle(draft, INPUT)
    assert stated.cost_usd == Decimal("0.00001")
    assert stated.bill.rule is not None
    assert not stated.bill.rule.is_at_most


def test_the_tier_that_was_used_is_priced() -> None:
    """Where the answer names another tier than was asked for, that one is billed."""
    draft = _draft(text="x", usage=Usage(input_uncached=10, output_visible=10), finish=Finish.COMPLETE)
    draft.service_tier = "priority"
    draft.take(Identity(service_tier="default"), 0.0)
    assert settle(draft, INPUT).cost_usd == Decimal(30) / 10**6
    draft.take(Identity(service_tier="fast"), 0.0)
    assert settle(draft, INPUT).cost_usd == Decimal(60) / 10**6
