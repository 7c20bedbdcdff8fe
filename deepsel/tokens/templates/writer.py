"""The text of a request as a model reads it: words, and between them the marks of its chat template, one token each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from deepsel.records import NamedTuple
from deepsel.values import Document, Json, Message, Part, Text, Tool, ToolResult

_CHARS_A_TOKEN = 4
"""Of a schema, about."""


class WrittenPrompt(NamedTuple):
    """A request as its model reads it."""

    texts: tuple[str, ...]
    """Each is encoded by itself: no token reaches over a mark."""
    marks: int
    """Tokens that stand for no text."""
    doubt_tokens: int = 0
    """How far off the count may be where the template is not published; 0: as the maker's own encoder writes it."""


class Writer:
    """Puts a prompt together."""

    def __init__(self, marks: Iterable[str] = ()) -> None:
        """Begin an empty prompt; `marks` are what `template` takes for one token each, longest first."""
        self._texts: list[str] = []
        self._open: list[str] = []
        self._marks = 0
        self._mark = re.compile("|".join(map(re.escape, marks)) or r"(?!)")

    def words(self, text: str) -> None:
        """Write what a person, a tool or a model said: no mark is seen in it."""
        self._open.append(text)

    def mark(self, number: int = 1) -> None:
        """Write marks."""
        self._close()
        self._marks += number

    def template(self, text: str) -> None:
        """Write the template's own text, in which marks may stand."""
        first, *further = self._mark.split(text)
        self.words(first)
        for part in further:
            self.mark()
            self.words(part)

    def prompt(self, *, doubt_tokens: int = 0) -> WrittenPrompt:
        """Return what was written."""
        self._close()
        return WrittenPrompt(tuple(self._texts), self._marks, doubt_tokens)

    def _close(self) -> None:
        text = "".join(self._open)
        self._open.clear()
        if text:
            self._texts.append(text)


def json_text(value: Json | Mapping[str, Json]) -> str:
    """Write a value as Python's `json` does by default, but for letters, which stay as they are: so most templates do."""
    return json.dumps(value, ensure_ascii=False)


def function_of(tool: Tool) -> dict[str, Json]:
    """Return a tool as the member `function` of an OpenAI request."""
    function: dict[str, Json] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = dict(tool.parameters)
    return function


def write_schema(writer: Writer, schema: Mapping[str, Json] | None) -> int:
    """Write a schema whose place no template shows; return how far off that may be, in tokens: hosts may keep it to themselves."""
    if schema is None:
        return 0
    text = json_text(schema)
    writer.words(text)
    writer.mark()
    return len(text) // _CHARS_A_TOKEN


def written(parts: Iterable[Part], between: str = "") -> str:
    """Join the words and documents of a message; thinking, calls, results and pictures are left out."""
    return between.join(part.text for part in parts if isinstance(part, Text | Document) and part.text)


def results(message: Message) -> tuple[ToolResult, ...]:
    """Return the tools' results in a message."""
    return tuple(part for part in message.parts if isinstance(part, ToolResult))
