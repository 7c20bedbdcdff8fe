"""The line under an answer: what answered, how much it took, what it cost and what the cache did."""

from __future__ import annotations

from deepsel.show.durations import seconds
from deepsel.show.money import usd
from deepsel.show.numbers import count
from deepsel.values import Answer


def footer(answer: Answer, *, times: str | None = None) -> str:
    """Say in one line what answered, how much it took, what it cost and what the cache did; `times` None: its own."""
    usage = answer.usage
    written = f"{count(usage.input_tokens)} + {count(usage.output_tokens)} tokens"
    if usage.cache_read:
        written += f" ({count(usage.cache_read)} cached)"
    if usage.source != "reported":
        written += f" ({usage.source})"
    times = times or seconds(answer.total_s)
    if answer.ttft_s is not None and answer.cache.status != "hit":
        times += f", first token {seconds(answer.ttft_s)}"
    tier = f" ({answer.cache.tier})" if answer.cache.tier else ""
    is_bound = answer.price_rule is not None and answer.price_rule.is_at_most and answer.cache.status != "hit"
    cost = f"at most {usd(answer.cost_usd)}" if is_bound else usd(answer.cost_usd)
    parts = [answer.model, written, cost, times, f"cache {answer.cache.status}{tier}"]
    if answer.is_simulated:
        parts.insert(1, "simulated")
    return " · ".join(parts)
