"""Maps the usage objects of the wire `anthropic-messages`, whose totals do not contain what was cached; pure."""

from __future__ import annotations

from deepsel.values import JsonObject, Usage, UsageReport
from deepsel.wires.buckets import bucketed, cache_writes, if_known, outputs, reported
from deepsel.wires.fields import child, count

_COUNTS = ("input_tokens", "output_tokens")


def usage_report(usage: JsonObject) -> UsageReport | None:
    """Read what was reported so far; None where that is no usage."""
    return reported(usage, anthropic_usage(usage) or Usage(), _COUNTS)


def anthropic_usage(usage: JsonObject) -> Usage | None:
    """Read an Anthropic `usage`, whose `input_tokens` holds nothing cached; None where it holds no count."""
    write, write_long = cache_writes(usage, {})
    details = child(usage, "output_tokens_details")
    visible, reasoning = outputs(usage.get("output_tokens"), details.get("thinking_tokens"))
    uncached, read = count(usage.get("input_tokens")), count(usage.get("cache_read_input_tokens"))
    return if_known(bucketed(uncached, read, write, write_long, visible, reasoning))
