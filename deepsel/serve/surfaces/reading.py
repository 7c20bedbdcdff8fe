"""Reads what the wires have in common: strictly for translation, leniently for the host of the same wire, which knows better.

What no part of ours can hold binds the request to its own wire, by name; nothing is dropped in silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from deepsel.errors import UsageError
from deepsel.messages.chat import read_messages
from deepsel.messages.tools import read_tool_choice, read_tools
from deepsel.serve.surfaces.surface import BadMember
from deepsel.values import Json, JsonObject, Message, Text, Tool, ToolChoice, ToolResult

Read: TypeAlias = Callable[[Json, str, "set[str] | None"], tuple[Message, ...]]
_SAYS_NOTHING: tuple[Json, ...] = (None, [], {}, "")
_HINT = "cache_control"
"""Says where a provider's cache may begin; elsewhere caches find that out by themselves."""


def number(body: JsonObject, name: str, low: float, high: float) -> float | None:
    """Return a member that has to be a number in [low, high]; None where it is absent. Raises BadMember."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadMember(f"`{name}` must be a number from {low:g} to {high:g}", name)
    return value


def whole(body: JsonObject, name: str, least: int = 1) -> int | None:
    """Return a member that has to be a whole number of at least `least`; None where it is absent. Raises BadMember."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadMember(f"`{name}` must be a whole number of at least {least}", name)
    return value


def flag(body: JsonObject, name: str) -> bool:
    """Return a member that has to be true or false, false where it is absent. Raises BadMember."""
    value = body.get(name)
    if not isinstance(value, bool | None):
        raise BadMember(f"`{name}` must be true or false", name)
    return bool(value)


def model_name(body: JsonObject) -> str:
    """Return the model that is asked for; raises BadMember where none is named."""
    name = body.get("model")
    if not isinstance(name, str) or not name.strip():
        raise BadMember("`model` must name one; `auto` lets deepsel choose", "model")
    return name.strip()


def messages_of(data: Json, bound: list[str], name: str = "messages", read: Read = read_messages) -> tuple[Message, ...]:
    """Read the conversation; what no part can hold is noted in `bound` and left out. Raises BadMember for what is no list."""
    try:
        return read(without_hints(data), f"`{name}`", None)
    except UsageError as error:
        left_out: set[str] = set()
        try:
            messages = read(without_hints(data), f"`{name}`", left_out)
        except UsageError:
            raise BadMember(error.message, name) from error
        bound.append(error.message)
        return messages


def tools_of(data: Json, bound: list[str]) -> tuple[Tool, ...]:
    """Read the tools; those in no form of ours are noted in `bound`, and stand as their text, so that they are counted."""
    if data in _SAYS_NOTHING:
        return ()
    if not isinstance(data, list):
        raise BadMember("`tools` must be a list", "tools")
    try:
        return read_tools(without_hints(data), "`tools`")
    except UsageError as error:
        bound.append(error.message)
        return (Tool("tools", json.dumps(data, ensure_ascii=False)),)


def without_hints(value: Json) -> Json:
    """Return messages or tools without the marks that only say what may be cached."""
    if isinstance(value, list):
        return [without_hints(one) for one in value]
    if isinstance(value, dict) and (_HINT in value or isinstance(value.get("content"), list)):
        return {name: without_hints(one) if name == "content" else one for name, one in value.items() if name != _HINT}
    return value


def further(body: JsonObject, known: Iterable[str]) -> list[str]:
    """Name the members beside the `known` ones that say something."""
    passed = frozenset(known)
    return [name for name, value in body.items() if name not in passed and value not in _SAYS_NOTHING and value is not False]


def only_here(bound: list[str], members: list[str]) -> str:
    """Say what no other wire can carry; empty where it all can be translated."""
    return "; ".join([*(f"`{name}`" for name in members), *bound])


def instruction_of(messages: Iterable[Message]) -> str:
    """Return the last words of the user."""
    for message in reversed(tuple(messages)):
        if message.role == "user" and any(isinstance(part, Text) for part in message.parts):
            return message.text
    return ""


def is_in_tool_loop(messages: tuple[Message, ...]) -> bool:
    """Tell whether what was said last are results of the model's calls."""
    if not messages:
        return False
    return any(isinstance(part, ToolResult) for part in messages[-1].parts)


def read_choice(value: Json, bound: list[str]) -> ToolChoice | None:
    """Read whether a tool has to be called; a form of one wire alone binds the request to it. Raises BadMember."""
    if value is None:
        return None
    try:
        return read_tool_choice(value, "the request")
    except UsageError as error:
        if not isinstance(value, dict):
            raise BadMember('`tool_choice` must be "none", "auto", "required" or an object that names a tool', "tool_choice") from error
        bound.append("`tool_choice`")
        return None


def passed_headers(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return the headers that belong to the body."""
    return {name: headers[name] for name in names if name in headers}
