"""Turns the record of a request into observations for the log: counts, times and classes, no text."""

from __future__ import annotations

from datetime import datetime

from deepsel.health import Observation
from deepsel.health.log import picousd
from deepsel.values import Answer, Attempt


def observations_of(answer: Answer, at: datetime) -> list[Observation]:
    """List one observation for each attempt, or one for a hit."""
    if answer.cache.status == "hit":
        hit = Attempt(answer.provider, answer.model, "ok", usage=answer.usage, cost_usd=answer.cost_usd)
        return [_observation(answer, hit, at, outcome="hit")]
    return [_observation(answer, attempt, at) for attempt in answer.attempts if attempt.outcome != "skipped"]


def _observation(answer: Answer, attempt: Attempt, at: datetime, *, outcome: str | None = None) -> Observation:
    usage = attempt.usage
    return Observation(
        at=at.timestamp(),
        profile=answer.profile,
        provider=attempt.provider,
        model=attempt.model,
        task=answer.task,
        outcome=outcome or attempt.outcome,
        error_class=attempt.error_class,
        http_status=attempt.http_status,
        input_tokens=usage.input_tokens if usage else None,
        cached_input_tokens=usage.cache_read if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        reasoning_tokens=usage.output_reasoning if usage else None,
        cost_picousd=picousd(attempt.cost_usd),
        ttft_s=attempt.ttft_s,
        total_s=attempt.total_s,
        wait_s=attempt.wait_s,
    )
