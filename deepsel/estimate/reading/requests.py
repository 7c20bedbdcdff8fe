"""Requests in JSON lines: which shapes are understood, what text of them is counted, and what is left out.

Understood, one a line: `{"prompt"}`, `{"messages"}`, each also as the `body` (OpenAI batch) or `params` (Anthropic batch) of an
envelope, and `{"input"}` of the Responses and embeddings endpoints. Tool definitions and tool calls are named, not counted; of
pictures the sizes are told, which each maker counts in its own way. Reads no file and counts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deepsel.errors import UsageError
from deepsel.messages.blocks import LEFT_OUT
from deepsel.messages.chat import TOOL_CALLS
from deepsel.messages.lines import read_line
from deepsel.tokens import Picture, picture_of
from deepsel.values import Document, Image, Message, Text, ToolCall, ToolResult
from deepsel.values.parts import readable_text

MAX_LINE_CHARS = 16 * 1024 * 1024
REQUEST_ENDINGS = (".jsonl", ".ndjson")
"""Of files that may hold requests; whether one does, its lines say."""
_TRIED_LINES = 20


@dataclass(frozen=True, slots=True)
class PromptLine:
    """The text of one request."""

    texts: tuple[str, ...]
    """The content of each message."""
    pictures: tuple[Picture, ...] = ()
    uncounted: int = 0
    """Parts whose tokens nobody knows: files, sounds, what only one provider has."""
    left_out: frozenset[str] = frozenset()
    """What it also holds and is not counted, in words."""
    has_lone_surrogates: bool = False
    """Whether a JSON escape stood for half a character; it is read as U+FFFD."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file; blank ones are not told."""

    number: int
    """From 1."""
    text: str
    """Empty where the line was longer than MAX_LINE_CHARS."""


def is_request_file(head: str, *, is_whole: bool) -> bool:
    """Return whether one of a text's first lines is a request; a last line that may go on counts only if `is_whole`."""
    lines = head.split("\n", _TRIED_LINES)
    whole = lines if is_whole and len(lines) <= _TRIED_LINES else lines[:-1]
    return any(parse(line) is not None for line in whole)


def lines_of(blocks: Iterable[str]) -> Iterator[Line]:
    """Put text that comes in blocks together into lines, holding no more than one line and one block."""
    number = 1
    held: list[str] = []
    size = 0
    for block in blocks:
        *ended, rest = block.split("\n")
        for part in ended:
            held.append(part)
            yield from _line(number, held, size + len(part))
            number, held, size = number + 1, [], 0
        size += len(rest)
        held = [*held, rest] if size <= MAX_LINE_CHARS else []
    yield from _line(number, held, size)


def _line(number: int, held: list[str], size: int) -> Iterator[Line]:
    text = "".join(held) if size <= MAX_LINE_CHARS else ""
    if text.strip() or size > MAX_LINE_CHARS:
        yield Line(number, text)


def parse(line: str) -> PromptLine | None:
    """Return the request on a line; None where it is no JSON, or none that asks something."""
    left_out: set[str] = set()
    try:
        asked = read_line(line, "the line", left_out)
    except UsageError:
        return None
    unread = int(LEFT_OUT in left_out)
    texts = tuple(_text(message, left_out) for message in asked.messages)
    parts = [part for message in asked.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    return PromptLine(
        texts,
        tuple(picture_of(part) for part in parts if isinstance(part, Image)),
        unread + sum(isinstance(part, Document) and not part.text for part in parts),
        frozenset(left_out),
        has_lone_surrogates=asked.has_lone_surrogates,
    )


def _text(message: Message, left_out: set[str]) -> str:
    """Join the texts of a message as they are sent, and name what else it holds."""
    if len(message.parts) == 1 and isinstance(message.parts[0], Text):
        return message.parts[0].text
    for part in message.parts:
        if isinstance(part, ToolCall):
            left_out.add(TOOL_CALLS)
        elif not isinstance(part, Text | ToolResult | Image):
            left_out.add(LEFT_OUT)
    return "".join(readable_text(part) for part in message.parts if isinstance(part, Text | ToolResult))
