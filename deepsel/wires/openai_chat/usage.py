"""Maps the usage objects of the wire `openai-chat`, whose totals contain what was cached; pure."""

from __future__ import annotations

from deepsel.values import JsonObject, Usage
from deepsel.wires.buckets import at_most, bucketed, cache_writes, if_known, outputs
from deepsel.wires.fields import child, count, first_count


def openai_usage(usage: JsonObject) -> Usage | None:
    """Read an OpenAI-style `usage`, with either family of cache fields; None where it holds no count."""
    details = child(usage, "prompt_tokens_details") or child(usage, "prompt_token_details")
    read = first_count(
        details.get("cached_tokens"),
        usage.get("prompt_cache_hit_tokens"),
        usage.get("num_cached_tokens"),
        usage.get("cache_read_input_tokens"),
    )
    write, write_long = cache_writes(usage, details)
    total = count(usage.get("prompt_tokens"))
    if total is None:
        uncached = count(usage.get("prompt_cache_miss_tokens"))
    else:
        read = at_most(read, total)
        write = at_most(write, total - (read or 0))
        uncached = total - (read or 0) - (write or 0)
    completion_details = child(usage, "completion_tokens_details")
    visible, reasoning = outputs(usage.get("completion_tokens"), completion_details.get("reasoning_tokens"))
    return if_known(bucketed(uncached, read, write, write_long, visible, reasoning))
