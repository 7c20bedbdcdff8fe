"""Reads requests that stand one a line: own short lines, batch lines of OpenAI and of Anthropic, whole chat bodies."""

from __future__ import annotations

from typing import NamedTuple

from deepsel.errors import UsageError
from deepsel.messages.blocks import read_content
from deepsel.messages.chat import ROLES, read_message, read_messages
from deepsel.messages.forms import ANTHROPIC
from deepsel.messages.loading import extras, load
from deepsel.messages.tools import read_tool_choice, read_tools
from deepsel.values import Json, JsonObject, Message, Text, Tool, ToolChoice

_ASKED = ("messages", "prompt", "input")
_ENVELOPES = {"body": ("custom_id", "method", "url", "body"), "params": ("custom_id", "params")}
"""Where the body stands in a batch line, and the line's members."""
_INPUT_TYPES = ("input_text", "output_text")
"""What the Responses API calls a text."""


class RequestLine(NamedTuple):
    """One line that asks something."""

    messages: tuple[Message, ...]
    id: str | None = None
    """`id` of an own line, `custom_id` of a batch line; None: it has none."""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    members: JsonObject = {}  # noqa: RUF012 - never changed
    """What else it asks for (model, limits, sampling), as it stands there."""
    url: str = ""
    """Where an OpenAI batch line is to be posted."""
    has_lone_surrogates: bool = False


def read_line(text: str, place: str, left_out: set[str] | None = None) -> RequestLine:
    """Read one line; raises UsageError where it asks nothing, or something no request can hold, and names it.

    `place` says in errors where the line stands. With `left_out` the line is only to be counted: shapes that cannot be sent
    (`input`, lists of prompts) are read too, and what is no text is passed over and said in the set.
    """
    try:
        record, has_lone_surrogates = load(text)
    except ValueError as error:
        raise UsageError(f"{place} is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise UsageError(f"{place} must hold a JSON object", '{"prompt": "..."}')
    body = _unwrapped(record, place, left_out)
    messages = (*_head(body, place, left_out), *_asked(body, place, left_out))
    if left_out is None:
        return _to_send(messages, record, body, place)._replace(has_lone_surrogates=has_lone_surrogates)
    if body.get("tools") or body.get("functions"):
        left_out.add("tool definitions")
    return RequestLine(messages, has_lone_surrogates=has_lone_surrogates)


def _unwrapped(record: JsonObject, place: str, left_out: set[str] | None) -> JsonObject:
    """Return the body of a line: what stands in its envelope, if it has one."""
    is_bare = "messages" in record or "prompt" in record or "input" in record
    for name, known in _ENVELOPES.items():
        body = record.get(name)
        if is_bare or not isinstance(body, dict):
            continue
        unknown = next((member for member in record if member not in known), None)
        if unknown is not None and left_out is None:
            raise UsageError(f"{place}: `{unknown}` is no member of a batch line")
        return body
    return record


def _to_send(messages: tuple[Message, ...], record: JsonObject, body: JsonObject, place: str) -> RequestLine:
    """Read what a line says beside its messages."""
    tools = read_tools(body["tools"], place) if body.get("tools") else ()
    choice = read_tool_choice(body["tool_choice"], place) if tools and body.get("tool_choice") else None
    read = ["messages", "prompt", "system", "instructions", *(["tools"] if tools else []), *(["tool_choice"] if choice else [])]
    is_own = body is record
    url = "" if is_own else record.get("url", "")
    return RequestLine(
        messages,
        id=_id(record, "id" if is_own else "custom_id", place),
        tools=tools,
        tool_choice=choice,
        members=extras(body, *read, *(["id"] if is_own else [])),
        url=url if isinstance(url, str) else "",
    )


def _id(record: JsonObject, name: str, place: str) -> str | None:
    value = record.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise UsageError(f"{place}: `{name}` must be text")
    return None if value is None else str(value)


def _asked(body: JsonObject, place: str, left_out: set[str] | None) -> tuple[Message, ...]:
    name = next((name for name in _ASKED if name in body), None)
    if name is None:
        raise UsageError(f"{place} asks nothing", "it needs a `prompt` or `messages`")
    value = body[name]
    if name == "messages" and left_out is None:
        return read_messages(value, place)
    if name == "prompt" and isinstance(value, str):
        return (Message.of("user", value),)
    if left_out is None:
        raise UsageError(
            f"{place}: `{name}` cannot be sent in this form", "give `messages`, or a `prompt` that is text"
        )
    return _counted(value, place, left_out)


def _counted(value: Json, place: str, left_out: set[str]) -> tuple[Message, ...]:
    """Read what is only to be counted: a text, a list of texts, or messages."""
    if isinstance(value, str):
        return (Message.of("user", value),)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return tuple(Message.of("user", item) for item in value if isinstance(item, str))
    if not isinstance(value, list) or not value:
        raise UsageError(f"{place} asks nothing")
    return tuple(read_message(_as_chat(item), place, left_out) for item in value)


def _as_chat(item: Json) -> Json:
    """Give a message of the Responses API the words of chat; where nothing is sent its role does not matter."""
    if not isinstance(item, dict) or not ("content" in item or "tool_calls" in item):
        return item
    role, content = item.get("role"), item.get("content")
    if isinstance(content, str) and role in ROLES:
        return item
    if isinstance(content, list):
        content = [_as_part(part) for part in content]
    return {**item, "role": role if role in ROLES else "user", "content": content}


def _as_part(part: Json) -> Json:
    """Give a part of the Responses API the words of chat."""
    if not isinstance(part, dict):
        return part
    if part.get("type") in _INPUT_TYPES:
        return {**part, "type": "text"}
    if part.get("type") != "input_image" or not isinstance(part.get("image_url"), str):
        return part
    return {"type": "image_url", "image_url": {"url": part["image_url"], "detail": part.get("detail")}}


def _head(body: JsonObject, place: str, left_out: set[str] | None) -> tuple[Message, ...]:
    """Read the system text that stands beside the messages."""
    head = []
    for name in ("system", "instructions"):
        if body.get(name):
            parts = read_content(body[name], f"{place}, `{name}`", left_out)
            if not all(isinstance(part, Text) for part in parts):
                raise UsageError(f"{place}: `{name}` holds only text")
            has_data = any(part.provider_data for part in parts)
            head.append(Message("system", parts, form=ANTHROPIC if has_data and name == "system" else ""))
    return tuple(head)
