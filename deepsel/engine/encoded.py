"""A request as a model is sent it, made once: the body that travels and the cache key that is the hash of that very body."""

from __future__ import annotations

from deepsel.cache import cache_key, key_document
from deepsel.values import JsonObject, Model, Provider, Request
from deepsel.wires.table import wire_of


class Encoded:
    """One request as one model is sent it. Hashing a large picture takes as long as sending it: only who asks for the key pays."""

    __slots__ = ("_document", "_key", "_model", "_provider", "body", "is_deterministic")

    def __init__(self, body: JsonObject, model: Model, provider: Provider, *, is_deterministic: bool) -> None:
        self.body = body
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
            self._document = key_document(
                self.body,
                provider=provider.name,
                wire=provider.wire,
                wire_format=wire_of(provider.wire).FORMAT,
                model_id=self._model.id,
                base_url=provider.base_url,
            )
        return self._document

    @property
    def key(self) -> str:
        """The cache key."""
        if self._key is None:
            self._key = cache_key(self.document)
        return self._key


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
    wire = wire_of(provider.wire)
    body = wire.encode(request, model, provider, max_tokens=max_tokens)
    return Encoded(body, model, provider, is_deterministic=wire.is_deterministic(body, model, provider))
