"""Maps the usage objects of the wire `openai-responses`, whose totals contain what was cached and what was thought; pure."""

from __future__ import annotations

from deepsel.values import JsonObject, Usage, UsageReport
from deepsel.wires.buckets import at_most, bucketed, cache_writes, outputs, reported
from deepsel.wires.fields import child, count, first_count

_COUNTS = ("input_tokens", "output_tokens")


def usage_report(usage: JsonObject) -> UsageReport | None:
    """Read a response's `usage`; None where it says nothing."""
    return reported(usage, responses_usage(usage), _COUNTS, beside=_beside(usage))


def responses_usage(usage: JsonObject) -> Usage:
    """Read the buckets of a `usage`; where its numbers contradict each other the totals are kept."""
    details = child(usage, "input_tokens_details")
    total = count(usage.get("input_tokens"))
    read = first_count(details.get("cached_tokens"), usage.get("cached_tokens"))
    write, write_long = cache_writes(usage, details)
    uncached = None
    if total is not None:
        read = at_most(read, total)
        write = at_most(write, total - (read or 0))
        uncached = total - (read or 0) - (write or 0)
    visible, thought = outputs(usage.get("output_tokens"), _reasoning(usage), is_beside=_beside(usage) > 0)
    return bucketed(uncached, read, write, write_long, visible, thought)


def _reasoning(usage: JsonObject) -> int | None:
    return count(child(usage, "output_tokens_details").get("reasoning_tokens"))


def _beside(usage: JsonObject) -> int:
    """Return the reasoning that the output does not contain: `total_tokens`, or a reasoning larger than the output, tells of it."""
    thought, written = _reasoning(usage) or 0, count(usage.get("output_tokens"))
    read, total = count(usage.get("input_tokens")), count(usage.get("total_tokens"))
    if written is None or not thought:
        return 0
    if read is not None and total:
        return thought if total == read + written + thought else 0 if total == read + written else thought * (thought > written)
    return thought if thought > written else 0
