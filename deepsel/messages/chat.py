"""Reads lists of chat messages, in OpenAI's form and in Anthropic's, into messages of parts, in the order given.

A member nobody knows is kept and sent on the wire in whose form the message is written; where the message could be of
either form, on both. What no part can hold is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from deepsel.errors import UsageError
from deepsel.messages.blocks import LEFT_OUT, child, form_of, member, nested, read_content, read_result
from deepsel.messages.forms import MEMBER_FORMS, OPENAI
from deepsel.messages.loading import extras
from deepsel.values import Json, JsonObject, Message, Part, Role, Text, Thinking, ToolCall, ToolResult

ROLES = ("system", "developer", "user", "assistant", "tool")
THINKING = ("reasoning_content", "reasoning", "reasoning_details")
"""Members in which hosts of OpenAI's form give a model's thinking."""
TOOL_CALLS = "tool calls"
_WORDED = ROLES[:-1]
_OLD_RESULT = "function"
"""The role of a tool's result in the old form of calls."""


def read_messages(data: Json, place: str, left_out: set[str] | None = None) -> tuple[Message, ...]:
    """Read a list of messages; raises UsageError that names the message's number and the member.

    `place` says in errors where the list stands. With `left_out` a part or call that cannot be read is passed over, and the
    set says what it was: for counting, which sends nothing.
    """
    if not isinstance(data, list) or not data:
        raise UsageError(f"{place} must hold a JSON list of messages", '[{"role": "user", "content": "..."}]')
    return tuple(read_message(item, f"{place}, message {number}", left_out) for number, item in enumerate(data, 1))


def read_message(item: Json, place: str, left_out: set[str] | None = None) -> Message:
    """Read one message, as `read_messages` does; raises UsageError, which calls it `place`."""
    role = item.get("role") if isinstance(item, dict) else None
    if not isinstance(item, dict) or role not in (*ROLES, _OLD_RESULT):
        raise UsageError(f"{place}: needs a `role` of {', '.join(ROLES)} and a `content`")
    content = item.get("content")
    if len(item) == 2 and isinstance(content, str) and role in _WORDED:  # as nearly all are
        return Message(cast("Role", role), (Text(content),))
    if role in ("tool", _OLD_RESULT):
        return _result(item, place, left_out)
    form = _form(item, place) if left_out is None else ""
    thinking, data = _thinking(item)
    calls, data = _calls(item, data, place, left_out)
    if calls and role != "assistant" and left_out is None:
        raise UsageError(f"{place}: only the assistant has `tool_calls`")
    parts: tuple[Part, ...] = ()
    may_be_null = bool(_given_calls(item)) or (left_out is not None and "content" in item)
    if content is not None or not may_be_null:
        parts = read_content(content, place, left_out)
    return Message(cast("Role", role), (*thinking, *parts, *calls), data, form)


def _form(item: JsonObject, place: str) -> str:
    """Return the wire in whose form alone a message is written; empty where either could be."""
    form = first = ""
    for name, own in _markers(item):
        if form and own != form:
            raise UsageError(f"{place}: `{name}` and `{first}` are of two providers' forms", "write it in one of them")
        form, first = own, first or name
    return form


def _markers(item: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield what only one form has, each with its wire."""
    if item["role"] in ("tool", _OLD_RESULT):
        yield "role", OPENAI
    for name, form in MEMBER_FORMS.items():
        if item.get(name) is not None:
            yield name, form
    content = item.get("content")
    for part in content if isinstance(content, list) else []:
        if form := form_of(part):
            yield str(part["type"]) if isinstance(part, dict) else "", form


def _thinking(item: JsonObject) -> tuple[list[Thinking], JsonObject]:
    """Read the members that hold thinking; return it with the message's other unknown members."""
    given = {name: item[name] for name in THINKING if item.get(name)}
    data = extras(item, "role", "content", *given)
    if not given:
        return [], data
    texts = [value for value in given.values() if isinstance(value, str)]
    is_plain = len(given) == 1 and isinstance(given.get(THINKING[0]), str)
    return [Thinking(texts[0] if texts else "", {} if is_plain else given)], data


def _calls(
    item: JsonObject, data: JsonObject, place: str, left_out: set[str] | None
) -> tuple[list[ToolCall], JsonObject]:
    """Read `tool_calls` and their old form `function_call`; return them with the members that are left."""
    calls: list[ToolCall] = []
    for name in _given_calls(item):
        value, data = item[name], extras(data, name)
        try:
            calls += [_call(one, place) for one in value] if isinstance(value, list) else [_old_call(item, place)]
        except UsageError:
            if left_out is None:
                raise
            left_out.add(TOOL_CALLS)
    return calls, data


def _given_calls(item: JsonObject) -> list[str]:
    """Name the members that hold calls."""
    return [name for name in ("tool_calls", "function_call") if item.get(name)]


def _call(item: Json, place: str) -> ToolCall:
    if not isinstance(item, dict) or item.get("type", "function") != "function":
        kind = item.get("type") if isinstance(item, dict) else None
        raise UsageError(f"{place}: `tool_calls` of type `{kind}` cannot be sent", "they must be of type `function`")
    function = child(item, "function", place)
    if not item.get("id"):
        raise UsageError(f"{place}: a member of `tool_calls` needs an `id`")
    return ToolCall(
        id=member(item, "id", place),
        name=member(function, "name", place),
        arguments=member(function, "arguments", place),
        provider_data=nested(item, "function", function, "name", "arguments", beside=("id",)),
    )


def _old_call(item: JsonObject, place: str) -> ToolCall:
    function = child(item, "function_call", place)
    name, arguments = member(function, "name", place), member(function, "arguments", place)
    return ToolCall("", name, arguments, extras(function, "name", "arguments"))


def _result(item: JsonObject, place: str, left_out: set[str] | None) -> Message:
    """Read a tool's result that is a message of its own."""
    is_old = item["role"] == _OLD_RESULT
    name = item.get("name")
    call_id = name if is_old else item.get("tool_call_id")
    if left_out is None and (not isinstance(call_id, str) or not call_id):
        raise UsageError(f"{place}: needs a `{'name' if is_old else 'tool_call_id'}`")
    if left_out is None:
        _form(item, place)
    known = ("name",) if isinstance(name, str) and name else ()
    try:
        parts = read_result(item.get("content"), place)
    except UsageError:
        if left_out is None:
            raise
        parts = ()
        left_out.add(LEFT_OUT)
    result = ToolResult(
        call_id=call_id if isinstance(call_id, str) and not is_old else "",
        parts=parts,
        name=name if isinstance(name, str) else "",
    )
    data = extras(item, "role", "content", "tool_call_id", *known)
    return Message("tool", (result,), data, OPENAI)
