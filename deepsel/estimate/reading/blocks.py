"""Text cut into blocks of one language, so that the blocks' token counts add up to exactly the count of the whole.

Owns where blocks end: after a newline that a letter or digit follows, where every exact vocabulary counts the two sides as it
counts them together (tokens/cutting.py). A block is a paragraph where blank lines allow it. Counts sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deepsel.estimate.reading.languages import CODE, UNKNOWN, Guess, detect, open_detector
from deepsel.estimate.reading.scripts import NO_SCRIPT, script_of

_PARAGRAPH = re.compile(r"\n\r?\n(?=[^\W_])")
_LINE = re.compile(r"\n(?=[^\W_])")
_LONG = 4096  # characters; a longer block is cut at a line
_SHORT = 300  # characters; up to here a block that is not firm yields to the two sides of it where they agree
_HEADING = 100  # and up to here to one side
# A sentence ends at the last of . ! ? … (and closing quotes) before a space or the end, or at a full stop of another script.
_WIDE = "。！？｡।॥؟۔։።፧፨။៕។༎᠃"
_ENDS = re.compile(rf"[.!?…{_WIDE}](?![.!?…{_WIDE}])(?:(?<=[{_WIDE}])|[\"'”’»)\]]*+(?=\s|$))")
_HAN = ("Hans", "Hant", "Jpan")  # a heading of a few Han characters can be any of them
_WORD = re.compile(r"[^\W_]")
# In a run of one language every 6th block is looked at; the blocks after a change are all looked at.
_SETTLED = 6
_STEP = 6


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text in one language."""

    text: str
    language: str
    script: str


def count_sentences(text: str) -> int:
    """Count the stretches of text that hold a letter or digit and that a full stop of any script or the end closes."""
    count = end = 0
    for match in _ENDS.finditer(text):
        count += 1
        end = match.end()
    return count + bool(_WORD.search(text, end))


def split(text: str, *, is_program: bool = False) -> list[Block]:
    """Cut a text into blocks and name each one's language; joined, they are the text."""
    parts = list(cut(text))
    if is_program:
        return [Block(part, CODE, script_of(part)) for part in parts]
    guesses = list(_guesses(parts))
    left = _nearest(guesses)
    right = _nearest(guesses[::-1])[::-1]
    settled = map(_settle, parts, guesses, left, right)
    return [Block(part, language, script) for part, (language, script) in zip(parts, settled, strict=True)]


def cut(text: str) -> Iterator[str]:
    """Cut a text into paragraphs, long ones at a line; joined, the parts are the text."""
    start = 0
    for match in _PARAGRAPH.finditer(text):
        yield from _lines(text, start, match.end())
        start = match.end()
    if start < len(text):
        yield from _lines(text, start, len(text))


def _lines(text: str, start: int, end: int) -> Iterator[str]:
    """Cut one paragraph at the first line that may be cut after each `_LONG` characters."""
    while end - start > _LONG:
        match = _LINE.search(text, start + _LONG, end)
        if not match or match.end() >= end:
            break
        yield text[start : match.end()]
        start = match.end()
    yield text[start:end]


def _guesses(parts: Iterable[str]) -> Iterator[Guess]:
    """Guess each part's language; in a long uniform run only every `_STEP`th is looked at closely."""
    detector = open_detector()
    last: Guess | None = None
    run = 0
    for part in parts:
        is_passed_over = last and run >= _SETTLED and run % _STEP and script_of(part) == last.script
        here = last if last and is_passed_over else detect(part, detector)
        run = run + 1 if here == last else 0
        last = here
        yield here


def _nearest(guesses: Iterable[Guess]) -> list[Guess | None]:
    """For each guess, the last firm one before it that is not of program text."""
    nearest: list[Guess | None] = []
    firm: Guess | None = None
    for guess in guesses:
        nearest.append(firm)
        firm = guess if guess.is_firm and guess.language != CODE else firm
    return nearest


def _settle(part: str, guess: Guess, left: Guess | None, right: Guess | None) -> tuple[str, str]:
    """Return (language, script) of a part: a short one that is not firm takes the language of the firm ones around it."""
    near = [one for one in (left, right) if one and _could_be(guess.script, one.script)]
    agree = len(near) == 2 and near[0] == near[1]
    if guess.is_firm or not near or len(part) > (_SHORT if agree else _HEADING):
        return guess.language, guess.script
    if agree or guess.language == UNKNOWN or guess.script == "Hani":
        return near[0].language, near[0].script
    return guess.language, guess.script


def _could_be(script: str, other: str) -> bool:
    """Whether a short text of one script may belong to a text of another."""
    return script in (other, NO_SCRIPT) or (script == "Hani" and other in _HAN)
