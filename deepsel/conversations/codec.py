"""Messages and tools as JSON text that gives back exactly what went in, every part with its provider data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from deepsel.values import Document, Image, Message, Part, Text, Thinking, Tool, ToolCall, ToolResult

_PARTS: dict[str, type[Any]] = {one.__name__: one for one in (Text, Thinking, Image, Document, ToolCall, ToolResult)}


def write_messages(messages: Iterable[Message]) -> str:
    """Write messages."""
    return json.dumps([{**one._asdict(), "parts": [_written(part) for part in one.parts]} for one in messages])


def read_messages(text: str) -> tuple[Message, ...]:
    """Read messages; raises ValueError or TypeError for what was not written here."""
    try:
        return tuple(
            Message(row["role"], tuple(map(_read, row["parts"])), row["provider_data"], row["form"]) for row in json.loads(text)
        )
    except KeyError as error:
        raise ValueError(f"a message without {error}") from None


def write_tools(tools: Iterable[Tool]) -> str:
    """Write tools."""
    return json.dumps([tool._asdict() for tool in tools])


def read_tools(text: str) -> tuple[Tool, ...]:
    """Read tools, as `read_messages` does."""
    return tuple(Tool(**row) for row in json.loads(text))


def _written(part: Part) -> dict[str, Any]:
    row: dict[str, Any] = {"part": type(part).__name__, **part._asdict()}
    if isinstance(part, ToolResult):
        row["parts"] = [_written(inner) for inner in part.parts]
    return row


def _read(row: dict[str, Any]) -> Any:
    kind, members = row["part"], {name: value for name, value in row.items() if name != "part"}
    if kind == ToolResult.__name__:
        members["parts"] = tuple(_read(inner) for inner in members["parts"])
    return _PARTS[kind](**members)
