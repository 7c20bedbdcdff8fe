"""Maps providers' usage objects onto the disjoint buckets; pure. Absent is None, and a reported zero stays zero.

OpenAI-style totals contain what was cached, Anthropic's do not. Where numbers contradict each other the total is kept
and the parts are cut to fit, so that no bucket is ever negative.
"""

from __future__ import annotations

from decimal import Decimal

from deepsel.providers.fields import amount, child, count, first_count
from deepsel.values import JsonObject, Usage


def openai_usage(usage: JsonObject) -> Usage | None:
    """Read an OpenAI-style `usage`, with either family of cache fields; None where it holds no count."""
    details = child(usage, "prompt_tokens_details") or child(usage, "prompt_token_details")
    read = first_count(
        details.get("cached_tokens"),
        usage.get("prompt_cache_hit_tokens"),
        usage.get("num_cached_tokens"),
        usage.get("cache_read_input_tokens"),
    )
    write, write_long = _writes(usage, details)
    total = count(usage.get("prompt_tokens"))
    if total is None:
        uncached = count(usage.get("prompt_cache_miss_tokens"))
    else:
        read = _at_most(read, total)
        write = _at_most(write, total - (read or 0))
        uncached = total - (read or 0) - (write or 0)
    completion_details = child(usage, "completion_tokens_details")
    visible, reasoning = _output(usage.get("completion_tokens"), completion_details.get("reasoning_tokens"))
    return _known(_usage(uncached, read, write, write_long, visible, reasoning))


def anthropic_usage(usage: JsonObject) -> Usage | None:
    """Read an Anthropic `usage`, whose `input_tokens` holds nothing cached; None where it holds no count."""
    write, write_long = _writes(usage, {})
    details = child(usage, "output_tokens_details")
    visible, reasoning = _output(usage.get("output_tokens"), details.get("thinking_tokens"))
    uncached, read = count(usage.get("input_tokens")), count(usage.get("cache_read_input_tokens"))
    return _known(_usage(uncached, read, write, write_long, visible, reasoning))


def stated_cost_usd(usage: JsonObject) -> Decimal | None:
    """Return the charge OpenRouter states: its own cost, and the upstream's where that goes to the user's own key."""
    cost = amount(usage.get("cost"))
    if cost is None or usage.get("is_byok") is not True:
        return cost
    upstream = amount(child(usage, "cost_details").get("upstream_inference_cost"))
    return cost if upstream is None else cost + upstream


def _writes(usage: JsonObject, details: JsonObject) -> tuple[int | None, int | None]:
    """Return all tokens written to a cache, and those of them written for hours."""
    split = child(usage, "cache_creation")
    short, long = count(split.get("ephemeral_5m_input_tokens")), count(split.get("ephemeral_1h_input_tokens"))
    total = first_count(
        details.get("cache_write_tokens"),
        details.get("cache_creation_input_tokens"),
        usage.get("cache_creation_input_tokens"),
    )
    if total is None and (short is not None or long is not None):
        total = (short or 0) + (long or 0)
    return total, long


def _output(total: object, reasoning: object) -> tuple[int | None, int | None]:
    """Split the output into what is visible and what is reasoning."""
    written = count(total) if isinstance(total, int | float) else None
    thought = count(reasoning) if isinstance(reasoning, int | float) else None
    if written is None:
        return None, thought
    thought = _at_most(thought, written)
    return written - (thought or 0), thought


def _usage(
    uncached: int | None,
    read: int | None,
    write: int | None,
    long: int | None,
    visible: int | None,
    reasoning: int | None,
) -> Usage:
    long = _at_most(long, write) if write is not None else long
    return Usage(
        input_uncached=uncached,
        cache_read=read,
        cache_write_short=None if write is None else write - (long or 0),
        cache_write_long=long,
        output_visible=visible,
        output_reasoning=reasoning,
    )


def _at_most(value: int | None, limit: int) -> int | None:
    return None if value is None else min(value, limit)


def _known(usage: Usage) -> Usage | None:
    return usage if usage != Usage() else None
