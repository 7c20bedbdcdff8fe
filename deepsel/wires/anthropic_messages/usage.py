"""Maps the usage objects of the wire `anthropic-messages`, whose totals do not contain what was cached; pure."""

from __future__ import annotations

from deepsel.values import JsonObject, Usage
from deepsel.wires.buckets import bucketed, cache_writes, if_known, outputs
from deepsel.wires.fields import child, count


def anthropic_usage(usage: JsonObject) -> Usage | None:
    """Read an Anthropic `usage`, whose `input_tokens` holds nothing cached; None where it holds no count."""
    write, write_long = cache_writes(usage, {})
    details = child(usage, "output_tokens_details")
    visible, reasoning = outputs(usage.get("output_tokens"), details.get("thinking_tokens"))
    uncached, read = count(usage.get("input_tokens")), count(usage.get("cache_read_input_tokens"))
    return if_known(bucketed(uncached, read, write, write_long, visible, reasoning))
