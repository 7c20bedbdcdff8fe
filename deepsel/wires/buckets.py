"""Disjoint buckets of tokens from the numbers of a usage object: what the wires share; pure.

Absent is None, and a reported zero stays zero. Where numbers contradict each other the total is kept and the parts are
cut to fit, so that no bucket is ever negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from deepsel.dollars import MOST_USD, read_usd
from deepsel.values import Json, JsonObject, Usage, UsageReport
from deepsel.wires.fields import child, count, first_count, is_no_count, says_nothing

_COST_FIELDS = ("cost", "total_cost", "cost_usd")
_TOTAL_FIELDS = ("total", "total_cost", "total_usd", "total_cost_usd", "usd", "cost_usd", "amount", "cost")


def reported(usage: JsonObject, buckets: Usage, counts: Sequence[str], *, beside: int = 0) -> UsageReport | None:
    """Return what a usage object says, given its buckets; None where it says nothing. `counts` name what should hold tokens."""
    cost_usd = stated_cost_usd(usage)
    odd = tuple(name for name in counts if is_no_count(usage.get(name)))
    odd += tuple(name for name in _COST_FIELDS if cost_usd is None and _is_no_charge(usage.get(name)))
    if buckets == Usage() and cost_usd is None and not odd:
        return None
    return UsageReport(buckets, cost_usd, beside, odd)


def stated_cost_usd(usage: JsonObject) -> Decimal | None:
    """Return the charge a host states: its own cost, and the upstream's where that goes to the user's own key."""
    cost = next((found for found in (_charge(usage.get(name)) for name in _COST_FIELDS) if found is not None), None)
    if cost is None or usage.get("is_byok") is not True:
        return cost
    upstream = read_usd(child(usage, "cost_details").get("upstream_inference_cost"))
    return cost if upstream is None else min(cost + upstream, Decimal(MOST_USD))


def _charge(value: Json) -> Decimal | None:
    """Read a charge: a number, a text, or an object that has its total; None in another currency."""
    if not isinstance(value, dict):
        return read_usd(value)
    if _is_foreign(value):
        return None
    return next((found for found in (read_usd(value.get(name)) for name in _TOTAL_FIELDS) if found is not None), None)


def _is_no_charge(value: Json) -> bool:
    """Tell whether something stands where a charge should, and is none that anybody pays."""
    if isinstance(value, dict):
        return not _is_foreign(value) and any(_is_no_charge(value.get(name)) for name in _TOTAL_FIELDS)
    return not says_nothing(value) and read_usd(value) is None


def _is_foreign(charge: JsonObject) -> bool:
    """Tell whether a charge is in another currency."""
    return str(charge.get("currency") or "usd").lower() not in ("usd", "$")


def cache_writes(usage: JsonObject, details: JsonObject) -> tuple[int | None, int | None]:
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


def outputs(total: Json, reasoning: Json, *, is_beside: bool = False) -> tuple[int | None, int | None]:
    """Split the output into what is visible and what is reasoning; `is_beside` says that the total does not contain it."""
    written, thought = count(total), count(reasoning)
    if written is None or is_beside:
        return written, thought
    thought = at_most(thought, written)
    return written - (thought or 0), thought


def bucketed(
    uncached: int | None,
    read: int | None,
    write: int | None,
    long: int | None,
    visible: int | None,
    reasoning: int | None,
) -> Usage:
    """Put counts into the buckets: all that was written to a cache is split into what is kept for minutes and for hours."""
    long = at_most(long, write) if write is not None else long
    return Usage(
        input_uncached=uncached,
        cache_read=read,
        cache_write_short=None if write is None else write - (long or 0),
        cache_write_long=long,
        output_visible=visible,
        output_reasoning=reasoning,
    )


def at_most(value: int | None, limit: int) -> int | None:
    """Cut a part to fit its total."""
    return None if value is None else min(value, limit)


def if_known(usage: Usage) -> Usage | None:
    """Return the usage, or None where it holds no count."""
    return usage if usage != Usage() else None
