"""Builds the request of the wire `openai-responses`: POST /responses, with nothing kept at the provider.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.secret import Secret
from deepsel.values import Json, JsonObject, Model, Provider, Request
from deepsel.wires import bodies
from deepsel.wires.fields import child
from deepsel.wires.openai_responses.facts import LENGTH_FIELDS
from deepsel.wires.openai_responses.messages import encode_input, encode_tool, encode_tool_choice, instructed

__all__ = ["encode", "headers", "is_deterministic", "may_think", "url", "withheld"]

_NESTED = {"reasoning_effort": ("reasoning", "effort"), "verbosity": ("text", "verbosity"), "response_format": ("text", "format")}
"""Members of chat requests, as rows and users name them, that stand within another member here."""


def url(provider: Provider) -> str:
    """Return where requests are posted."""
    return provider.base_url.rstrip("/") + "/responses"


def headers(provider: Provider, key: Secret | None) -> dict[str, str | Secret]:
    """Return the request's headers, the key among them."""
    return bodies.key_headers(provider, key)


def withheld(request: Request, model: Model, provider: Provider) -> tuple[str, ...]:
    """Name what the request asks for and the model is not sent."""
    return bodies.withheld(_spelled(request), _spelled_model(model), _here(provider))


def is_deterministic(body: JsonObject, model: Model, provider: Provider) -> bool:
    """Tell whether an encoded body asks for the same answer each time, in a way that the model honours."""
    return bodies.is_deterministic(body, _spelled_model(model), _here(provider))


def may_think(body: JsonObject, model: Model) -> bool:
    """Tell whether the model may think before it answers."""
    return bodies.may_think(body, _spelled_model(model))


def encode(request: Request, model: Model, provider: Provider, *, max_tokens: int) -> JsonObject:
    """Return the request's body; holds no secret. `store` is false: what is asked is kept here and nowhere else."""
    items = encode_input(request.messages)
    fields: JsonObject = {"model": model.id, "input": items, "stream": request.stream, "store": False}
    if request.tools:
        fields["tools"] = [encode_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        fields["tool_choice"] = encode_tool_choice(request.tool_choice)
    form = _form(request, model)
    if request.schema is not None and form.get("type") != "json_schema":
        fields["input"] = instructed(items, bodies.schema_instruction(request.schema))
    asked, row = _spelled(request), _spelled_model(model)
    body = bodies.assemble(fields, asked, row, _here(provider), max_tokens=max_tokens, length_fields=LENGTH_FIELDS)
    if form:
        told: JsonObject = {"format": form}
        body["text"] = told | child(body, "text")  # it also holds the user's verbosity
    return body


def _form(request: Request, model: Model) -> JsonObject:
    """Return the form the answer has to have; empty where it has none, or the model knows none."""
    if request.schema is None:
        return {}
    if "json_schema" in model.features:
        from deepsel.wires import schema_forms

        schema = schema_forms.with_object_root(request.schema)
        return {"type": "json_schema", "name": "answer", "schema": schema, "strict": schema_forms.is_strict(schema)}
    return {"type": "json_object"} if "json_object" in model.features else {}


def _here(provider: Provider) -> Provider:
    """Return the row as it is on this wire, which has one name for the bound on an answer and no seed."""
    field = provider.max_tokens_field if provider.max_tokens_field in LENGTH_FIELDS else "max_output_tokens"
    return provider._replace(max_tokens_field=field, seed_field=None, extra_body=_nested(provider.extra_body))


def _spelled(request: Request) -> Request:
    return request._replace(params=_nested(request.params)) if request.params else request


def _spelled_model(model: Model) -> Model:
    off = None if model.reasoning_off is None else _nested(model.reasoning_off)
    return model._replace(params=_nested(model.params), reasoning_off=off)


def _nested(members: Mapping[str, Json]) -> Mapping[str, Json]:
    """Put members where this wire has them; what stands there already wins."""
    if not members.keys() & _NESTED.keys():
        return members
    found: JsonObject = {name: value for name, value in members.items() if name not in _NESTED}
    for name, (place, inner) in _NESTED.items():
        if name in members:
            value = _flat_form(members[name]) if inner == "format" else members[name]
            found[place] = {inner: value} | child(found, place)
    return found


def _flat_form(form: Json) -> Json:
    """Write a `response_format` as it stands here: the schema beside its type."""
    return {"type": "json_schema", **child(form, "json_schema")} if child(form, "json_schema") else form
