"""Writes messages of parts and tools in the form of the wire `openai-chat`, in the order given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepsel.values import (
    Document,
    Image,
    Json,
    JsonObject,
    Message,
    Part,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from deepsel.wires.bodies import is_plain, merged

NAME = "openai-chat"


def encode_message(message: Message) -> list[JsonObject]:
    """Write a message: results of tools are messages of their own here, before what was said with them."""
    is_own = message.form in ("", NAME)
    data = message.provider_data if is_own else {}
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    others = [part for part in message.parts if not isinstance(part, ToolResult)]
    if message.form != NAME:
        others = [part for part in others if not isinstance(part, Thinking)]
    written = [_result(result, is_own=is_own) for result in results]
    if others:
        written.append(_turn(message.role, others, is_own=is_own))
    if written:
        merged(written[-1], data)
    return written


def _turn(role: str, parts: Sequence[Part], *, is_own: bool) -> JsonObject:
    calls = [part for part in parts if isinstance(part, ToolCall)]
    beside = [part for part in parts if isinstance(part, Thinking) and "thinking" not in part.provider_data]
    content = [part for part in parts if not isinstance(part, ToolCall) and part not in beside]
    turn: JsonObject = {"role": role, "content": _content(content, is_own=is_own) if content else None}
    for thinking in beside:
        turn |= thinking.provider_data or {"reasoning_content": thinking.text}
    for call in calls:
        if not call.id:
            turn["function_call"] = {**_function(call), **_own(call.provider_data, is_own)}
    if named := [_call(call, is_own=is_own) for call in calls if call.id]:
        turn["tool_calls"] = list(named)
    return turn


def _content(parts: Sequence[Part], *, is_own: bool) -> Json:
    if is_plain(parts, is_own=is_own):
        return parts[0].text
    return [_part(part, is_own=is_own) for part in parts]


def _part(part: Part, *, is_own: bool) -> JsonObject:
    data = _own(part.provider_data, is_own)
    match part:
        case Image():
            return merged({"type": "image_url", "image_url": {"url": part.url}}, data)
        case Document():
            name: JsonObject = {"filename": part.name or "document"} if part.name or not is_own else {}
            return merged({"type": "file", "file": {**name, "file_data": part.url}}, data)
        case Thinking():
            return merged({"type": "thinking"}, data)
        case _:
            return merged({"type": "text", "text": part.text if isinstance(part, Text) else ""}, data)


def _call(call: ToolCall, *, is_own: bool) -> JsonObject:
    return merged({"id": call.id, "type": "function", "function": _function(call)}, _own(call.provider_data, is_own))


def _function(call: ToolCall) -> JsonObject:
    return {"name": call.name, "arguments": call.arguments}


def _result(result: ToolResult, *, is_own: bool) -> JsonObject:
    content = _content(result.parts, is_own=is_own) if result.parts else ""
    named: JsonObject = {"name": result.name} if result.name else {}
    if not result.call_id:
        return {"role": "function", **named, "content": content}
    return merged({"role": "tool", "tool_call_id": result.call_id, **named, "content": content}, _own(result.provider_data, is_own))


def _own(data: Mapping[str, Json], is_own: bool) -> Mapping[str, Json]:
    """Return what is in this wire's form."""
    return data if is_own else {}


def encode_tool(tool: Tool) -> JsonObject:
    """Write a tool's definition."""
    function: JsonObject = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = dict(tool.parameters)
    if tool.strict is not None:
        function["strict"] = tool.strict
    return merged({"type": "function", "function": function}, _own(tool.provider_data, tool.form in ("", NAME)))


def encode_tool_choice(choice: ToolChoice) -> Json:
    """Write whether a tool has to be called."""
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode
