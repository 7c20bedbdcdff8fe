"""Reads requests that stand one a line: own short lines, batch lines of OpenAI and of Anthropic, whole chat bodies."""

from __future__ import annotations

from deepsel.errors import UsageError
from deepsel.messages.blocks import read_content
from deepsel.messages.chat import read_messages
from deepsel.messages.forms import ANTHROPIC
from deepsel.messages.loading import extras, load
from deepsel.messages.responses import read_input
from deepsel.messages.tools import read_tool_choice, read_tools
from deepsel.records import NamedTuple
from deepsel.values import JsonObject, Message, Text, Tool, ToolChoice

_ASKED = ("messages", "prompt", "input")
_ENVELOPES = {"body": ("custom_id", "method", "url", "body"), "params": ("custom_id", "params")}
"""Where the body stands in a batch line, and the line's members."""


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


def read_line(text: str, place: str) -> RequestLine:
    """Read one line; raises UsageError where it asks nothing, or something no request can hold, and names it.

    `place` says in errors where the line stands.
    """
    try:
        record, has_lone_surrogates = load(text)
    except ValueError as error:
        raise UsageError(f"{place} is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise UsageError(f"{place} must hold a JSON object", '{"prompt": "..."}')
    body, known = unwrapped(record)
    unknown = next((member for member in record if member not in known), None) if known else None
    if unknown is not None:
        raise UsageError(f"{place}: `{unknown}` is no member of a batch line")
    messages = (*_head(body, place), *_asked(body, place))
    tools = read_tools(body["tools"], place) if body.get("tools") else ()
    choice = read_tool_choice(body["tool_choice"], place) if tools and body.get("tool_choice") else None
    read = ["messages", "prompt", "input", "system", "instructions", *(["tools"] if tools else []), *(["tool_choice"] if choice else [])]
    is_own = body is record
    url = "" if is_own else record.get("url", "")
    return RequestLine(
        messages,
        has_lone_surrogates=has_lone_surrogates,
        id=_id(record, "id" if is_own else "custom_id", place),
        tools=tools,
        tool_choice=choice,
        members=extras(body, *read, *(["id"] if is_own else [])),
        url=url if isinstance(url, str) else "",
    )


def unwrapped(record: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """Return the body of a line and its envelope's members: the line itself, and none, where it has no envelope."""
    is_bare = any(name in record for name in _ASKED)
    for name, known in _ENVELOPES.items():
        body = record.get(name)
        if isinstance(body, dict) and not is_bare:
            return body, known
    return record, ()


def _id(record: JsonObject, name: str, place: str) -> str | None:
    value = record.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise UsageError(f"{place}: `{name}` must be text")
    return None if value is None else str(value)


def _asked(body: JsonObject, place: str) -> tuple[Message, ...]:
    name = next((name for name in _ASKED if name in body), None)
    if name is None:
        raise UsageError(f"{place} asks nothing", "it needs a `prompt` or `messages`")
    value = body[name]
    if name == "input":
        return read_input(value, place)
    if name == "messages":
        return read_messages(value, place)
    if name == "prompt" and isinstance(value, str):
        return (Message.of("user", value),)
    raise UsageError(f"{place}: `{name}` cannot be sent in this form", "give `messages`, or a `prompt` that is text")


def _head(body: JsonObject, place: str) -> tuple[Message, ...]:
    """Read the system text that stands beside the messages."""
    head = []
    for name in ("system", "instructions"):
        if body.get(name):
            parts = read_content(body[name], f"{place}, `{name}`")
            if not all(isinstance(part, Text) for part in parts):
                raise UsageError(f"{place}: `{name}` holds only text")
            has_data = any(part.provider_data for part in parts)
            head.append(Message("system", parts, form=ANTHROPIC if has_data and name == "system" else ""))
    return tuple(head)
