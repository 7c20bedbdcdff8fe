"""An answer from the cache as a request's whole result: its record, its observation, and what the next request will get."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from decimal import Decimal
from math import inf

from deepsel.cache import CachedAnswer
from deepsel.health.log import Observation
from deepsel.providers.hosts import host_of
from deepsel.records import NamedTuple
from deepsel.storage.amounts import picousd
from deepsel.values import Answer, CacheUse, Model, Notice, PriceRule, Provider, Usage


class NextTime(NamedTuple):
    """What the next identical request will be: a hit on disk."""

    answer: Answer
    """Its record, with no time in it."""
    observation: Observation
    written_at: float
    """When the hit's row in the database was written."""
    begins_at: float
    """Before it (seconds since the epoch) a clock ran back further than is believed, or other models were sold."""
    ends_at: float
    """From then on the entry is not served, or other models are sold."""


def sold_between(models: Iterable[Model], at: datetime) -> tuple[float, float]:
    """Say between which instants (seconds since the epoch) the same ones of the models are sold as at `at`.

    They come and go with a day of UTC; what has no such day is sold for ever.
    """
    days = [day for model in models for day in (model.available_from, model.retires) if day is not None]
    changes = [datetime.combine(day, time(), UTC).timestamp() for day in days]
    now = at.timestamp()
    begins = max((one for one in changes if one <= now), default=-inf)
    return begins, min((one for one in changes if one > now), default=inf)


def answer_of(
    hit: CachedAnswer,
    use: CacheUse,
    *,
    profile: str,
    task: str,
    difficulty: float | None,
    total_s: float = 0.0,
    warnings: tuple[Notice, ...] = (),
) -> Answer:
    """Build the record of a hit: no attempt, no cost, the tokens it once took."""
    return Answer(
        text=hit.text,
        reasoning=hit.reasoning,
        model=hit.model,
        answered_model=hit.answered_model,
        provider=hit.provider,
        profile=profile,
        task=task,
        difficulty=difficulty,
        finish=hit.finish,
        usage=hit.usage,
        cost_usd=Decimal(0),
        price_rule=PriceRule(None, None, label=hit.price_rule, source=hit.price_source, checked=hit.price_as_of),
        ttft_s=total_s,
        total_s=total_s,
        cache=use,
        attempts=(),
        warnings=warnings,
    )


def observation_of(answer: Answer, hit: CachedAnswer, provider: Provider | None, *, at: datetime) -> Observation:
    """Make what the log keeps of a hit, which saved what the answer once cost."""
    seen = observed(answer, answer.usage, provider, outcome="hit", at=at)
    return seen._replace(cost_picousd=0, saved_picousd=picousd(hit.cost_usd))


def observed(
    answer: Answer, usage: Usage | None, provider: Provider | None, *, outcome: str, at: datetime
) -> Observation:
    """Make what the log keeps of an answer however it came: whose it is, how many tokens it took, and where it went."""
    return Observation(
        at=at.timestamp(),
        profile=answer.profile,
        provider=answer.provider,
        model=answer.model,
        task=answer.task,
        outcome=outcome,
        input_tokens=usage.input_tokens if usage else None,
        cached_input_tokens=usage.cache_read if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        reasoning_tokens=usage.output_reasoning if usage else None,
        host=host_of(provider.base_url) if provider else "",
        cache_status=answer.cache.status,
    )
