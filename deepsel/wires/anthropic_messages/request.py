"""Builds the request of the wire `anthropic-messages`: POST /v1/messages."""

from __future__ import annotations

from deepsel.secret import Secret
from deepsel.values import Image, Json, JsonObject, Message, Model, Provider, Request
from deepsel.wires import bodies
from deepsel.wires.anthropic_messages.facts import LENGTH_FIELDS
from deepsel.wires.bodies import is_deterministic, withheld
from deepsel.wires.fields import child

__all__ = ["encode", "headers", "is_deterministic", "url", "withheld"]

VERSION = "2023-06-01"


def url(provider: Provider) -> str:
    """Return where requests are posted; a base URL may end in /v1 or not."""
    base = provider.base_url.rstrip("/")
    return base + ("/messages" if base.endswith("/v1") else "/v1/messages")


def headers(provider: Provider, key: Secret | None) -> dict[str, str | Secret]:
    """Return the request's headers, the key among them."""
    return {"anthropic-version": VERSION, **bodies.key_headers(provider, key)}


def encode(request: Request, model: Model, provider: Provider, *, max_tokens: int) -> JsonObject:
    """Return the request's body; holds no secret. System messages are gathered at its top."""
    system = [message.content for message in request.messages if message.role == "system"]
    turns: list[Json] = [_message(message) for message in request.messages if message.role != "system"]
    fields: JsonObject = {"model": model.id, "messages": turns, "stream": request.stream}
    has_form = request.schema is not None and "json_schema" in model.features
    if request.schema is not None and not has_form:
        system.append(bodies.schema_instruction(request.schema))
    if system:
        fields["system"] = "\n\n".join(system)
    body = bodies.assemble(fields, request, model, provider, max_tokens=max_tokens, length_fields=LENGTH_FIELDS)
    if request.schema is not None and has_form:
        form: JsonObject = {"format": {"type": "json_schema", "schema": dict(request.schema)}}
        body["output_config"] = form | child(body, "output_config")  # it also holds the user's effort
    return body


def _message(message: Message) -> JsonObject:
    if not message.images:
        return {"role": message.role, "content": message.content}
    parts: list[Json] = [{"type": "image", "source": _source(image)} for image in message.images]
    if message.content:
        parts.append({"type": "text", "text": message.content})
    return {"role": message.role, "content": parts}


def _source(image: Image) -> JsonObject:
    """Give a picture as base64 where it came as a data URL, else as the link it is."""
    head, comma, data = image.url.partition(",")
    if not head.startswith("data:") or not comma:
        return {"type": "url", "url": image.url}
    media_type = image.media_type or head.removeprefix("data:").partition(";")[0]
    return {"type": "base64", "media_type": media_type, "data": data}
