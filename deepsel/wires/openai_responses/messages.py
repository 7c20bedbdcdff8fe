"""Writes messages of parts and tools as items of the wire `openai-responses`, in the order given.

An assistant's turn is several items here: what was thought, what was said and each call; the results of calls are items too.
"""

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
from deepsel.wires.bodies import merged
from deepsel.wires.openai_responses.facts import NAME

ITEM = "item"
"""In the data of the first part of an item with a role: the item's own members that no field stands for."""


def encode_input(messages: Iterable[Message]) -> list[Json]:
    """Write messages as items; raises UsageError for what no item can hold."""
    return [item for message in messages for item in _items(message)]


def instructed(items: list[Json], instruction: str) -> list[Json]:
    """Put an instruction at the end of the first item where that is the system's text, or before everything."""
    first = items[0] if items else None
    if isinstance(first, dict) and first.get("role") == "system" and isinstance(first.get("content"), str):
        return [{**first, "content": f"{first['content']}\n\n{instruction}"}, *items[1:]]
    return [{"role": "system", "content": instruction}, *items]


def _items(message: Message) -> list[Json]:
    is_own = message.form in ("", NAME)
    found: list[Json] = []
    said: list[Part] = []

    def flush() -> None:
        """Write what was said since the item before as one item."""
        if said:
            found.append(_said(message, said, is_own=is_own))
            said.clear()

    for part in message.parts:
        if isinstance(part, Thinking):
            if message.form == NAME:
                flush()
                found.append(_reasoning(part))
        elif isinstance(part, ToolCall | ToolResult):
            flush()
            found.append(merged(_call(part) if isinstance(part, ToolCall) else _result(part, is_own=is_own), _own(part, is_own)))
        else:
            if is_own and ITEM in part.provider_data:
                flush()
            said.append(part)
    flush()
    return found


def _said(message: Message, parts: Sequence[Part], *, is_own: bool) -> JsonObject:
    """Write an item with a role; an assistant's texts of another form are one text, as they were one answer."""
    role = "user" if message.role == "tool" else message.role
    first: Mapping[str, Json] = parts[0].provider_data if is_own else {}
    data = first.get(ITEM)
    item: JsonObject = {"role": role, "content": _content(role, parts, is_own=is_own)}
    return merged(item, {**(message.provider_data if is_own else {}), **(data if isinstance(data, dict) else {})})


def _content(role: str, parts: Sequence[Part], *, is_own: bool) -> Json:
    texts = [part.text for part in parts if isinstance(part, Text) and not _own(part, is_own)]
    if len(texts) == len(parts) and (len(parts) == 1 or role == "assistant"):
        return "".join(texts)
    return [_part(part, role, is_own=is_own) for part in parts]


def _part(part: Part, role: str, *, is_own: bool) -> JsonObject:
    data = _own(part, is_own)
    match part:
        case Text() if data.get("type") == "refusal":
            return merged({"type": "refusal", "refusal": part.text}, data)
        case Text():
            return merged({"type": "output_text" if role == "assistant" else "input_text", "text": part.text}, data)
        case Image() if role != "assistant":
            return merged({"type": "input_image", "image_url": part.url}, data)
        case Document() if role != "assistant":
            return merged(_file(part, is_own=is_own), data)
        case _:
            raise UsageError("an answer with a picture or a file in it cannot be sent back on the wire `openai-responses`")


def _file(part: Document, *, is_own: bool) -> JsonObject:
    if part.url and not part.url.startswith("data:"):
        return {"type": "input_file", "file_url": part.url, **({"filename": part.name} if part.name else {})}
    name: JsonObject = {"filename": part.name or "document"} if part.name or not is_own else {}
    return {"type": "input_file", **name, "file_data": part.url}


def _reasoning(part: Thinking) -> JsonObject:
    if "summary" in part.provider_data:
        return {"type": "reasoning", **part.provider_data}
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": part.text}], **part.provider_data}


def _call(call: ToolCall) -> JsonObject:
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def _result(result: ToolResult, *, is_own: bool) -> JsonObject:
    output: Json = ""
    if len(result.parts) == 1 and isinstance(result.parts[0], Text) and not _own(result.parts[0], is_own):
        output = result.parts[0].text
    elif result.parts:
        output = [_part(part, "user", is_own=is_own) for part in result.parts]
    return {"type": "function_call_output", "call_id": result.call_id, "output": output}


def _own(part: Part, is_own: bool) -> Mapping[str, Json]:
    """Return what of a part's data is in this wire's form, but for its item's."""
    if not is_own or not part.provider_data:
        return {}
    return {name: value for name, value in part.provider_data.items() if name != ITEM}


def encode_tool(tool: Tool) -> JsonObject:
    """Write a tool's definition. Here a tool is strict unless it is said that it is not, which elsewhere is the other way round."""
    is_own = tool.form == NAME
    fields: JsonObject = {"type": "function", "name": tool.name}
    if tool.description:
        fields["description"] = tool.description
    fields["parameters"] = {"type": "object", "properties": {}} if tool.parameters is None else dict(tool.parameters)
    if tool.strict is not None or not is_own:
        fields["strict"] = bool(tool.strict)
    return merged(fields, tool.provider_data if tool.form in ("", NAME) else {})


def encode_tool_choice(choice: ToolChoice) -> Json:
    """Write whether a tool has to be called."""
    if choice.mode == "named":
        return {"type": "function", "name": choice.name}
    return choice.mode
