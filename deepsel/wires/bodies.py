"""What the bodies of all wires share: which parameters are sent, and in which order the catalog's and the user's win.

Later wins: the wire's own fields, the model's reasoning switch, the provider's members, the model's, the user's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from deepsel.errors import ConfigError
from deepsel.secret import Secret
from deepsel.values import Json, JsonObject, Model, Part, Provider, Request, Text
from deepsel.wires.own_words import in_own_words

_STREAM_OPTIONS = "stream_options"
# Members of a body by which hosts let a model think.
_THINKING = ("reasoning_effort", "reasoning", "thinking", "enable_thinking", "thinking_budget", "think")


def assemble(
    fields: JsonObject,
    request: Request,
    model: Model,
    provider: Provider,
    *,
    max_tokens: int,
    length_fields: frozenset[str],
) -> JsonObject:
    """Return the whole body: the wire's `fields`, the sampling that is honoured, and every layer over them.

    `length_fields` are the members that bound an answer on this wire. One among the request's own parameters may make the
    answer shorter than `max_tokens`, by which the cost was judged, but never longer.
    """
    layers = _layers(request, model, provider)
    length_fields |= {provider.max_tokens_field}
    length: JsonObject = {} if length_fields & layers.keys() else {provider.max_tokens_field: max_tokens}
    bounded: JsonObject = {name: _at_most(layers[name], max_tokens) for name in length_fields & request.params.keys()}
    return {**fields, **length, **_sampling(request, model, provider, layers), **layers, **bounded}


def is_passed_on(request: Request, model: Model, provider: Provider) -> bool:
    """Tell whether a body that was handed over goes to a host as it is: of its wire, with no form that is asked for in words."""
    given = request.given
    return given is not None and given.wire == provider.wire and (request.schema is None or "json_schema" in model.features)


def passed_on(request: Request, model: Model, provider: Provider, *, max_tokens: int, length_fields: frozenset[str]) -> JsonObject:
    """Return the body that was handed over, with the model's id and no longer an answer than `max_tokens`.

    What the catalog and the user lay over every request stands under its own members. It has to be one that `is_passed_on`.
    """
    assert request.given is not None
    own = request.given.body
    under = provider.extra_body if request.stream else {**provider.extra_body, **provider.non_stream_body}
    body: JsonObject = {**under, **model.params, **own, "model": model.id}
    bounds = [name for name in (*length_fields, provider.max_tokens_field) if own.get(name)]
    # A provider's row may have been written for another wire than the one it speaks now, whose only name for it is known.
    name = provider.max_tokens_field if len(length_fields) > 1 else next(iter(length_fields))
    body |= {name: _at_most(own[name], max_tokens) for name in bounds} if bounds else {name: max_tokens}
    if not provider.stream_usage:
        body.pop(_STREAM_OPTIONS, None)
    return body


def asked_members(request: Request) -> Mapping[str, Json]:
    """Return the members of a body that are the user's own, and not written by us."""
    if request.given is None:
        return request.params
    return {name: value for name, value in request.given.body.items() if name != _STREAM_OPTIONS}


def members_at(request: Request, wire: str) -> Mapping[str, Json]:
    """Return the user's own members of a body on a wire, beside what fields of the request say."""
    return request.params if request.given is None else request.given.elsewhere.get(wire, {})


def withheld(request: Request, model: Model, provider: Provider) -> tuple[str, ...]:
    """Name what the request asks for and the model is not sent, since it would refuse or ignore it."""
    layers = _layers(request, model, provider)
    sent = {**_sampling(request, model, provider, layers), **layers}
    seed_field = provider.seed_field or "seed"
    missing = {
        "temperature": request.temperature is not None and "temperature" not in sent,
        "seed": request.seed is not None and seed_field not in sent,
    }
    return tuple(name for name, is_missing in missing.items() if is_missing)


def is_deterministic(body: JsonObject, model: Model, provider: Provider) -> bool:
    """Tell whether an encoded body asks for the same answer each time, in a way that the model honours."""
    temperature = body.get("temperature")
    is_cold = isinstance(temperature, int | float) and not isinstance(temperature, bool) and temperature == 0
    if is_cold and _honours_temperature(model, body):
        return True
    return bool(provider.seed_field and model.seed and body.get(provider.seed_field) is not None)


def may_think(body: JsonObject, model: Model) -> bool:
    """Tell whether the model may think before it answers, which can be silent: the body asks for it, or nothing in it forbids it."""
    if _is_switched_off(model, body):
        return False
    template = body.get("chat_template_kwargs")  # by which vLLM and SGLang are told
    places = [body, template] if isinstance(template, dict) else [body]
    asked = [place[name] for place in places for name in _THINKING if name in place]
    return any(not _is_off(value) for value in asked) if asked else model.reasoning_off is not None or model.sampling == "never"


def _is_off(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_is_off(value[name]) for name in ("type", "enabled", "effort") if name in value)
    return not value or value in ("none", "disabled", "off")


def serialise(body: JsonObject) -> bytes:
    """Return the body's bytes; raises ConfigError where a parameter is no JSON number."""
    try:
        document = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise ConfigError("a parameter of the request is not a finite number") from error
    return document.encode("utf-8", "replace")  # half a surrogate pair has no UTF-8 form


def key_headers(provider: Provider, key: Secret | None) -> dict[str, str | Secret]:
    """Return the headers that carry the key, under the provider's own, which win."""
    headers: dict[str, str | Secret] = {"content-type": "application/json"}
    if key:
        if provider.auth in ("bearer", "both"):
            headers["authorization"] = Secret(f"Bearer {key.reveal()}")
        if provider.auth != "bearer":
            headers["x-api-key" if provider.auth == "both" else provider.auth] = key
    return headers | {name.lower(): value for name, value in provider.headers.items()}


def with_query(url: str, provider: Provider) -> str:
    """Add the provider's query to an address."""
    if not provider.query:
        return url
    from urllib.parse import urlencode  # hardly any provider has one

    return f"{url}?{urlencode(provider.query)}"


def merged(item: JsonObject, data: Mapping[str, Json]) -> JsonObject:
    """Lay the members no field stands for over an item's own; what stands in an object of it goes into that object."""
    for name, value in data.items():
        own = item.get(name)
        item[name] = {**own, **value} if isinstance(own, dict) and isinstance(value, dict) else value
    return item


def is_plain(parts: Sequence[Part], *, is_own: bool = True) -> TypeGuard[Sequence[Text]]:
    """Tell whether parts are one text and nothing else that is sent (`is_own`: data is), which every wire takes as a string."""
    return len(parts) == 1 and isinstance(parts[0], Text) and not (is_own and parts[0].provider_data)


def schema_instruction(schema: Mapping[str, Json]) -> str:
    """Ask in words for what the model has no parameter for; DeepSeek and Qwen insist on the word `json`."""
    rules = json.dumps(schema, ensure_ascii=False)
    return f"Reply with one json document and nothing else. It has to be valid under this JSON Schema:\n{rules}"


def _layers(request: Request, model: Model, provider: Provider) -> JsonObject:
    """Merge what the catalog and the user lay over the wire's fields."""
    own = {**model.params, **in_own_words(request.params, model, provider)}
    off = model.reasoning_off or {}
    layers: JsonObject = {} if off.keys() & own.keys() else dict(off)
    layers |= provider.extra_body
    if not request.stream:
        layers |= provider.non_stream_body
    return layers | own


def _sampling(request: Request, model: Model, provider: Provider, layers: JsonObject) -> JsonObject:
    """Return temperature and seed where they are asked for and honoured."""
    fields: JsonObject = {}
    if request.temperature is not None and _honours_temperature(model, layers):
        fields["temperature"] = request.temperature
    if request.seed is not None and provider.seed_field and model.seed:
        fields[provider.seed_field] = request.seed
    return fields


def _at_most(value: Json, limit: int) -> Json:
    """Return a number that is no larger than `limit`, and `limit` for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return limit
    return min(value, limit)


def _honours_temperature(model: Model, body: JsonObject) -> bool:
    if model.sampling == "without_reasoning":
        return _is_switched_off(model, body)
    return model.sampling == "always"


def _is_switched_off(model: Model, body: JsonObject) -> bool:
    """Tell whether a body holds the switch that turns the model's reasoning off."""
    off = model.reasoning_off
    return off is not None and all(name in body and body[name] == value for name, value in off.items())
