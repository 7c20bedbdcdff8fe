"""Turns what became of a line at a provider's batch API into the line's own result, through the engine: read, judged, priced, logged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from deepsel.batch.results import LineResult
from deepsel.config import Profile
from deepsel.engine.ask import Ask, CacheMode
from deepsel.engine.limiter import Limiter
from deepsel.engine.resources import Resources, stream_from_provider
from deepsel.engine.run import Run
from deepsel.errors import DeepselError
from deepsel.providers.replayed import Replayed
from deepsel.values import Identity, Provider, WireEvent
from deepsel.wires.batches.records import RowOutcome

if TYPE_CHECKING:
    from deepsel.engine.resources import AnswerStream

_LONG_S = 3600.0


def replayed(ask: Ask, model: str, outcome: RowOutcome, resources: Resources, *, tier: str, mode: CacheMode) -> LineResult:
    """Return the result of a line that `model` has answered, or refused, in a job of the price tier `tier`."""
    body = json.dumps(outcome.body).encode("utf-8", "surrogatepass")
    transport = Replayed(outcome.status, body, resources.clock, resources.secrets)
    own = resources._replace(
        transport=lambda: transport, stream=in_tier(stream_from_provider, tier), limiter=Limiter(), forget_key=lambda _: None
    )
    request = ask.request._replace(stream=False)
    run = Run(ask._replace(request=request, profile=unbounded(ask.profile, model), cache_mode=mode), own, is_shown=False)
    return finished(run)


def finished(run: Run) -> LineResult:
    """Let a run come to its end."""
    failure: DeepselError | None = None
    try:
        for _ in run.events():
            pass
    except DeepselError as error:
        failure = error
    return LineResult(run.answer(), failure or run.failure())


def unbounded(profile: Profile, model: str) -> Profile:
    """Return the profile with one model, and without the bounds that hold before something is sent: this was, and was held for."""
    return profile._replace(
        models=(model,), larger_context=(), tasks={}, retries=0, timeout_s=_LONG_S,
        max_cost_usd=None, daily_budget_usd=None, monthly_budget_usd=None,
    )  # fmt: skip


def in_tier(stream: AnswerStream, tier: str) -> AnswerStream:
    """Return a stream whose answers are billed in a price tier, whatever they say of it."""

    def tiered(*arguments: object, **named: object) -> Iterator[WireEvent]:
        yield from stream(*arguments, **named)  # type: ignore[arg-type]  # handed on as they came
        yield Identity(service_tier=tier)

    return tiered


def moved(provider: Provider, catalog_row: Provider | None, base_url: str | None) -> Provider:
    """Return a provider at its lane's own host; one that the user has moved elsewhere stays there."""
    is_at_home = catalog_row is not None and catalog_row.base_url == provider.base_url
    return provider._replace(base_url=base_url) if base_url and is_at_home else provider
