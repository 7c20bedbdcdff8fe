"""Requests in JSON lines: which shapes are understood, what text of them is counted, and what is left out.

Understood, one a line: `{"prompt"}`, `{"messages"}`, each also as the `body` (OpenAI batch) or `params` (Anthropic batch) of an
envelope, and `{"input"}` of the Responses and embeddings endpoints. Tool definitions, tool calls and pictures are named, not
counted. Reads no file and counts nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deepsel.values import Json, JsonObject

MAX_LINE_CHARS = 16 * 1024 * 1024
_TRIED_LINES = 20
_TEXT_TYPES = ("text", "input_text", "output_text")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text of one request."""

    texts: tuple[str, ...]
    """The content of each message."""
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


def parse(line: str) -> Prompt | None:
    """Return the request on a line; None where it is no JSON, or none that asks something."""
    try:
        record: Json = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    body = next((inner for key in ("body", "params") if isinstance(inner := record.get(key), dict)), record)
    return _prompt(body)


def _prompt(body: JsonObject) -> Prompt | None:
    asked = next((body[key] for key in ("messages", "prompt", "input") if key in body), None)
    contents = _contents(asked)
    if contents is None:
        return None
    contents = [body[key] for key in ("system", "instructions") if body.get(key)] + contents
    left_out = {"tool definitions"} if body.get("tools") or body.get("functions") else set()
    texts = tuple(_text(content, left_out) for content in contents)
    if any(message.get("tool_calls") for message in _messages(asked)):
        left_out.add("tool calls")
    clean = tuple(map(_clean, texts))
    return Prompt(clean, frozenset(left_out), has_lone_surrogates=clean != texts)


def _messages(asked: Json) -> list[JsonObject]:
    return [item for item in asked if isinstance(item, dict)] if isinstance(asked, list) else []


def _contents(asked: Json) -> list[Json] | None:
    """The content of each message; None where that is no question."""
    if isinstance(asked, str):
        return [asked]
    if not isinstance(asked, list) or not asked:
        return None
    if all(isinstance(item, str) for item in asked):
        return asked
    if all(isinstance(item, dict) and ("content" in item or "tool_calls" in item) for item in asked):
        return [message.get("content") for message in _messages(asked)]
    return None


def _text(content: Json, left_out: set[str]) -> str:
    """The text of one message: its content, or the text parts of it joined as providers join them, without a break."""
    if isinstance(content, str):
        return content
    parts = []
    for part in content if isinstance(content, list) else []:
        text = part.get("text") if isinstance(part, dict) and part.get("type") in _TEXT_TYPES else None
        if isinstance(text, str):
            parts.append(text)
        else:
            left_out.add("parts that are not text")
    return "".join(parts)


def _clean(text: str) -> str:
    """Replace what a JSON escape can say and no encoding can: half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
