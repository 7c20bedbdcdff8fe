"""Reported usage held against what was sent and what came."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.catalog import Catalog
from deepsel.engine.attempt import Draft, reached_limit, settle
from deepsel.tokens import Count
from deepsel.values import Finish, Model, PriceRule, Provider, Source, Usage

WORDS = "one two three four five six"
RULE = PriceRule(input=Decimal(1), output=Decimal(2), cached_input=Decimal("0.1"), source="test")


def draft(usage: Usage | None, *, window: int | None = 32_000, **changes: Any) -> Draft:
    model = Model(name="m", provider="p", id="m", vocabulary="o200k_base", prices=(RULE,), context_window=window)
    host = Provider(name="p", wire="openai-chat", base_url="http://127.0.0.1:1")
    made = Draft(model, host, 1000, datetime(2026, 11, 24, tzinfo=UTC), 0.0, Catalog())
    for name, value in {"text": WORDS, "usage": usage, "finish": Finish.COMPLETE, "sent_bytes": 600, **changes}.items():
        setattr(made, name, value)
    return made


def used(read: int | None, written: int | None, reasoning: int | None = None) -> Usage:
    return Usage(input_uncached=read, output_visible=written, output_reasoning=reasoning)


def sent(tokens: int) -> Count:
    return Count(tokens, Source.COUNTED, 0.0, "o200k_base")


IMPOSSIBLE = {
    "zero input": (used(0, 6), 12, {}, (12, 6)),
    "zero output beside text": (used(12, 0), 12, {}, (12, 6)),
    "all zero": (used(0, 0), 12, {}, (12, 6)),
    "900 million read": (used(900_000_000, 6), 12, {}, (12, 6)),
    "900 million written": (used(12, 900_000_000), 12, {}, (12, 6)),
    "900 million thought": (used(12, 6, 900_000_000), 12, {}, (12, 6)),
    "more than the window and the bytes": (used(32_001, 6), 12, {}, (12, 6)),
    "more than the bound and the bytes": (used(12, 1100), 12, {}, (12, 6)),
    "no number": (used(None, None), 12, {"odd_usage": ("prompt_tokens", "completion_tokens")}, (12, 6)),
    "no number of output": (used(12, None), 12, {"odd_usage": ("completion_tokens",)}, (12, 6)),
    "a tenth of what was written": (used(12, 20), 12, {"text": WORDS * 50}, (12, 300)),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_cannot_be_is_no_report(case: str) -> None:
    """A side of the usage that cannot be is counted instead, and that is said; the other side stands."""
    usage, tokens, changes, counts = IMPOSSIBLE[case]
    settled = settle(draft(usage, **changes), sent(tokens))
    assert settled.usage.input_tokens == counts[0]
    assert settled.usage.output_tokens in range(counts[1] * 8 // 10, counts[1] + 1)
    assert settled.usage.source is Source.COUNTED
    assert {notice.code for notice in settled.notices} == {"usage_counted"}
    assert settled.cost_usd == Decimal(counts[0] + 2 * (settled.usage.output_tokens or 0)) / 10**6


POSSIBLE = {
    "as counted": (used(12, 6), 12, {}),
    "a host's own prompt": (used(500, 6), 12, {}),
    "more than the window, but sent": (used(40_000, 6), 30_000, {"sent_bytes": 160_000}),
    "hidden reasoning within the bound": (used(12, 900), 12, {}),
    "reasoning beside the bound": (used(12, 6, 5000), 12, {"beside": 5000}),
    "reasoning that came": (used(12, 1500), 12, {"reasoning": "word " * 1500}),
    "no text": (used(12, 0), 12, {"text": "", "finish": Finish.LENGTH}),
    "few tokens for blanks": (used(12, 6), 12, {"text": " " * 400}),
    "pictures": (used(300, 6), 1200, {"has_media": True}),
    "half of a short prompt": (used(20, 6), 60, {}),
}


@pytest.mark.parametrize("case", POSSIBLE)
def test_what_can_be_is_billed_as_reported(case: str) -> None:
    """Hosts add prompts, hide reasoning and count in their own way: that is theirs to say."""
    usage, tokens, changes = POSSIBLE[case]
    settled = settle(draft(usage, **changes), sent(tokens))
    assert (settled.usage, settled.notices, settled.is_doubted) == (usage, (), False)


def test_much_more_than_was_sent_is_said() -> None:
    """A count far beyond the bytes that were sent is billed as reported, with a warning."""
    settled = settle(draft(used(39_320, 6), window=None), sent(12))
    assert settled.usage.input_tokens == 39_320
    assert [notice.code for notice in settled.notices] == ["usage_high"]


def test_a_prompt_that_was_dropped_is_said() -> None:
    """A model that read less than half of what was sent may have dropped the rest: a warning, and nothing is stored."""
    settled = settle(draft(used(2_051, 6), sent_bytes=200_000), sent(57_313))
    assert settled.usage.input_tokens == 2_051
    assert [notice.code for notice in settled.notices] == ["prompt_dropped"]
    assert settled.is_doubted
    unsure = Count(100, Source.ESTIMATED, 60.0, "a guess")
    assert not settle(draft(used(30, 6)), unsure).is_doubted


@pytest.mark.parametrize(
    ("usage", "beside", "is_reached"),
    [
        (used(12, 1000), 0, True),
        (used(12, 1001), 0, True),
        (used(12, 999), 0, False),
        (used(12, 600, 400), 0, True),
        (used(12, 600, 400), 400, False),
        (used(12, 1000, 400), 400, True),
        (used(12, 300, 5000), 0, False),
        (used(12, 900_000_000), 0, False),
        (None, 0, False),
    ],
)
def test_the_limit_is_reached_by_what_it_bounds(usage: Usage | None, beside: int, is_reached: bool) -> None:
    """Reasoning that the bound does not bound, and counts far beyond it, do not make a whole answer a cut one."""
    assert reached_limit(draft(usage, beside=beside)) is is_reached


COUNTS = st.none() | st.integers(0, 10**12)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(0, 10**6), st.sampled_from([None, 1000, 10**6]), st.sampled_from([*Finish, None]))
def test_a_bill_is_always_possible(
    read: int | None, cached: int | None, written: int | None, thought: int | None, tokens: int, window: int | None, finish: Any
) -> None:
    """Whatever is reported, what is billed was possibly read and written."""
    usage = Usage(read, cached, None, None, written, thought)
    settled = settle(draft(usage, window=window, finish=finish), sent(tokens))
    assert 0 <= (settled.usage.input_tokens or 0) <= max(600, 4 * tokens) + 100_000
    assert 0 <= (settled.usage.output_tokens or 0) <= 1000 + 64 + max(window or 2_000_000, 1000)
    assert settled.cost_usd is not None
