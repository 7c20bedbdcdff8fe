"""Detects what kind of work a prompt asks for, offline, with the words that say so; owns no lexicon (see `cues`).

Each cue found in the instruction adds its weight to its task; the first words count more, what follows a colon or
stands in a pasted document counts less, since it is what the work is done on. The task with the largest sum wins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from deepsel.routing.cues import find as find_cues
from deepsel.routing.instruction import WHOLE_CHARS, split
from deepsel.values import TASKS

_CODE_SYNTAX = r"(?m)\w\([^)\n]{0,80}\)\s*[;{:]|^\s*(?:def|class|import|#include|fn|func)\b|[!=]==|=>|\);|</\w+>"
_MODIFIERS = ("hard", "easy")
_FIRST_WORDS = 5
_FIRST_FACTOR = 1.5
_GIVEN_FACTOR = 0.35
_TAIL_FACTOR = 0.8
_EXTRA_HIT_FACTOR = 0.5
"""What further hits of one task add: evidence of the same kind overlaps."""
_NUMBERS_VALUE = 2.5
_CHAT_PRIOR = 2.0
_UNSURE = 3.0
"""Below this sum an attached document may speak."""


class Detection(NamedTuple):
    """The kind of work, and why."""

    task: str
    """One of `values.TASKS`."""
    confidence: float
    """Share of the winning task in all evidence, in (0, 1]."""
    evidence: tuple[str, ...]
    """The cues that spoke for it, strongest first; empty where nothing did and it is `chat` by default."""
    scores: tuple[tuple[str, float], ...] = ()
    """Every task with its sum, in the order of `values.TASKS`."""
    modifiers: tuple[tuple[str, float], ...] = ()
    """Numbers of the cues that say how hard the work is: `hard` and `easy`."""


def detect(prompt: str, *, documents: Sequence[str] = ()) -> Detection:
    """Detect the task of a prompt; attached documents are asked only where the prompt itself says little."""
    parts = split(prompt)
    found: dict[str, dict[str, float]] = {kind: {} for kind in (*TASKS, *_MODIFIERS)}
    _collect(parts.head, found, factor=1.0)
    if parts.tail:
        _collect(parts.tail, found, factor=_TAIL_FACTOR)
    if parts.has_code:
        _note(found, "code", "a code block", 2.0)
    if max(_sum(found[task]) for task in TASKS) < _UNSURE:
        for document in documents:
            _ask_document(document, found)
    sums = {task: _sum(found[task]) for task in TASKS}
    sums["chat"] += _CHAT_PRIOR
    winner = max(TASKS, key=lambda task: sums[task])
    evidence = sorted(found[winner], key=lambda cue: -found[winner][cue])
    modifiers = tuple((kind, float(len(found[kind]))) for kind in _MODIFIERS)
    scores = tuple((task, round(sums[task], 3)) for task in TASKS)
    return Detection(winner, round(sums[winner] / sum(sums.values()), 3), tuple(evidence[:5]), scores, modifiers)


def _collect(text: str, found: dict[str, dict[str, float]], *, factor: float) -> None:
    """Add the evidence of one passage."""
    asked, given = _part(text)
    for passage, weight, is_asked in ((asked, factor, True), (given, factor * _GIVEN_FACTOR, False)):
        for hit in find_cues(passage) if passage else ():
            if hit.cue.kind in found:
                place = _FIRST_FACTOR if is_asked and hit.word < _FIRST_WORDS else 1.0
                _note(found, hit.cue.kind, hit.cue.text.strip(), hit.cue.weight * weight * place)
    for task, name, pattern, value in _patterns():
        if pattern.search(text):
            _note(found, task, name, value * factor)
    if any(mark in text for mark in "?？؟"):
        for name, pattern in _asked_numbers():
            if pattern.search(text):
                _note(found, "reasoning", name, _NUMBERS_VALUE * factor)


def _part(text: str) -> tuple[str, str]:
    """Part what is asked from what is given: quotations, and all after the first colon."""
    quoted = " ".join(match.group() for match in _quoted().finditer(text))
    asked, _, given = _quoted().sub(" ", text).replace("：", ": ").partition(": ")
    asked, _, lines = asked.partition(":\n")
    return asked, f"{lines} {given} {quoted}".strip()


def _note(found: dict[str, dict[str, float]], task: str, name: str, value: float) -> None:
    """Keep the strongest weight of one piece of evidence."""
    found[task][name] = max(value, found[task].get(name, 0.0))


def _sum(evidence: dict[str, float]) -> float:
    """Add evidence: the strongest whole, the rest in part."""
    values = sorted(evidence.values(), reverse=True)
    return values[0] + _EXTRA_HIT_FACTOR * math.fsum(values[1:]) if values else 0.0


def _ask_document(document: str, found: dict[str, dict[str, float]]) -> None:
    """Let a document that is code speak for code, and a long one for a summary."""
    sample = document[:WHOLE_CHARS]
    if any(pattern.search(sample) for task, _, pattern, _ in _patterns() if task == "code"):
        _note(found, "code", "an attached file of code", 4.0)
    elif len(document) > WHOLE_CHARS:
        _note(found, "summarize", "a long attached document", 2.5)


@cache
def _quoted() -> re.Pattern[str]:
    """Compile a quotation: marks outside words, with more than a word or two between them."""
    return re.compile(r"(?<!\w)[\"“«「'‘„][^\"”»」\n]{3,200}?[\"”»」'’“](?!\w)")


@cache
def _asked_numbers() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Compile the figures that make a question one for arithmetic."""
    return (
        ("several numbers and a question", re.compile(r"\d[^\d]{1,200}\d")),
        ("an amount and a question", re.compile(r"[$€£¥]\s?\d|\d\s?%")),
    )


@cache
def _patterns() -> tuple[tuple[str, str, re.Pattern[str], float], ...]:
    """Compile the evidence that is no word: task, name for a person, pattern, weight."""
    rows = (
        ("code", "inline code", r"`[^`\n]+`", 3.0),
        ("code", "code syntax", _CODE_SYNTAX, 3.0),
        ("code", "a file of code", r"\.(?:py|js|ts|tsx|go|rs|cpp|hpp|java|rb|sh|sql|ipynb)\b", 2.5),
        ("structured", "a JSON shape", r"\{\s*\"\w+\"\s*:", 3.0),
        ("reasoning", "an equation", r"\d\s*[-+*/^=]\s*\(?\w|[xyn]\s*[-+^=]\s*\w|\\frac|\\sqrt|[∑∫√≤≥²³]", 4.0),
        ("translate", "one language to another", r"(?i)^\w+ (?:to|→|->) \w+\s*:", 4.0),
        ("translate", "a meaning in a language", r"(?i)\bwhat does .{2,60} mean in [a-z]+\b", 4.0),
    )
    return tuple((task, name, re.compile(pattern), weight) for task, name, pattern, weight in rows)
