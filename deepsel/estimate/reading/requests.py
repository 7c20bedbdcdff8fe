"""Requests in files: one a line, or a whole file of JSON that is one; which of them a file is. Reads no file and counts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deepsel.messages.counted import read_counted
from deepsel.tokens import Picture, picture_of
from deepsel.values import Document, Image, Message, Part, Request, Text, ToolResult
from deepsel.values.parts import readable_text

MAX_LINE_CHARS = 16 * 1024 * 1024
_LINES = (".jsonl", ".ndjson")
_WHOLE = ".json"
_TRIED_LINES = 20


@dataclass(frozen=True, slots=True)
class PromptLine:
    """One request, and what of it is no text."""

    request: Request
    pictures: tuple[Picture, ...] = ()
    uncounted: int = 0
    """Parts whose tokens nobody knows: files, sounds, what only the provider has."""
    left_out: frozenset[str] = frozenset()
    """What it also holds and is not counted, in words."""
    has_lone_surrogates: bool = False
    """Whether a JSON escape stood for half a character; it is read as U+FFFD."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The words, documents and results of each message; what a template writes of calls and tools is no text of anybody."""
        return tuple("".join(map(readable_text, _worded(message))) for message in self.request.messages)


def _worded(message: Message) -> list[Part]:
    return [part for part in message.parts if isinstance(part, Text | Document | ToolResult)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file; blank ones are not told."""

    number: int
    """From 1."""
    text: str
    """Empty where the line was longer than MAX_LINE_CHARS."""


def may_hold_lines(label: str) -> bool:
    """Tell by its name whether a file may hold a request a line; whether it does, its lines say."""
    return label.lower().endswith(_LINES)


def may_be_one(label: str) -> bool:
    """Tell by its name whether a file may be one request."""
    return label.lower().endswith(_WHOLE)


def is_request_file(head: str, *, is_whole: bool) -> bool:
    """Return whether one of a text's first lines is a request; a last line that may go on counts only if `is_whole`."""
    lines = head.split("\n", _TRIED_LINES)
    whole = lines if is_whole and len(lines) <= _TRIED_LINES else lines[:-1]
    return any(parse(line) is not None for line in whole)


def prompts_in(text: str, label: str) -> list[PromptLine] | None:
    """Return the requests of a whole text; None where it is none, but a text to be sent as it is."""
    if may_hold_lines(label) and is_request_file(text, is_whole=True):
        return [prompt for line in lines_of([text]) if (prompt := parse(line.text))]
    whole = parse(text) if may_be_one(label) and len(text) <= MAX_LINE_CHARS else None
    return None if whole is None else [whole]


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


def parse(text: str) -> PromptLine | None:
    """Return the request in a JSON text; None where it is no JSON, or none that asks something."""
    found = read_counted(text)
    if found is None:
        return None
    parts = [part for message in found.request.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    return PromptLine(
        found.request,
        tuple(picture_of(part) for part in parts if isinstance(part, Image)),
        len(found.left_out) + sum(isinstance(part, Document) and not part.text for part in parts),
        found.left_out,
        has_lone_surrogates=found.has_lone_surrogates,
    )
