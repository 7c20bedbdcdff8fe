"""Writes messages of parts and tools in the form of the wire `anthropic-messages`, in the order given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from deepsel.errors import UsageError
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

NAME = "anthropic-messages"
SYSTEM_ROLES = ("system", "developer")


def encode_turns(messages: Iterable[Message]) -> list[Json]:
    """Write what is no system text. Results of tools that follow each other are one turn of the user, as this wire wants."""
    turns: list[Json] = []
    open_results: list[Json] | None = None
    for message in messages:
        if message.role in SYSTEM_ROLES:
            continue
        is_own = message.form in ("", NAME)
        blocks = _blocks(message, is_own=is_own)
        if message.role == "tool" and open_results is not None:
            open_results += blocks
            continue
        open_results = blocks if message.role == "tool" else None
        if blocks:
            content: Json = message.text if is_plain(message.parts, is_own=is_own) else blocks
            role = "assistant" if message.role == "assistant" else "user"
            turns.append(merged({"role": role, "content": content}, message.provider_data if is_own else {}))
    return turns


def encode_system(messages: Iterable[Message], instruction: str) -> JsonObject:
    """Write the member `system`, if there is any, from the system texts and an instruction of ours.

    It is one string, or blocks where a block is more than its words.
    """
    system = [message for message in messages if message.role in SYSTEM_ROLES]
    if not system and not instruction:
        return {}
    if all(is_plain(message.parts, is_own=message.form in ("", NAME)) for message in system):
        return {"system": "\n\n".join([*(message.text for message in system), *([instruction] if instruction else [])])}
    blocks = [block for message in system for block in _blocks(message, is_own=message.form in ("", NAME))]
    if instruction:
        blocks.append({"type": "text", "text": instruction})
    return {"system": blocks}


def _blocks(message: Message, *, is_own: bool) -> list[Json]:
    """Write a message's parts; of another form thinking is left out, and an empty text, which this wire refuses."""
    parts = list(message.parts)
    if message.form != NAME:
        parts = [part for part in parts if not isinstance(part, Thinking)]
    if not is_own and len(parts) > 1:
        parts = [part for part in parts if not isinstance(part, Text) or part.text]
    return [_block(part, is_own=is_own) for part in parts]


def _block(part: Part, *, is_own: bool) -> JsonObject:
    data: Mapping[str, Json] = part.provider_data if is_own else {}
    match part:
        case Text():
            return merged({"type": "text", "text": part.text}, data)
        case Thinking():
            return _thinking(part)
        case Image():
            return merged({"type": "image", "source": _source(part.media_type, part.url)}, data)
        case Document():
            return merged(_document(part), data)
        case ToolCall():
            call: JsonObject = {"type": "tool_use", "id": part.id, "name": part.name, "input": _input(part)}
            return merged(call, data)
        case ToolResult():
            return merged(_result(part, is_own=is_own), data)


def _input(call: ToolCall) -> JsonObject:
    """Give a call's arguments as the object this wire wants; raises UsageError where they are none."""
    arguments = call.parsed
    if arguments is None:
        raise UsageError(f"the arguments of the call of `{call.name}` are no JSON object")
    return arguments


def _thinking(part: Thinking) -> JsonObject:
    if "data" in part.provider_data:
        return {"type": "redacted_thinking", **part.provider_data}
    return {"type": "thinking", "thinking": part.text, **part.provider_data}


def _document(part: Document) -> JsonObject:
    source = _source(part.media_type, part.url)
    if not part.url:
        source = {"type": "text", "media_type": "text/plain", "data": part.text}
    return {"type": "document", "source": source, **({"title": part.name} if part.name else {})}


def _source(media_type: str, url: str) -> JsonObject:
    """Give a picture or document as base64 where it came as a data URL, else as the link it is."""
    head, comma, data = url.partition(",")
    if not head.startswith("data:") or not comma:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": media_type or head.removeprefix("data:").partition(";")[0], "data": data}


def _result(part: ToolResult, *, is_own: bool) -> JsonObject:
    result: JsonObject = {"type": "tool_result", "tool_use_id": part.call_id}
    if part.parts:
        result["content"] = _result_content(part.parts, is_own=is_own)
    if part.is_error is not None:
        result["is_error"] = part.is_error
    return result


def _result_content(parts: Sequence[Part], *, is_own: bool) -> Json:
    if is_plain(parts, is_own=is_own):
        return parts[0].text
    return [_block(part, is_own=is_own) for part in parts]


def encode_tool(tool: Tool) -> JsonObject:
    """Write a tool's definition; this wire wants a schema also where there are no arguments."""
    fields: JsonObject = {"name": tool.name}
    if tool.description:
        fields["description"] = tool.description
    fields["input_schema"] = {"type": "object"} if tool.parameters is None else dict(tool.parameters)
    if tool.strict is not None:
        fields["strict"] = tool.strict
    return merged(fields, tool.provider_data if tool.form in ("", NAME) else {})


def encode_tool_choice(choice: ToolChoice) -> JsonObject:
    """Write whether a tool has to be called."""
    if choice.mode == "named":
        return {"type": "tool", "name": choice.name}
    return {"type": "any" if choice.mode == "required" else choice.mode}
