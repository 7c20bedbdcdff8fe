"""A request as a model is sent it, made once: the body that travels and the cache key that is the hash of that very body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from deepsel.cache import cache_key, key_document
from deepsel.catalog.ownership import foreign_members
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

    def __init__(self, request: Request, hosts: Iterable[str] = ()) -> None:
        """Make bodies of `request`, whose candidates are at `hosts`: a parameter that one of them owns goes to its owners alone."""
        self._request = request
        self._hosts = frozenset(hosts)
        self._made: dict[tuple[str, int], Encoded] = {}
        self._left_out: dict[str, frozenset[str]] = {}

    def of(self, model: Model, provider: Provider, max_tokens: int) -> Encoded:
        """Return the request as `model` is sent it with that bound on the answer."""
        made = self._made.get((model.name, max_tokens))
        if made is None:
            request = self._request
            out = self._left_out.get(model.name, frozenset()) | self.foreign(provider)
            if out:
                request = request._replace(params={name: one for name, one in request.params.items() if name not in out})
            made = self._made[model.name, max_tokens] = _encode(request, model, provider, max_tokens)
        return made

    def foreign(self, provider: Provider) -> frozenset[str]:
        """Name the user's parameters that belong to other candidates' providers."""
        if not self._request.params:
            return frozenset()
        return foreign_members(self._request.params, provider.name, self._hosts)

    def again(self, model: Model, *, without: Iterable[str] = ()) -> None:
        """Make a model's bodies anew, since its rows have changed, `without` these of the user's parameters."""
        self._made = {key: made for key, made in self._made.items() if key[0] != model.name}
        self._left_out[model.name] = self._left_out.get(model.name, frozenset()).union(without)


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
    )
    return Encoded(body, document, cache_key(document), wire.is_deterministic(body, model, provider))
