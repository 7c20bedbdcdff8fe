"""Reasoning that stands in the text between tags, as models write it where no server takes it out; pure.

The tags are those of the field's own lists (https://docs.openwebui.com/features/chat-features/reasoning-models), and the marks
by which gpt-oss, Gemma and Command part their channels, as they come where a server's parser fails. Only what the text begins
with is reasoning: tags further on are part of what the model says.
"""

from __future__ import annotations

import re

from deepsel.records import NamedTuple
from deepsel.values import ReasoningDelta, TextDelta

_NAMES = (
    "think", "thinking", "thought", "thoughts", "reason", "reasoning", "antthinking", "antml:thinking", "seed:think", "mm:think",
)  # fmt: skip
_OTHERS = {"[think]": "[/THINK]", "◁think▷": "◁/think▷", "<|begin_of_thought|>": "<|end_of_thought|>"}
_CHANNELS = {
    "<|start|>assistant<|channel|>analysis<|message|>": "<|end|>",
    "<|channel|>analysis<|message|>": "<|end|>",
    "<|channel>thought": "<channel|>",
    "<|start_thinking|>": "<|end_thinking|>",
}
"""Marks that only their own end closes: alone it says nothing of what comes before it."""
_ANSWERS = ("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>", "<|start_response|>")
"""Marks behind which the answer begins."""
_ANY_NAME = "|".join(map(re.escape, sorted(_NAMES, key=len, reverse=True)))
_OPENER = re.compile(rf"<(?:{_ANY_NAME})(?:\s[^<>]*)?>|" + "|".join(map(re.escape, (*_OTHERS, *_CHANNELS))), re.IGNORECASE)
_ANSWER = re.compile("|".join(map(re.escape, _ANSWERS)), re.IGNORECASE)
_CLOSER = re.compile(rf"</(?:{_ANY_NAME})\s*>|" + "|".join(map(re.escape, _OTHERS.values())), re.IGNORECASE)
_CLOSERS = (*(f"</{name}" for name in _NAMES), *(closer.lower() for closer in (*_OTHERS.values(), *_CHANNELS.values())))
_ENDS = {opener: re.compile(re.escape(closer), re.IGNORECASE) for opener, closer in _CHANNELS.items()}
_LONGEST_TAG = 80
_QUOTES = "`'\"“”‘’«»"


class ThinkTags:
    """Parts text from the reasoning it begins with, in any chunking."""

    def __init__(self) -> None:
        self.is_over = False
        """What follows is text, whatever it holds."""
        self._held = ""
        self._closer = _CLOSER
        self._is_inside = False
        self._is_behind = False
        """A block has been closed; blanks that follow are no part of the text."""
        self._has_thought = False
        """Something has been said in the block that is open."""

    def feed(self, piece: str) -> list[TextDelta | ReasoningDelta]:
        """Take the next piece of text; give what is known of it."""
        found: list[TextDelta | ReasoningDelta] = []
        self._held += piece
        while self._held and not self.is_over and (self._inside(found) if self._is_inside else self._outside()):
            pass
        if self.is_over and self._held:
            found.append(TextDelta(self._held))
            self._held = ""
        return found

    def flush(self) -> list[TextDelta | ReasoningDelta]:
        """Give what is held back when the answer ends."""
        held, self._held = self._held, ""
        if not held or (self._is_behind and not held.strip() and not self._is_inside):
            return []
        return [ReasoningDelta(held)] if self._is_inside else [TextDelta(held)]

    def _outside(self) -> bool:
        """Look for an opening tag; tell whether to go on."""
        start = self._held.lstrip()
        if tag := _OPENER.match(start):
            self._held, self._is_inside, self._has_thought = start[tag.end() :], True, False
            self._closer = _ENDS.get(tag[0].lower(), _CLOSER)
            return True
        if tag := _ANSWER.match(start):
            self._held, self.is_over = start[tag.end() :], True
            return False
        if _may_open(start):
            return False
        self._held = start if self._is_behind else self._held
        self.is_over = True
        return False

    def _inside(self, found: list[TextDelta | ReasoningDelta]) -> bool:
        """Look for the closing tag; tell whether to go on."""
        tag = self._closer.search(self._held)
        end = tag.start() if tag else _begun_closer(self._held)
        thought = self._held[:end] if self._has_thought else self._held[:end].lstrip()
        if thought:
            self._has_thought = True
            found.append(ReasoningDelta(thought))
        self._held = self._held[tag.end() if tag else end :]
        if tag:
            self._is_inside, self._is_behind = False, True
        return tag is not None


def _may_open(start: str) -> bool:
    """Tell whether a text that is not whole yet may begin with an opening tag."""
    if not start:
        return True
    if start[0] not in "<[◁" or len(start) > _LONGEST_TAG:
        return False
    lowered = start.lower()
    if any(mark.startswith(lowered) for mark in (*_CHANNELS, *_ANSWERS)):
        return True
    if ">" in start:
        return False
    if any(opener.startswith(lowered) for opener in (*_OTHERS, *(f"<{name}" for name in _NAMES))):
        return True
    name, blank, _ = lowered[1:].partition(" ")
    return bool(blank) and name in _NAMES and "<" not in lowered[1:]


def _begun_closer(text: str) -> int:
    """Find where a closing tag may have begun at the end of a text; its length where none has."""
    for at in range(max(0, len(text) - 24), len(text)):
        if text[at] in "<[◁":
            rest = text[at:].lower()
            if any(closer.startswith(rest) or (closer[0] == "<" and rest.rstrip() == closer) for closer in _CLOSERS):
                return at
    return len(text)


class Parted(NamedTuple):
    """A text whose reasoning has no opening tag, since that stood in the prompt."""

    reasoning: str
    text: str
    is_sure: bool
    """The tag stands at the end or the beginning of a line, as models write it."""


def part_at_lone_closer(text: str) -> Parted | None:
    """Part a text at the first closing tag that nothing opens; None where there is none, or it is quoted."""
    if "</" not in text and "[/" not in text and "◁/" not in text and "<|e" not in text.lower():
        return None
    tag = _CLOSER.search(text)
    if tag is None or _OPENER.search(text, 0, tag.start()):
        return None
    before, behind = text[: tag.start()], text[tag.end() :]
    is_quoted = any(mark in _QUOTES for mark in before[-1:] + behind[:1])
    if is_quoted or before.count("```") % 2:
        return None
    is_sure = before.rstrip(" \t")[-1:] in ("", "\n") or behind.lstrip(" \t")[:1] in ("", "\r", "\n")
    return Parted(before.strip(), behind.lstrip(), is_sure)
