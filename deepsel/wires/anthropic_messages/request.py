"""Builds the request of the wire `anthropic-messages`: POST /v1/messages."""

from __future__ import annotations

from deepsel.secret import Secret
from deepsel.values import JsonObject, Model, Provider, Request
from deepsel.wires import bodies
from deepsel.wires.anthropic_messages.facts import LENGTH_FIELDS
from deepsel.wires.anthropic_messages.messages import encode_system, encode_tool, encode_tool_choice, encode_turns
from deepsel.wires.bodies import is_deterministic, withheld
from deepsel.wires.fields import child
from deepsel.wires.schema_forms import closed

__all__ = ["encode", "headers", "is_deterministic", "may_think", "url", "withheld"]

VERSION = "2023-06-01"


def may_think(body: JsonObject, model: Model) -> bool:  # noqa: ARG001 - every wire is asked so
    """Tell whether the model may think before it answers: here none does unless the request says so."""
    return "thinking" in body and child(body, "thinking").get("type") != "disabled"


def url(provider: Provider) -> str:
    """Return where requests are posted; a base URL may end in /v1 or not."""
    base = provider.base_url.rstrip("/")
    return base + ("/messages" if base.endswith("/v1") else "/v1/messages")


def headers(provider: Provider, key: Secret | None) -> dict[str, str | Secret]:
    """Return the request's headers, the key among them."""
    return {"anthropic-version": VERSION, **bodies.key_headers(provider, key)}


def encode(request: Request, model: Model, provider: Provider, *, max_tokens: int) -> JsonObject:
    """Return the request's body; holds no secret. System messages are gathered at its top."""
    fields: JsonObject = {"model": model.id, "messages": encode_turns(request.messages), "stream": request.stream}
    schema = closed(request.schema) if request.schema is not None and "json_schema" in model.features else None
    instruction = bodies.schema_instruction(request.schema) if request.schema is not None and schema is None else ""
    fields |= encode_system(request.messages, instruction)
    if request.tools:
        fields["tools"] = [encode_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        fields["tool_choice"] = encode_tool_choice(request.tool_choice)
    body = bodies.assemble(fields, request, model, provider, max_tokens=max_tokens, length_fields=LENGTH_FIELDS)
    if schema is not None:
        form: JsonObject = {"format": {"type": "json_schema", "schema": schema}}
        body["output_config"] = form | child(body, "output_config")  # it also holds the user's effort
    return body
