"""A request as a model is sent it, made once: the body that travels and the cache key that is the hash of that very body."""

from __future__ import annotations

from collections.abc import Iterable

from deepsel.cache import cache_key, key_document
from deepsel.cache.key import LEFT_OUT, with_digests
from deepsel.catalog.ownership import foreign_members
from deepsel.values import Given, JsonObject, Model, Provider, Request
from deepsel.wires import bodies
from deepsel.wires.table import wire_of


class Encoded:
    """One request as one model is sent it. Hashing a large picture takes as long as sending it: only who asks for the key pays."""

    __slots__ = ("_document", "_headers", "_key", "_model", "_provider", "body", "is_deterministic", "is_passed_on")

    def __init__(
        self, body: JsonObject, model: Model, provider: Provider, *, is_deterministic: bool, passed: Given | None = None
    ) -> None:
        self.body = body
        self.is_passed_on = passed is not None
        """Whether it is the body that was handed over, so that the answer is wanted as it comes."""
        self._headers = dict(passed.headers) if passed is not None else {}
        self.is_deterministic = is_deterministic
        """Whether the same answer is asked for each time."""
        self._model = model
        self._provider = provider
        self._document: JsonObject | None = None
        self._key: str | None = None

    @property
    def document(self) -> JsonObject:
        """What the key is the hash of: the body and where it goes."""
        if self._document is None:
            provider = self._provider
            added = {*provider.extra_body, *provider.non_stream_body} - LEFT_OUT  # may hold credentials under any name
            self._document = key_document(
                {name: with_digests(value) if name in added else value for name, value in self.body.items()},
                provider=provider.name,
                wire=provider.wire,
                wire_format=wire_of(provider.wire).FORMAT,
                model_id=self._model.id,
                base_url=provider.base_url,
                query=provider.query,
            )
            if self._headers:
                self._document["headers"] = {**self._headers}
        return self._document

    @property
    def key(self) -> str:
        """The cache key."""
        if self._key is None:
            self._key = cache_key(self.document)
        return self._key


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
    wire, given = wire_of(provider.wire), request.given
    if given is not None and bodies.is_passed_on(request, model, provider):
        body = bodies.passed_on(request, model, provider, max_tokens=max_tokens, length_fields=wire.LENGTH_FIELDS)
        is_deterministic = wire.is_deterministic(body, model, provider)
        return Encoded(body, model, provider, is_deterministic=is_deterministic, passed=given)
    if given is not None:
        request = request._replace(params=given.elsewhere.get(provider.wire, {}))
    body = wire.encode(request, model, provider, max_tokens=max_tokens)
    return Encoded(body, model, provider, is_deterministic=wire.is_deterministic(body, model, provider))
