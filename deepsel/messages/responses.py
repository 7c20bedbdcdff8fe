"""Reads the `input` of a Responses request, a text or a list of items, into messages of parts, in the order given.

An assistant's turn is several items there: what was thought, what was said and each call. Those that follow each other are one
message here, as the other wires have it, and come apart again where they are sent back as items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from deepsel.errors import UsageError
from deepsel.messages.blocks import LEFT_OUT, media_type, member, named
from deepsel.messages.chat import ROLES, TOOL_CALLS
from deepsel.messages.forms import RESPONSES
from deepsel.messages.loading import extras
from deepsel.values import Document, Image, Json, JsonObject, Message, Part, Role, Text, Thinking, ToolCall, ToolResult

ITEM = "item"
"""In the data of an answer's first part: what its item has beside role and content."""
_ROLES = ROLES[:-1]
_LINKS = ("https://", "http://")


def read_input(data: Json, place: str, left_out: set[str] | None = None) -> tuple[Message, ...]:
    """Read an `input`; raises UsageError that names the item's number and the member.

    With `left_out` an item or part that cannot be read is passed over, and the set says what it was: for counting, which sends
    nothing.
    """
    if isinstance(data, str):
        return (Message.of("user", data),)
    if not isinstance(data, list) or not data:
        raise UsageError(f"{place}: `input` must be text or a list of items", '[{"role": "user", "content": "..."}]')
    found: list[Message] = []
    turn: list[Part] = []
    for number, item in enumerate(data, 1):
        try:
            message = _item(item, f"{place}, item {number}", turn, left_out)
        except UsageError:
            if left_out is None:
                raise
            is_call = isinstance(item, dict) and "call" in str(item.get("type"))
            left_out.add(TOOL_CALLS if is_call else LEFT_OUT)
            continue
        if message is not None:
            found += [*_turn(turn), message]
            turn = []
    return (*found, *_turn(turn))


def _turn(parts: list[Part]) -> list[Message]:
    """Make one message of what an assistant thought, said and called."""
    if not parts:
        return []
    is_bare = len(parts) == 1 and isinstance(parts[0], Text) and not parts[0].provider_data
    return [Message("assistant", tuple(parts), form="" if is_bare else RESPONSES)]


def _item(item: Json, place: str, turn: list[Part], left_out: set[str] | None) -> Message | None:
    """Read one item: add it to the assistant's turn, or return the message it is."""
    if not isinstance(item, dict):
        raise UsageError(f"{place}: an item must be an object")
    kind = item.get("type", "message")
    if kind == "message":
        return _message(item, place, turn, left_out)
    if kind == "reasoning":
        turn.append(_reasoning(item))
    elif kind == "function_call":
        turn.append(_call(item, place))
    elif kind == "function_call_output":
        return Message("tool", (_result(item, place),), form=RESPONSES)
    else:
        raise UsageError(
            f"{place}: an item of type `{kind}` cannot be sent",
            "understood are message, reasoning, function_call, function_call_output",
        )
    return None


def _message(item: JsonObject, place: str, turn: list[Part], left_out: set[str] | None) -> Message | None:
    role, content = item.get("role"), item.get("content")
    if role not in _ROLES:
        raise UsageError(f"{place}: needs a `role` of {', '.join(_ROLES)} and a `content`")
    data = extras(item, "role", "content")
    if role != "assistant":
        parts = _parts(content, place, left_out)
        is_bare = isinstance(content, str) and not data
        return Message(cast("Role", role), parts, data, "" if is_bare else RESPONSES)
    if isinstance(content, str):
        turn.append(Text(content, {ITEM: data} if data or _has_said(turn) else {}))
        return None
    first, *others = _parts(content, place, left_out)
    turn += [cast("Part", first._replace(provider_data={ITEM: data, **first.provider_data})), *others]
    return None


def _has_said(turn: list[Part]) -> bool:
    """Tell whether the turn ends in words, with which a text of an item of its own must not become one."""
    return bool(turn) and isinstance(turn[-1], Text)


def _parts(content: Json, place: str, left_out: set[str] | None) -> tuple[Text | Image | Document, ...]:
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list) or not content:
        raise UsageError(f"{place}: `content` must be text or a list of parts")
    parts: list[Text | Image | Document] = []
    for number, item in enumerate(content, 1):
        try:
            parts.append(_part(item, f"{place}, part {number}" if len(content) > 1 else place))
        except UsageError:
            if left_out is None:
                raise
            left_out.add(LEFT_OUT)
    return tuple(parts) or (Text(""),)


def _part(item: Json, place: str) -> Text | Image | Document:
    kind = item.get("type") if isinstance(item, dict) else None
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None or not isinstance(item, dict):
        raise UsageError(f"{place}: a content part of type `{kind}` cannot be sent", f"understood are {', '.join(_READERS)}")
    return read(item, place)


def _text(item: JsonObject, place: str) -> Text:
    return Text(member(item, "text", place), extras(item, "text"))


def _refusal(item: JsonObject, place: str) -> Text:
    return Text(member(item, "refusal", place), extras(item, "refusal"))


def _image(item: JsonObject, place: str) -> Image:
    if item.get("image_url") is None and item.get("file_id"):
        raise UsageError(f"{place}: `file_id` names a file at one provider and cannot be sent", "give `image_url`")
    url = member(item, "image_url", place)
    if not url.startswith(("data:image/", *_LINKS)):
        raise UsageError(f"{place}: an image needs a `data:image/...;base64,` or http(s) URL")
    return Image(media_type(url), url, extras(item, "type", "image_url"))


def _file(item: JsonObject, place: str) -> Document:
    name = item.get("filename")
    named = ("filename",) if isinstance(name, str) and name else ()
    title = name if isinstance(name, str) else ""
    if item.get("file_id"):
        raise UsageError(f"{place}: `file_id` names a file at one provider and cannot be sent", "give `file_data`")
    if item.get("file_url"):
        url = member(item, "file_url", place)
        if not url.startswith(_LINKS):
            raise UsageError(f"{place}: `file_url` must be an http(s) URL")
        return Document("", url, "", title, extras(item, "type", "file_url", *named))
    url = member(item, "file_data", place)
    if not url.startswith("data:"):
        raise UsageError(f"{place}: `file_data` must be a `data:...;base64,` URL")
    return Document(media_type(url), url, "", title, extras(item, "type", "file_data", *named))


def _reasoning(item: JsonObject) -> Thinking:
    """Read what was thought: its summary, else its own words; what is encrypted stays in the data."""
    for name in ("summary", "content"):
        value = item.get(name)
        texts = [part.get("text") for part in value if isinstance(part, dict)] if isinstance(value, list) else []
        if words := "".join(text for text in texts if isinstance(text, str)):
            return Thinking(words, extras(item, "type"))
    return Thinking("", extras(item, "type"))


def _call(item: JsonObject, place: str) -> ToolCall:
    data = extras(item, "type", "call_id", "name", "arguments")
    return ToolCall(named(item, "call_id", place), named(item, "name", place), member(item, "arguments", place), data)


def _result(item: JsonObject, place: str) -> ToolResult:
    output = item.get("output")
    parts = _parts(output, place, None) if output not in ("", []) else (Text(""),) if output == "" else ()
    return ToolResult(named(item, "call_id", place), parts, provider_data=extras(item, "type", "call_id", "output"))


_READERS: Mapping[str, Callable[[JsonObject, str], Text | Image | Document]] = {
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
}
