"""Requests of the toy wire: POST /speak."""

from __future__ import annotations

from deepsel.secret import Secret
from deepsel.values import Json, JsonObject, Model, Provider, Request
from deepsel.wires import bodies
from deepsel.wires.bodies import is_deterministic, may_think, withheld
from toy_wire.facts import LENGTH_FIELDS

__all__ = ["encode", "headers", "is_deterministic", "may_think", "url", "withheld"]


def url(provider: Provider) -> str:
    return f"{provider.base_url}/speak"


def headers(provider: Provider, key: Secret | None) -> dict[str, str | Secret]:
    return {"x-toy": "1", **bodies.key_headers(provider, key)}


def encode(request: Request, model: Model, provider: Provider, *, max_tokens: int) -> JsonObject:
    said: list[Json] = [[message.role, message.text] for message in request.messages]
    fields: JsonObject = {"speaker": model.id, "said": said, "in_pieces": request.stream}
    return bodies.assemble(fields, request, model, provider, max_tokens=max_tokens, length_fields=LENGTH_FIELDS)
