"""OpenAI's chat completions as clients speak them."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.errors import UsageError
from deepsel.messages.forms import OPENAI
from deepsel.serve.surfaces import members, reading
from deepsel.serve.surfaces.chat_answers import ChatWriter as Writer
from deepsel.serve.surfaces.chat_answers import document, error, error_event
from deepsel.serve.surfaces.surface import Asked, BadMember
from deepsel.values import Given, Json, JsonObject, Request

__all__ = ["WIRE", "Writer", "document", "error", "error_event", "read"]

WIRE = OPENAI
_LENGTHS = ("max_completion_tokens", "max_tokens")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Members that a field of ours or a wish stands for, and those that say nothing of the answer: who pays, what is kept, what is cached.
_KNOWN = frozenset(
    {
        *("model", "messages", "stream", "stream_options", *_LENGTHS, "temperature", "seed", "tools", "tool_choice"),
        *("response_format", "top_p", "stop", "user", "safety_identifier", "reasoning_effort", "parallel_tool_calls"),
        *("store", "metadata", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
    }
)
_DEFAULTS: Mapping[str, Json] = {
    **{"n": 1, "presence_penalty": 0, "frequency_penalty": 0, "service_tier": "auto", "modalities": ["text"], "verbosity": "medium"},
    "top_logprobs": 0,
}
"""Members that ask for what happens anyway."""


def read(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Read a request; raises BadMember."""
    bound: list[str] = []
    messages = reading.messages_of(body.get("messages"), bound)
    tools = reading.tools_of(body.get("tools"), bound)
    choice = reading.read_choice(body.get("tool_choice"), bound)
    schema = _schema(body, bound)
    is_stream = reading.flag(body, "stream")
    whole = [reading.whole(body, name) for name in _LENGTHS]
    rest = {name: value for name, value in body.items() if value != _DEFAULTS.get(name, ...)}
    own = reading.further(rest, _KNOWN)
    wishes = _wishes(body)
    elsewhere = members.written(wishes, choice)
    elsewhere[WIRE] = {**elsewhere[WIRE], **{name: body[name] for name in own}, **_kept(body)}
    given = Given(
        WIRE,
        _as_sent(body, is_stream=is_stream),
        headers=reading.passed_headers(headers, "openai-beta"),
        elsewhere=elsewhere,
        only=reading.only_here(bound, own),
        unsayable=members.unsayable(wishes, "stop"),
    )
    request = Request(
        messages=messages,
        max_tokens=min((one for one in whole if one is not None), default=None),
        temperature=reading.number(body, "temperature", 0, 2),
        seed=_seed(body),
        schema=schema,
        stream=is_stream,
        tools=tools,
        tool_choice=choice,
        given=given,
    )
    key = body.get("prompt_cache_key")
    return Asked(
        request=request,
        model=reading.model_name(body),
        instruction=reading.instruction_of(messages),
        wants_usage=_wants_usage(body),
        session=key if isinstance(key, str) else "",
        is_in_tool_loop=reading.is_in_tool_loop(messages),
    )


def _as_sent(body: JsonObject, *, is_stream: bool) -> JsonObject:
    """Return the body with usage asked for, by which a stream is metered."""
    if not is_stream:
        return body
    options = body.get("stream_options")
    return {**body, "stream_options": {**(options if isinstance(options, dict) else {}), "include_usage": True}}


def _wants_usage(body: JsonObject) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _kept(body: JsonObject) -> JsonObject:
    """Return what says nothing of the answer, for a host of the same wire."""
    names = ("store", "metadata", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier")
    return {name: body[name] for name in names if body.get(name) is not None}


def _schema(body: JsonObject, bound: list[str]) -> JsonObject | None:
    """Read the form the answer has to have; raises BadMember for one that is no schema."""
    form = body.get("response_format")
    if form is None:
        return None
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "text":
        return None
    if isinstance(form, dict) and kind == "json_schema":
        inner = form.get("json_schema")
        schema = inner.get("schema") if isinstance(inner, dict) else None
        if not isinstance(schema, dict):
            raise BadMember("`response_format.json_schema` needs a `schema`, an object", "response_format")
        return _checked(schema)
    if kind == "json_object":
        bound.append("`response_format` of type `json_object`")
        return None
    if not isinstance(form, dict) or not isinstance(kind, str):
        raise BadMember("`response_format` must be an object with a `type`", "response_format")
    bound.append(f"`response_format` of type `{kind}`")
    return None


def _checked(schema: JsonObject) -> JsonObject:
    """Return a schema that is one; raises BadMember."""
    from deepsel.engine.checks.schema import check_schema

    try:
        check_schema(schema)
    except UsageError as error:
        raise BadMember(error.message, "response_format") from error
    return schema


def _seed(body: JsonObject) -> int | None:
    value = body.get("seed")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadMember("`seed` must be a whole number", "seed")
    return value


def _wishes(body: JsonObject) -> members.MemberWishes:
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    if not all(isinstance(one, str) for one in stops) or (stop is not None and not isinstance(stop, str | list)):
        raise BadMember("`stop` must be text or a list of texts", "stop")
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in _EFFORTS:
        raise BadMember(f"`reasoning_effort` must be one of {', '.join(_EFFORTS)}", "reasoning_effort")
    user = body.get("safety_identifier") or body.get("user")
    return members.MemberWishes(
        top_p=reading.number(body, "top_p", 0, 1),
        stop=tuple(str(one) for one in stops),
        user=user if isinstance(user, str) else "",
        effort=str(effort or ""),
        is_parallel=body.get("parallel_tool_calls") is not False,
    )
