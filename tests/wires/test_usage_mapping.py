"""Usage objects of each provider, mapped onto the disjoint buckets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.values import Usage, UsageReport
from deepsel.wires.anthropic_messages.usage import anthropic_usage
from deepsel.wires.buckets import stated_cost_usd
from deepsel.wires.fields import load_object
from deepsel.wires.openai_chat.usage import openai_usage, usage_report


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
                     usage(None, None, None, None, 5, 9), id="more-reasoning-than-output"),
        pytest.param({"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12,
                      "completion_tokens_details": {"reasoning_tokens": 9}},
                     usage(7, None, None, None, 0, 5), id="more-reasoning-than-output-and-a-total"),
        pytest.param({"prompt_tokens": 14, "completion_tokens": 2, "total_tokens": 333,
                      "completion_tokens_details": {"reasoning_tokens": 317}},
                     usage(14, None, None, None, 2, 317), id="xai-reasoning-beside"),
        pytest.param({"prompt_tokens": 14, "completion_tokens": 400, "total_tokens": 731,
                      "completion_tokens_details": {"reasoning_tokens": 317}},
                     usage(14, None, None, None, 400, 317), id="xai-long-answer"),
        pytest.param({"prompt_tokens": 14, "completion_tokens": 2, "total_tokens": 333},
                     usage(14, None, None, None, 2, 317), id="gemini-reasoning-in-the-total-alone"),
        pytest.param({"prompt_tokens": 14, "completion_tokens": 20, "total_tokens": 34,
                      "completion_tokens_details": {"reasoning_tokens": 17}},
                     usage(14, None, None, None, 3, 17), id="reasoning-inside"),
        pytest.param({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, "cache_read_input_tokens": 30},
                     usage(10, 30, None, None, 5, None), id="cache-beside"),
        pytest.param({"prompt_tokens": 2, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 10}},
                     usage(2, 10, None, None, 5, None), id="cache-beside-without-a-total"),
        pytest.param({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 3}, usage(10, None, None, None, 5, None),
                     id="total-too-small"),
        pytest.param({"input_tokens": 10, "output_tokens": 5}, usage(10, None, None, None, 5, None), id="other-names"),
        pytest.param({"prompt_tokens": 8, "completion_tokens": 5, "cached_tokens": 4}, usage(4, 4, None, None, 5, None), id="kimi"),
        pytest.param({"prompt_tokens": 2**4000, "completion_tokens": 1e400}, None, id="beyond-all-bounds"),
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
        ({"cost": "0.00014"}, "0.00014"),
        ({"cost": "$0.5"}, "0.5"),
        ({"cost": {"total": 0.25, "input": 0.2, "output": 0.05}}, "0.25"),
        ({"cost": {"total_cost": "0.006", "request_cost": 0.005}}, "0.006"),
        ({"cost": {"amount": 3, "currency": "CNY"}}, None),
        ({"cost": 1.2300000000000002e-05}, "0.0000123"),
        ({"cost": 0.1 + 0.2}, "0.3"),
        ({"cost": "0.00030000000000000003"}, "0.0003"),
        ({"cost": 123456.78000000001}, "123456.78"),
        ({"cost": 0.00012345678901}, "0.000123456789"),
        ({"cost": "0.0000"}, "0"),
        ({"cost": {"input": 0.2}}, None),
        ({"total_cost": 0.2}, "0.2"),
        ({"cost": "1e999999"}, None),
        ({"cost": 1e20}, None),
        ({"cost": 2**4000}, None),
        ({"cost": "1_000"}, None),
        ({"cost": "٣"}, None),
        ({"cost": "0.1e-99"}, "0"),
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


@pytest.mark.parametrize(
    ("document", "report"),
    [
        ({"choices": [{"usage": {"prompt_tokens": 8, "completion_tokens": 5}}]}, UsageReport(usage(8, None, None, None, 5))),
        ({"x_groq": {"usage": {"prompt_tokens": 8}}}, UsageReport(usage(8))),
        ({"usage": None, "choices": [None, {"usage": "x"}]}, None),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": "9"}},
         UsageReport(Usage(), odd=("prompt_tokens", "completion_tokens"))),
        ({"usage": {"prompt_tokens": 14, "completion_tokens": 2, "total_tokens": 20}},
         UsageReport(usage(14, None, None, None, 2, 4), beside=4)),
    ],
)  # fmt: skip
def test_where_usage_stands(document: Any, report: UsageReport | None) -> None:
    """Usage is found wherever hosts put it, with what is no number and what the bound on the answer does not bound."""
    assert usage_report(document) == report


def test_a_later_report_takes_nothing_back() -> None:
    """Zeros after a real report, and sides that are missing, leave what is known; other numbers replace it."""
    real = usage(10, 4, None, None, 7, 3)
    assert usage(0, None, None, None, 0).after(real) == real
    assert Usage().after(real) == real
    assert usage(0, None, None, None, 9).after(real) == usage(10, 4, None, None, 9, None)
    assert usage(12, None, None, None, 9).after(real) == usage(12, None, None, None, 9, None)
    assert usage(0, None, None, None, 0).after(None) == usage(0, None, None, None, 0)


@given(REPORTS)
def test_totals_are_kept_and_nothing_is_negative(reported: Any) -> None:
    """No bucket is negative, and they add up to the provider's own totals; to more only where more was cached than it has."""
    for read in (openai_usage, anthropic_usage):
        found = read(reported) or Usage()
        counts = [found.input_uncached, found.cache_read, found.cache_write_short, found.cache_write_long,
                  found.output_visible, found.output_reasoning]  # fmt: skip
        assert all(count is None or count >= 0 for count in counts)
    total = reported.get("prompt_tokens")
    if "total_tokens" not in reported and type(total) is int and total >= 0:
        found = openai_usage(reported)
        assert found is not None
        cached = found.input_tokens - (found.input_uncached or 0)
        assert found.input_tokens == total or (found.input_tokens == total + cached and cached > total)


@pytest.mark.parametrize("cost", [-1, "1e999999", 1e20, 2**4000, "1_000", True, {"total": "x"}, [1]], ids=lambda one: str(one)[:12])
def test_a_charge_that_cannot_be_is_told(cost: Any) -> None:
    """Where a charge should stand and none does, the report names the member; null, nothing and other currencies are no charge."""
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    found = usage_report({"usage": {**usage, "cost": cost}})
    assert found is not None
    assert (found.cost_usd, found.odd) == (None, ("cost",))
    for silent in (None, "", "null", {"amount": 3, "currency": "CNY"}):
        told = usage_report({"usage": {**usage, "cost": silent}})
        assert told is not None
        assert told.odd == ()


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_without_end_costs_no_answer(digits: int) -> None:
    """A count that Python itself would not read is no count, and the rest of the document is what it is."""
    document = load_object('{"a": "text", "usage": {"prompt_tokens": ' + "9" * digits + "}}")
    assert document["a"] == "text"
    report = usage_report(document)
    assert report is not None
    assert report.odd == ("prompt_tokens",)
