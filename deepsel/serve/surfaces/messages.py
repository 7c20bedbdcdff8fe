"""Anthropic's messages as clients speak them."""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.errors import UsageError
from deepsel.messages.blocks import read_content
from deepsel.messages.forms import ANTHROPIC
from deepsel.messages.tools import read_tool_choice
from deepsel.serve.surfaces import members, reading
from deepsel.serve.surfaces.messages_answers import MessagesWriter as Writer
from deepsel.serve.surfaces.messages_answers import document, error, error_event
from deepsel.serve.surfaces.surface import Asked, BadMember
from deepsel.values import Given, Json, JsonObject, Message, Part, Request, Text, ToolChoice

__all__ = ["WIRE", "Writer", "document", "error", "error_event", "read"]

WIRE = ANTHROPIC
_PASSED_HEADERS = ("anthropic-beta",)
_KNOWN = frozenset(
    {
        *("model", "messages", "system", "stream", "max_tokens", "temperature", "tools", "tool_choice", "top_p"),
        *("stop_sequences", "metadata", "thinking", "output_config", "output_format", "cache_control", "betas"),
    }
)
_CLEARING = "context_management"
_DEFAULTS: Mapping[str, Json] = {"service_tier": "auto", "speed": "standard"}


def read(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Read a request; raises BadMember."""
    if body.get("max_tokens") is None:
        raise BadMember("`max_tokens` is required", "max_tokens")
    asked = conversation(body, headers)
    return asked._replace(request=asked.request._replace(max_tokens=reading.whole(body, "max_tokens")))


def conversation(body: JsonObject, headers: Mapping[str, str]) -> Asked:
    """Read what is asked without a bound on the answer, as it stands where only its tokens are counted; raises BadMember."""
    bound: list[str] = []
    messages = (*_system(body.get("system"), bound), *reading.messages_of(body.get("messages"), bound))
    tools = reading.tools_of(body.get("tools"), bound)
    choice, is_parallel = _choice(body.get("tool_choice"), bound)
    is_stream = reading.flag(body, "stream")
    own = reading.further({name: one for name, one in body.items() if one != _DEFAULTS.get(name, ...)}, _KNOWN)
    own = [name for name in own if name != _CLEARING or not _clears_thinking_alone(body[name])]
    wishes = _wishes(body, bound)._replace(is_parallel=is_parallel)
    elsewhere = members.written(wishes, choice)
    kept = (*own, _CLEARING, "thinking", "metadata", "tool_choice", "output_config", "cache_control")
    elsewhere[WIRE] = {**elsewhere[WIRE], **{name: body[name] for name in kept if body.get(name) is not None}}
    request = Request(
        messages=messages,
        temperature=reading.number(body, "temperature", 0, 1),
        schema=_schema(body),
        stream=is_stream,
        tools=tools,
        tool_choice=choice,
        given=Given(
            WIRE,
            _as_sent(body),
            headers=reading.passed_headers(headers, *_PASSED_HEADERS),
            elsewhere=elsewhere,
            only=reading.only_here(bound, own),
            unsayable=members.unsayable(wishes, "stop_sequences"),
        ),
    )
    return Asked(
        request=request,
        model=reading.model_name(body),
        instruction=reading.instruction_of(messages),
        is_in_tool_loop=reading.is_in_tool_loop(messages),
    )


def _clears_thinking_alone(value: Json) -> bool:
    """Tell whether a wish to shorten the conversation is about thinking alone, which goes to no other wire anyway."""
    edits = value.get("edits") if isinstance(value, dict) else None
    kinds = [edit.get("type") if isinstance(edit, dict) else None for edit in edits] if isinstance(edits, list) else []
    return set(value if isinstance(value, dict) else ()) <= {"edits"} and all(str(kind).startswith("clear_thinking") for kind in kinds)


def _as_sent(body: JsonObject) -> JsonObject:
    """Return the body without thinking that bears no signature: it was another provider's, and this wire's hosts refuse it."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not any(_is_unsigned(block) for one in messages for block in _blocks(one)):
        return body
    kept: list[Json] = []
    for one in messages:
        blocks = [block for block in _blocks(one) if not _is_unsigned(block)]
        if isinstance(one, dict) and len(blocks) < len(_blocks(one)):
            if blocks:
                kept.append({**one, "content": blocks})
        else:
            kept.append(one)
    return {**body, "messages": kept}


def _blocks(message: Json) -> list[Json]:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, list) else []


def _is_unsigned(block: Json) -> bool:
    return isinstance(block, dict) and block.get("type") == "thinking" and not block.get("signature")


def _system(value: Json, bound: list[str]) -> tuple[Message, ...]:
    """Read the system text that stands beside the messages."""
    if not value:
        return ()
    try:
        parts: tuple[Part, ...] = read_content(reading.without_hints(value), "`system`")
    except UsageError as error:
        raise BadMember(error.message, "system") from error
    if not all(isinstance(part, Text) for part in parts):
        raise BadMember("`system` holds only text", "system")
    if any(isinstance(part, Text) and part.provider_data for part in parts):
        bound.append("a member of `system`")
    return (Message("system", parts, form=WIRE if any(isinstance(one, Text) and one.provider_data for one in parts) else ""),)


def _choice(value: Json, bound: list[str]) -> tuple[ToolChoice | None, bool]:
    """Read whether a tool has to be called, and whether several may be at once."""
    if value is None:
        return None, True
    if not isinstance(value, dict):
        raise BadMember("`tool_choice` must be an object with a `type`", "tool_choice")
    plain = {name: one for name, one in value.items() if name != "disable_parallel_tool_use"}
    is_parallel = not value.get("disable_parallel_tool_use")
    try:
        return read_tool_choice(plain, "the request"), is_parallel
    except UsageError:
        bound.append("`tool_choice`")
        return None, is_parallel


def _schema(body: JsonObject) -> JsonObject | None:
    """Read the form the answer has to have; raises BadMember for one that is no schema."""
    config = body.get("output_config")
    form = (config.get("format") if isinstance(config, dict) else None) or body.get("output_format")
    if form is None:
        return None
    schema = form.get("schema") if isinstance(form, dict) else None
    if not isinstance(schema, dict):
        raise BadMember("the format of the output needs a `schema`, an object", "output_config")
    from deepsel.engine.checks.schema import check_schema

    try:
        check_schema(schema)
    except UsageError as error:
        raise BadMember(error.message, "output_config") from error
    return schema


def _wishes(body: JsonObject, bound: list[str]) -> members.MemberWishes:
    stop = body.get("stop_sequences") or []
    if not isinstance(stop, list) or not all(isinstance(one, str) for one in stop):
        raise BadMember("`stop_sequences` must be a list of texts", "stop_sequences")
    metadata = body.get("metadata")
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    if isinstance(metadata, dict) and reading.further(metadata, ("user_id",)):
        bound.append("a member of `metadata`")
    return members.MemberWishes(
        top_p=reading.number(body, "top_p", 0, 1),
        stop=tuple(str(one) for one in stop),
        user=user if isinstance(user, str) else "",
        effort=_effort(body, bound),
    )


def _effort(body: JsonObject, bound: list[str]) -> str:
    """Say in one word how long to think; empty where the client says nothing, or that it is not to be."""
    thinking, config = body.get("thinking"), body.get("output_config")
    told = config.get("effort") if isinstance(config, dict) else None
    if isinstance(config, dict) and reading.further(config, ("effort", "format")):
        bound.append("a member of `output_config`")
    if not isinstance(thinking, dict) or thinking.get("type") == "disabled":
        return ""
    if isinstance(told, str):
        return told
    return members.effort_of_budget(thinking.get("budget_tokens")) if thinking.get("type") == "enabled" else "medium"
