"""Detects what kind of work a prompt asks for, offline, with the words that say so; owns no lexicon (see `cues`).

Each cue found in the instruction adds its weight to its task; the first words count more, what follows a colon or
stands in a pasted document counts less, since it is what the work is done on. The task with the largest sum wins.
"""

from __future__ import annotations

import math
import re

from deepsel.records import NamedTuple
from deepsel.routing.cues import find as find_cues
from deepsel.routing.instruction import split
from deepsel.values import TASKS

_CODE_SYNTAX = r"(?m)\w\([^)\n]{0,80}\)\s*[;{:]|^\s*(?:def|class|import|#include|fn|func)\b|[!=]==|=>|\);|</\w+>"
_QUOTED = re.compile(r"(?<!\w)[\"“«「'‘„][^\"”»」\n]{3,200}?[\"”»」'’“](?!\w)")
"""A quotation: marks outside words, with more than a word or two between them."""
_ASKED_NUMBERS = (
    ("several numbers and a question", re.compile(r"\d[^\d]{1,200}\d")),
    ("an amount and a question", re.compile(r"[$€£¥]\s?\d|\d\s?%")),
)
"""The figures that make a question one for arithmetic."""
_SHAPES = (
    ("code", "inline code", re.compile(r"`[^`\n]+`"), 3.0),
    ("code", "code syntax", re.compile(_CODE_SYNTAX), 3.0),
    ("code", "a file of code", re.compile(r"\.(?:py|js|ts|tsx|go|rs|cpp|hpp|java|rb|sh|sql|ipynb)\b"), 2.5),
    ("structured", "a JSON shape", re.compile(r"\{\s*\"\w+\"\s*:"), 3.0),
    (
        "reasoning",
        "an equation",
        re.compile(r"\d\s*[-+*/^=]\s*\(?\w|[xyn]\s*[-+^=]\s*\w|\\frac|\\sqrt|[∑∫√≤≥²³]"),
        4.0,
    ),
    ("translate", "one language to another", re.compile(r"(?i)^\w+ (?:to|→|->) \w+\s*:"), 4.0),
    ("translate", "a meaning in a language", re.compile(r"(?i)\bwhat does .{2,60} mean in [a-z]+\b"), 4.0),
)
"""The evidence that is no word: task, name for a person, pattern, weight."""
_MODIFIERS = ("hard", "easy")
_FIRST_WORDS = 5
_FIRST_FACTOR = 1.5
_GIVEN_FACTOR = 0.35
_TAIL_FACTOR = 0.8
_EXTRA_HIT_FACTOR = 0.5
"""What further hits of one task add: evidence of the same kind overlaps."""
_NUMBERS_VALUE = 2.5
_CHAT_PRIOR = 2.0


class Detection(NamedTuple):
    """The kind of work, and why."""

    task: str
    """One of `values.TASKS`."""
    evidence: tuple[str, ...]
    """The cues that spoke for it, strongest first; empty where nothing did and it is `chat` by default."""
    scores: tuple[tuple[str, float], ...] = ()
    """Every task with its sum, in the order of `values.TASKS`."""
    modifiers: tuple[tuple[str, float], ...] = ()
    """Numbers of the cues that say how hard the work is: `hard` and `easy`."""


def detect(prompt: str) -> Detection:
    """Detect the task of a prompt."""
    parts = split(prompt)
    found: dict[str, dict[str, float]] = {kind: {} for kind in (*TASKS, *_MODIFIERS)}
    _collect(parts.head, found, factor=1.0)
    if parts.tail:
        _collect(parts.tail, found, factor=_TAIL_FACTOR)
    if parts.has_code:
        _note(found, "code", "a code block", 2.0)
    sums = {task: _sum(found[task]) for task in TASKS}
    sums["chat"] += _CHAT_PRIOR
    winner = max(TASKS, key=lambda task: sums[task])
    evidence = sorted(found[winner], key=lambda cue: -found[winner][cue])
    modifiers = tuple((kind, float(len(found[kind]))) for kind in _MODIFIERS)
    scores = tuple((task, round(sums[task], 3)) for task in TASKS)
    return Detection(winner, tuple(evidence[:5]), scores, modifiers)


def _collect(text: str, found: dict[str, dict[str, float]], *, factor: float) -> None:
    """Add the evidence of one passage."""
    asked, given = _part(text)
    for passage, weight, is_asked in ((asked, factor, True), (given, factor * _GIVEN_FACTOR, False)):
        for hit in find_cues(passage) if passage else ():
            if hit.cue.kind in found:
                place = _FIRST_FACTOR if is_asked and hit.word < _FIRST_WORDS else 1.0
                _note(found, hit.cue.kind, hit.cue.text.strip(), hit.cue.weight * weight * place)
    for task, name, pattern, value in _SHAPES:
        if pattern.search(text):
            _note(found, task, name, value * factor)
    if any(mark in text for mark in "?？؟"):
        for name, pattern in _ASKED_NUMBERS:
            if pattern.search(text):
                _note(found, "reasoning", name, _NUMBERS_VALUE * factor)


def _part(text: str) -> tuple[str, str]:
    """Part what is asked from what is given: quotations, and all after the first colon."""
    quoted = " ".join(match.group() for match in _QUOTED.finditer(text))
    asked, _, given = _QUOTED.sub(" ", text).replace("：", ": ").partition(": ")
    asked, _, lines = asked.partition(":\n")
    return asked, f"{lines} {given} {quoted}".strip()


def _note(found: dict[str, dict[str, float]], task: str, name: str, value: float) -> None:
    """Keep the strongest weight of one piece of evidence."""
    found[task][name] = max(value, found[task].get(name, 0.0))


def _sum(evidence: dict[str, float]) -> float:
    """Add evidence: the strongest whole, the rest in part."""
    values = sorted(evidence.values(), reverse=True)
    return values[0] + _EXTRA_HIT_FACTOR * math.fsum(values[1:]) if values else 0.0
