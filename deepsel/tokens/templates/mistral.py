"""Mistral's chat template for its tekken vocabulary, as the maker's own encoder writes it (package `mistral-common`, 1.13.1, Apache-2.0).

Tests hold it against that encoder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import groupby

from deepsel.tokens.templates.writer import (
    Writer,
    WrittenPrompt,
    function_of,
    json_text,
    results,
    write_schema,
    written,
)
from deepsel.values import Json, Message, Request, Text, Tool, ToolCall

_BREAK = "\n\n"
"""Between messages of one role, and between the parts of one."""
_ID_CHARS = 9
"""The length of a call's id, which holds letters and digits; the host asks for it, and others' ids are written like that."""


def tekken(request: Request, *, thinks: bool) -> WrittenPrompt:
    """Write a request as the models that speak tekken read it; thinking changes nothing."""
    del thinks
    writer = Writer()
    writer.mark()  # where the text begins
    system = _BREAK.join(text for one in request.messages if _is_system(one) and (text := written(one.parts, _BREAK)))
    turns = [message for message in request.messages if not _is_system(message)]
    groups = [(role, list(messages)) for role, messages in groupby(turns, key=lambda message: message.role)]
    if not groups or groups[0][0] != "user":
        groups.insert(0, ("user", []))
    last = max(place for place, (role, _) in enumerate(groups) if role == "user")
    for place, (role, messages) in enumerate(groups):
        if role == "user":
            is_last = place == last
            _write_user(writer, messages, request.tools if is_last else (), system if is_last else "")
        elif role == "assistant":
            _write_assistant(writer, messages)
        else:
            _write_results(writer, messages)
    return writer.prompt(doubt_tokens=write_schema(writer, request.schema))


def _is_system(message: Message) -> bool:
    return message.role in ("system", "developer")


def _write_user(writer: Writer, messages: Sequence[Message], tools: Sequence[Tool], system: str) -> None:
    """Write what the user said; the last one hears of the tools and of the system text."""
    _write_results(writer, messages)  # which one form of requests puts into the user's message
    if tools:
        writer.mark()
        writer.words(json_text([_definition(tool) for tool in tools]))
        writer.mark()
    writer.mark()
    said = _BREAK.join(written(message.parts, _BREAK) for message in messages if not results(message) or written(message.parts))
    writer.words(f"{system}{_BREAK}{said}" if system else said)
    writer.mark()


def _definition(tool: Tool) -> Json:
    function = function_of(tool)
    parts = {"name": function["name"], "description": function.get("description", ""), "parameters": function.get("parameters", {})}
    return {"type": "function", "function": parts}


def _write_assistant(writer: Writer, messages: Sequence[Message]) -> None:
    """Write a turn of the assistant's: its words, its calls, and where it ends."""
    writer.words(_BREAK.join(text for one in messages if (text := written(one.parts, _BREAK))).rstrip(" "))
    calls = [part for one in messages for part in one.parts if isinstance(part, ToolCall)]
    if calls:
        writer.mark()
        writer.words(json_text([{"name": one.name, "arguments": _parsed(one.arguments), "id": _id(one.id)} for one in calls]))
    writer.mark()


def _write_results(writer: Writer, messages: Sequence[Message]) -> None:
    for one in (result for message in messages for result in results(message)):
        writer.mark()
        text = "".join(part.text for part in one.parts if isinstance(part, Text))
        writer.words(json_text({"content": _parsed(text), "call_id": _id(one.call_id)}))
        writer.mark()


def _parsed(text: str) -> Json:
    """Return the value of a JSON text, and any other text as it is."""
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def _id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)[-_ID_CHARS:]
