"""Maps the usage objects of the wire `openai-chat`, whose totals contain what was cached; pure."""

from __future__ import annotations

from deepsel.values import JsonObject, Usage, UsageReport
from deepsel.wires.buckets import at_most, bucketed, cache_writes, if_known, outputs, reported
from deepsel.wires.fields import child, count, first_count, items

_COUNTS = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")


def usage_report(document: JsonObject) -> UsageReport | None:
    """Read what a chunk, or a whole answer, says of usage, wherever it stands; None where it says nothing."""
    usage = child(document, "usage") or child(child(document, "x_groq"), "usage") or _of_choice(document)
    if not usage:
        return None
    buckets, beside = _buckets(usage)
    return reported(usage, buckets, _COUNTS, beside=beside)


def openai_usage(usage: JsonObject) -> Usage | None:
    """Read an OpenAI-style `usage`, with either family of cache fields; None where it holds no count."""
    return if_known(_buckets(usage)[0])


def _buckets(usage: JsonObject) -> tuple[Usage, int]:
    """Return the buckets, and how much reasoning the completion does not contain."""
    details = child(usage, "prompt_tokens_details") or child(usage, "prompt_token_details")
    read = first_count(
        details.get("cached_tokens"),
        usage.get("prompt_cache_hit_tokens"),
        usage.get("num_cached_tokens"),
        usage.get("cached_tokens"),
        usage.get("cache_read_input_tokens"),
    )
    write, write_long = cache_writes(usage, details)
    total = _prompt(usage)
    reasoning, is_cache_beside = _beside(usage, cached=(read or 0) + (write or 0))
    if total is None:
        uncached = count(usage.get("prompt_cache_miss_tokens"))
    elif is_cache_beside:
        uncached = total
    else:
        read = at_most(read, total)
        write = at_most(write, total - (read or 0))
        uncached = total - (read or 0) - (write or 0)
    thought = reasoning or _reasoning(usage)
    visible, thought = outputs(_completion(usage), thought, is_beside=reasoning > 0)
    return bucketed(uncached, read, write, write_long, visible, thought), reasoning


def _beside(usage: JsonObject, *, cached: int = 0) -> tuple[int, bool]:
    """Return the reasoning that the completion does not contain, and whether what was cached is not in the prompt.

    `total_tokens` tells: what it has beyond prompt and completion is one of them. xAI names the reasoning, Gemini's
    OpenAI form does not. Without a total, reasoning that is more than the completion cannot be part of it, nor what was cached
    and is more than the prompt.
    """
    prompt, completion, total = _prompt(usage), _completion(usage), count(usage.get("total_tokens"))
    named = _reasoning(usage) or 0
    if prompt is None or completion is None:
        return (named if completion is not None and named > completion else 0), False
    if not total:
        return (named if named > completion else 0), cached > prompt
    if total == prompt + completion:
        return 0, False
    more = total - prompt - completion
    if more == named:
        return named, False
    if cached and more in (cached, cached + named):
        return more - cached, True
    return max(0, more) if named <= completion else named, False


def _prompt(usage: JsonObject) -> int | None:
    return first_count(usage.get("prompt_tokens"), usage.get("input_tokens"))


def _completion(usage: JsonObject) -> int | None:
    return first_count(usage.get("completion_tokens"), usage.get("output_tokens"))


def _reasoning(usage: JsonObject) -> int | None:
    details = child(usage, "completion_tokens_details") or child(usage, "output_tokens_details")
    return first_count(details.get("reasoning_tokens"), usage.get("reasoning_tokens"))


def _of_choice(document: JsonObject) -> JsonObject:
    """Find usage inside a choice, as Kimi sends it, or inside what a choice says."""
    places = ((choice, child(choice, "delta"), child(choice, "message")) for choice in items(document.get("choices")))
    return next((found for place in places for part in place if (found := child(part, "usage"))), {})
