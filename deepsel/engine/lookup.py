"""Where a request's answer would stand in the cache, and whether it may stand there at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from deepsel.cache import cache_key, key_document
from deepsel.errors import NoRouteError
from deepsel.values import JsonObject, Model, Provider, Request
from deepsel.wires.table import WIRES

CacheMode = Literal["auto", "on", "off", "refresh", "only"]
"""auto: deterministic requests only; on: every request; refresh: ask anew and store; only: the cache or nothing."""


class Place(NamedTuple):
    """The cache's name for one request at one model."""

    key: str
    document: JsonObject
    is_deterministic: bool


def find_place(request: Request, model: Model, provider: Provider, max_tokens: int) -> Place:
    """Make the cache key of `request` as `model` would be sent it."""
    wire = WIRES[provider.wire]
    body = wire.encode(request, model, provider, max_tokens=max_tokens)
    document = key_document(
        body,
        provider=provider.name,
        wire=provider.wire,
        wire_format=wire.FORMAT,
        model_id=model.id,
        base_url=provider.base_url,
    )
    return Place(cache_key(document), document, wire.is_deterministic(body, model, provider))


def may_read(mode: CacheMode, place: Place) -> bool:
    """Tell whether an answer from the cache will do."""
    return mode in ("on", "only") or (mode == "auto" and place.is_deterministic)


def may_store(mode: CacheMode, place: Place) -> bool:
    """Tell whether the answer may be kept."""
    return mode in ("on", "refresh") or (mode == "auto" and place.is_deterministic)


def not_cached(models: Iterable[str]) -> NoRouteError:
    """Say that nobody may be asked and none of the models' answers is there."""
    reasons = "; ".join(f"{model}: not in the cache" for model in models)
    return NoRouteError(f"no cached answer, and nothing was sent: {reasons}", "ask once without `--only-cached`")
