"""A request as a model is sent it, made once: the body that travels and the cache key that is the hash of that very body."""

from __future__ import annotations

from typing import NamedTuple

from deepsel.cache import cache_key, key_document
from deepsel.values import JsonObject, Model, Provider, Request
from deepsel.wires.table import WIRES


class Encoded(NamedTuple):
    """One request as one model is sent it."""

    body: JsonObject
    document: JsonObject
    """What the key is the hash of: the body and where it goes."""
    key: str
    is_deterministic: bool
    """Whether the same answer is asked for each time."""


class Encodings:
    """The bodies of one request, each made when it is first wanted."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._made: dict[tuple[str, int], Encoded] = {}

    def of(self, model: Model, provider: Provider, max_tokens: int) -> Encoded:
        """Return the request as `model` is sent it with that bound on the answer."""
        made = self._made.get((model.name, max_tokens))
        if made is None:
            made = self._made[model.name, max_tokens] = _encode(self._request, model, provider, max_tokens)
        return made


def _encode(request: Request, model: Model, provider: Provider, max_tokens: int) -> Encoded:
    wire = WIRES[provider.wire]
    body = wire.encode(request, model, provider, max_tokens=max_tokens)
    document = key_document(
        body,
        provider=provider.name,
        wire=provider.wire,
        wire_format=wire.FORMAT,
        model_id=model.id,
        base_url=provider.base_url,
        query=provider.query,
    )
    return Encoded(body, document, cache_key(document), wire.is_deterministic(body, model, provider))
