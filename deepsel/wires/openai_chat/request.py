"""Builds the request of the wire `openai-chat`: POST /chat/completions."""

from __future__ import annotations

from deepsel.secret import Secret
from deepsel.values import JsonObject, Model, Provider, Request
from deepsel.wires import bodies
from deepsel.wires.bodies import is_deterministic, may_think, withheld
from deepsel.wires.openai_chat.facts import LENGTH_FIELDS
from deepsel.wires.openai_chat.messages import encode_message, encode_tool, encode_tool_choice

__all__ = ["encode", "headers", "is_deterministic", "may_think", "url", "withheld"]


def url(provider: Provider) -> str:
    """Return where requests are posted."""
    return provider.base_url.rstrip("/") + "/chat/completions"


def headers(provider: Provider, key: Secret | None) -> dict[str, str | Secret]:
    """Return the request's headers, the key among them."""
    return bodies.key_headers(provider, key)


def encode(request: Request, model: Model, provider: Provider, *, max_tokens: int) -> JsonObject:
    """Return the request's body; holds no secret."""
    messages = [item for message in request.messages for item in encode_message(message)]
    fields: JsonObject = {"model": model.id, "messages": list(messages), "stream": request.stream}
    if request.stream and provider.stream_usage:
        fields["stream_options"] = {"include_usage": True}
    if request.tools:
        fields["tools"] = [encode_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        fields["tool_choice"] = encode_tool_choice(request.tool_choice)
    if request.schema is not None:
        if "json_schema" in model.features:
            from deepsel.wires import schema_forms

            schema = schema_forms.with_object_root(request.schema)
            form: JsonObject = {"name": "answer", "schema": schema, "strict": schema_forms.is_strict(schema)}
            fields["response_format"] = {"type": "json_schema", "json_schema": form}
        else:
            fields["messages"] = list(_instructed(messages, bodies.schema_instruction(request.schema)))
            if "json_object" in model.features:
                fields["response_format"] = {"type": "json_object"}
    return bodies.assemble(fields, request, model, provider, max_tokens=max_tokens, length_fields=LENGTH_FIELDS)


def _instructed(messages: list[JsonObject], instruction: str) -> list[JsonObject]:
    """Put an instruction at the end of the system message, or before everything where there is none."""
    first = messages[0] if messages else {}
    if first.get("role") == "system" and isinstance(first.get("content"), str):
        return [{**first, "content": f"{first['content']}\n\n{instruction}"}, *messages[1:]]
    return [{"role": "system", "content": instruction}, *messages]
