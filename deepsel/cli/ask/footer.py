"""The line under an answer: what answered, how much it took, what it cost, how long, and whether it is kept."""

from __future__ import annotations

from deepsel.show.durations import duration_text, seconds
from deepsel.show.money import usd
from deepsel.show.numbers import count
from deepsel.values import Answer


def footer(answer: Answer, *, kept_s: float | None = None, times: str | None = None) -> str:
    """Say all that in one line; `kept_s` is how long answers are kept, `times` how long it took, None: what the answer says."""
    parts = [answer.model, *(["simulated"] if answer.is_simulated else []), _tokens(answer), _cost(answer), _times(answer, times)]
    return " · ".join(filter(None, [*parts, _kept(answer, kept_s), _detour(answer)]))


def _tokens(answer: Answer) -> str:
    """Write what went in and out; how much of it was cached or thinking stands behind it, and what is no report."""
    usage = answer.usage
    cached = f" ({count(usage.cache_read)} cached)" if usage.cache_read else ""
    thinking = f" ({count(usage.output_reasoning)} thinking)" if usage.output_reasoning else ""
    source = f" ({usage.source})" if usage.source != "reported" else ""
    return f"{count(usage.input_tokens)} in{cached}, {count(usage.output_tokens)} out{thinking}{source}"


def _cost(answer: Answer) -> str:
    is_bound = answer.price_rule is not None and answer.price_rule.is_at_most and answer.cache.status != "hit"
    return f"at most {usd(answer.cost_usd)}" if is_bound else usd(answer.cost_usd)


def _times(answer: Answer, times: str | None) -> str:
    """Write how long it took, and to its first word where that was waited for."""
    whole = times or seconds(answer.total_s)
    is_asked = answer.ttft_s is not None and answer.cache.status != "hit"
    return f"{whole} (first word {seconds(answer.ttft_s)})" if is_asked else whole


def _kept(answer: Answer, kept_s: float | None) -> str:
    """Say what the cache did; nothing where it had nothing to do with it."""
    match answer.cache.status:
        case "hit":
            return f"from the cache ({answer.cache.tier})" if answer.cache.tier else "from the cache"
        case "stored":
            return "saved" if kept_s is None else f"saved for {_long(kept_s)}"
        case _:
            return "not saved"


def _long(kept_s: float) -> str:
    """Write a length of time with its unit apart, `1 h`."""
    text = duration_text(kept_s)
    return f"{text[:-1]} {text[-1]}"


def _detour(answer: Answer) -> str:
    """Say who failed before, where the plan was not followed."""
    failed = {one.model: one.error_class for one in answer.attempts if one.outcome == "failed" and one.error_class}
    told = [f"{model}: {str(words).replace('_', ' ')}" for model, words in failed.items()]
    return f"after {', '.join(told)}" if told and answer.cache.status != "hit" else ""
