"""Usage objects of each provider, mapped onto the disjoint buckets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.values import Usage
from deepsel.wires.anthropic_messages.usage import anthropic_usage
from deepsel.wires.buckets import stated_cost_usd
from deepsel.wires.openai_chat.usage import openai_usage


def usage(*buckets: int | None) -> Usage:
    return Usage(*buckets)


@pytest.mark.parametrize(
    ("reported", "buckets"),
    [
        pytest.param(
            {"prompt_tokens": 100, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36, "completion_tokens": 50,
             "prompt_tokens_details": {"cached_tokens": 64}, "completion_tokens_details": {"reasoning_tokens": 20}},
            usage(36, 64, None, None, 30, 20), id="deepseek",
        ),
        pytest.param({"prompt_tokens": 10, "completion_tokens": 5}, usage(10, None, None, None, 5, None), id="least"),
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 5,
             "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_input_tokens": 40}},
            usage(60, 0, 40, None, 5, None), id="qwen",
        ),
        pytest.param({"prompt_tokens": 10, "num_cached_tokens": 4, "completion_tokens": 5},
                     usage(6, 4, None, None, 5, None), id="mistral-older"),
        pytest.param({"prompt_tokens": 10, "prompt_token_details": {"cached_tokens": 4}, "completion_tokens": 5},
                     usage(6, 4, None, None, 5, None), id="mistral-spelling"),
        pytest.param(
            {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 50},
             "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 0}},
            usage(20, 30, 50, None, 9, 0), id="openai",
        ),
        pytest.param(
            {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 30}, "cache_read_input_tokens": 30,
             "cache_creation_input_tokens": 10, "completion_tokens": 9},
            usage(60, 30, 10, None, 9, None), id="litellm-both-families",
        ),
        pytest.param({"prompt_tokens": 0, "completion_tokens": 0}, usage(0, None, None, None, 0, None), id="zero"),
        pytest.param({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}, usage(0, 5), id="more-than-all"),
        pytest.param({"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 9}},
                     usage(None, None, None, None, 0, 5), id="more-reasoning-than-output"),
        pytest.param({"prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 4}, usage(4, 3), id="no-total"),
        pytest.param({"prompt_tokens": -5, "completion_tokens": "9"}, None, id="junk"),
        pytest.param({}, None, id="none"),
    ],
)  # fmt: skip
def test_openai_usage(reported: Any, buckets: Usage | None) -> None:
    """Cached and written input are taken out of the total, reasoning out of the output; absent stays absent."""
    assert openai_usage(reported) == buckets


@pytest.mark.parametrize(
    ("reported", "buckets"),
    [
        pytest.param(
            {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 30, "output_tokens": 50,
             "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
             "output_tokens_details": {"thinking_tokens": 15}},
            usage(10, 90, 20, 10, 35, 15), id="split",
        ),
        pytest.param({"input_tokens": 10, "cache_creation_input_tokens": 30}, usage(10, None, 30), id="short-by-default"),
        pytest.param({"input_tokens": 10, "cache_creation": {"ephemeral_1h_input_tokens": 7}}, usage(10, None, 0, 7),
                     id="split-only"),
        pytest.param({"input_tokens": 1, "cache_read_input_tokens": 63, "output_tokens": 2},
                     usage(1, 63, None, None, 2), id="llama-cpp"),
        pytest.param({"input_tokens": None}, None, id="none"),
    ],
)  # fmt: skip
def test_anthropic_usage(reported: Any, buckets: Usage | None) -> None:
    """Anthropic's input holds nothing cached; writes are short-lived unless said otherwise."""
    assert anthropic_usage(reported) == buckets


@pytest.mark.parametrize(
    ("reported", "cost"),
    [
        ({"cost": 0.00014}, "0.00014"),
        ({"cost": 0}, "0"),
        ({"cost": 0.1, "cost_details": {"upstream_inference_cost": 0.2}}, "0.1"),
        ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}}, "0.3"),
        ({"cost": 0.1, "is_byok": True}, "0.1"),
        ({"cost": -1}, None),
        ({"cost": float("nan")}, None),
        ({"cost": True}, None),
        ({}, None),
    ],
)
def test_stated_cost(reported: Any, cost: str | None) -> None:
    """A charge is taken as stated, with the upstream's only where the key is the user's own."""
    assert stated_cost_usd(reported) == (None if cost is None else Decimal(cost))


COUNTS = st.none() | st.integers(-5, 10**7) | st.floats(allow_nan=True) | st.booleans() | st.text(max_size=3)
NAMES = ("prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens", "input_tokens",
         "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "num_cached_tokens")  # fmt: skip
INNER = st.dictionaries(
    st.sampled_from(["cached_tokens", "cache_write_tokens", "reasoning_tokens", "ephemeral_5m_input_tokens",
                     "ephemeral_1h_input_tokens", "thinking_tokens"]), COUNTS, max_size=4)  # fmt: skip
REPORTS = st.builds(
    lambda flat, nested: {**flat, **nested},
    st.dictionaries(st.sampled_from(NAMES), COUNTS, max_size=6),
    st.dictionaries(st.sampled_from(["prompt_tokens_details", "completion_tokens_details", "cache_creation"]), INNER),
)


@given(REPORTS)
def test_totals_are_kept_and_nothing_is_negative(reported: Any) -> None:
    """Whatever is reported, no bucket is negative, and the buckets add up to the provider's own totals."""
    for read in (openai_usage, anthropic_usage):
        found = read(reported) or Usage()
        counts = [found.input_uncached, found.cache_read, found.cache_write_short, found.cache_write_long,
                  found.output_visible, found.output_reasoning]  # fmt: skip
        assert all(count is None or count >= 0 for count in counts)
    total = reported.get("prompt_tokens")
    if type(total) is int and total >= 0:
        found = openai_usage(reported)
        assert found is not None
        assert found.input_tokens == total
