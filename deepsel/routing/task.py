"""Detects what kind of work a prompt asks for, offline: the form of the prompt, the wording of its request, known cues.

Three kinds of evidence are added up by one learned multinomial logistic model (`kinds`): what the prompt looks like
(`form`, the same in every language), the character n-grams of the request, and the words of the lexicon (`cues`). The request
is what is left of the prompt without the data it is about (`instruction`) and without greetings, thanks and roles, which
the same model knows as work of no kind.
"""

from __future__ import annotations

import math
import re

from deepsel.records import NamedTuple
from deepsel.routing import form, kinds
from deepsel.routing.cues import find as find_cues
from deepsel.routing.instruction import clip, split
from deepsel.routing.patterns import late
from deepsel.values import TASKS

_QUOTED = late(r"(?<!\w)[\"“«「'‘„][^\"”»」\n]{3,200}?[\"”»」'’“](?!\w)")
"""A quotation: marks outside words, with more than a word or two between them."""
_QUOTES = "\"“«「'‘„"
_SENTENCE = late(r"(?<=[.!?؟।;…])\s+|(?<=[。！？])\s*|\n+")
_ADDRESSED = late(r"([^\s,!.:，！]+(?:\s[^\s,!.:，！]+){0,2}\s?[,!，！])\s*(?=\S)")
"""A few words up to a first comma: `hi,`."""
_FIRST = late(r"([^.!?。！？।\n:：]{2,160}(?:[.!?。！？।:：]+|(?=\n)))\s*")
_LAST = late(r"(?:(?<!\b[A-Ja-j])\.|[!?。！？।\n:])\s*([^.!?。！？।\n]{2,120}[.!?。！？।,]*)\s*\Z")
_WORKING = late(r"[`={}\[\]|<>\\]|\d")
"""Signs that no greeting has."""
_POLITE = late(
    r"(?:\A|(?<=[\s,]))(?:please|kindly|pls|plz|bitte|por favor|s'il (?:te|vous) pla[iî]t|per favore|alsjeblieft|proszę|prosím|lütfen|"
    r"пожалуйста|будь ласка|моля|παρακαλώ|tolong|mohon|vui lòng|xin|kérem|vă rog|te rog|tafadhali|من فضلك|لطفا|कृपया|בבקשה|请|請)"
    r"(?:[\s,]+|[.!]*\s*\Z|(?=[?:])|(?<=[请請]))",
    re.IGNORECASE,
)
"""Words of mere manners: with and without them a prompt is the same."""
_POLITE_ENDS = (160, 80)
"""How much of the beginning and of the end is looked through for them."""
_ENDED = late(r"[.!?。！？।]\s")
"""A sentence that ends: a colon after one announces no data, it is part of a story."""
_LEAST_REQUEST = 12
"""What stands before a colon says alone what is asked only from so many Latin characters on."""
_CAPITAL = late(r"\s(?=[A-Z][a-z]*\s[a-z]+\s)")
"""Where a sentence may begin although none has ended: a capital before small words."""
_MOST_CAPITALS = 2
_SURE, _SURER = 0.3, 2.5
"""By how many logits a sentence has to be rather no work than work; more where options are given, whose stem may be any sentence."""
_MOST_ASIDES = 3
_LONGEST_ASIDE = 200
_MODIFIERS = ("hard", "easy")
_FIRST_WORDS = 5
_FIRST_FACTOR = 1.5
_GIVEN_FACTOR = 0.35
_EXTRA_HIT_FACTOR = 0.5
"""What further hits of one task add: evidence of the same kind overlaps."""
_CUE_UNIT = 4.0
"""The sum of cue weights that counts as one."""
_CUED_CHARS = 240
"""How much of the request, and of the data, is searched for cues."""
_MOST_CUES = 2.0
_MOST_PIECES = 4
_TELLING = 0.35
"""The least share of a logit a mark has to add to be named as evidence."""


class Detection(NamedTuple):
    """The kind of work, and why."""

    task: str
    """One of `values.TASKS`."""
    evidence: tuple[str, ...]
    """What spoke for it, strongest first: marks of form, cues, telling words; empty where nothing did: no cue was found."""
    scores: tuple[tuple[str, float], ...] = ()
    """Every task with its probability, in the order of `values.TASKS`."""
    modifiers: tuple[tuple[str, float], ...] = ()
    """Numbers of the cues that say how hard the work is: `hard` and `easy`."""
    kind: str = "chat"
    """One of `kinds.KINDS`: the task in finer parts."""
    odds: tuple[float, ...] = ()
    """The probability of each kind, in the order of `kinds.KINDS`."""
    marks: tuple[float, ...] = ()
    """The marks of its form, in the order of `form.MARKS`."""
    text: str | None = None
    """What of the prompt was looked at, without manners."""

    @property
    def certainty(self) -> float:
        """Return the probability of the task; under a half it is a guess."""
        return dict(self.scores).get(self.task, 0.0)


class Read(NamedTuple):
    """What a prompt is judged by."""

    request: str
    """Without greetings, thanks and roles."""
    given: str
    """The beginning of the data, as far as it may tell anything."""
    marks: tuple[float, ...]
    said: kinds.Sums
    text: str
    """All that was looked at, without manners."""


def detect(prompt: str) -> Detection:
    """Detect the task of a prompt."""
    read = look(prompt)
    found: dict[str, dict[str, float]] = {kind: {} for kind in (*TASKS, *_MODIFIERS)}
    _collect(read.request[:_CUED_CHARS], found, factor=1.0)
    _collect(read.given[:_CUED_CHARS], found, factor=_GIVEN_FACTOR)
    plain = (*read.marks, *cue_features(found))
    odds = kinds.odds(kinds.logits(read.said, plain))
    tasks = dict.fromkeys(TASKS, 0.0)
    for name, share in zip(kinds.KINDS, odds, strict=True):
        tasks[kinds.TASK_OF.get(name, name)] += share
    winner = max(TASKS, key=lambda task: tasks[task])
    own = [at for at, name in enumerate(kinds.KINDS) if kinds.TASK_OF.get(name, name) == winner]
    kind = max(own, key=lambda at: odds[at])
    return Detection(
        task=winner,
        evidence=_evidence(read, found[winner], kind),
        scores=tuple((task, round(tasks[task], 4)) for task in TASKS),
        modifiers=tuple((name, float(len(found[name]))) for name in _MODIFIERS),
        kind=kinds.KINDS[kind],
        odds=tuple(odds),
        marks=read.marks,
        text=read.text,
    )


def look(prompt: str) -> Read:
    """Find the request of a prompt, and what it and the prompt's form say."""
    text = without_asides(clip(prompt))
    parts = split(text)
    asked, given = _part(parts.head)
    if parts.tail:
        last, rest = _part(parts.tail)
        asked, given = f"{asked}\n{last}", f"{given} {rest}".strip()
    said = kinds.NOTHING
    pieces = _pieces(asked)
    for piece in pieces:
        said = said.plus(kinds.sums(piece))
    if not said.known and given:
        said = kinds.sums(given)
    given_chars = max(0, len(text) - len(asked) - 4)
    return Read(" ".join(pieces), given[: form.LOOKED_CHARS // 4], form.look(form.bounded(text), asked, given_chars), said, text)


def without_asides(text: str) -> str:
    """Leave out the sentences at both ends that are no work (a greeting, a role, thanks), unless there is nothing else."""
    text = _without_manners(text.strip())
    margin = _SURER if form.has_options(text) else _SURE
    for _ in range(_MOST_ASIDES):
        first = _ADDRESSED.match(text) or _FIRST.match(text)
        if first is None or not text[first.end() :].strip() or not _is_aside(first.group(1), margin):
            break
        text = text[first.end() :].lstrip()
    for _ in range(_MOST_ASIDES):
        tail = text[-_LONGEST_ASIDE:]
        last = _LAST.search(tail)
        starts = [last.start(1)] if last else []
        starts += [match.end() for match in _CAPITAL.finditer(tail, last.start(1) if last else 0)][-_MOST_CAPITALS:]
        start = next((at for at in starts if _is_aside(tail[at:], margin)), None)
        rest = "" if start is None else text[: len(text) - len(tail) + start].rstrip()
        if not rest:
            break
        text = rest
    return text


def _without_manners(text: str) -> str:
    """Leave out words of mere manners near both ends."""
    start, end = _POLITE_ENDS
    if len(text) <= start + end:
        return _POLITE.sub("", text).strip() or text
    return f"{_POLITE.sub('', text[:start])}{text[start:-end]}{_POLITE.sub('', text[-end:])}".strip()


def _is_aside(sentence: str, margin: float) -> bool:
    """Tell whether a sentence is no work; what reads like code is."""
    return not _WORKING.search(sentence) and kinds.is_aside(kinds.sums(sentence), margin=margin)


def cue_features(found: dict[str, dict[str, float]]) -> tuple[float, ...]:
    """Return what the lexicon says for each task, as plain features."""
    return tuple(min(_MOST_CUES, _sum(found[task]) / _CUE_UNIT) for task in TASKS)


def _pieces(asked: str) -> list[str]:
    """Cut a request into sentences; of many the first and the last ones."""
    pieces = [piece for piece in map(str.strip, _SENTENCE.split(asked)) if piece]
    return pieces if len(pieces) <= _MOST_PIECES else [*pieces[: _MOST_PIECES - 1], pieces[-1]]


def _collect(text: str, found: dict[str, dict[str, float]], *, factor: float) -> None:
    """Add the cues of one passage."""
    for hit in find_cues(text) if text else ():
        if hit.cue.kind in found:
            place = _FIRST_FACTOR if factor == 1.0 and hit.word < _FIRST_WORDS else 1.0
            _note(found, hit.cue.kind, hit.cue.text.strip(), hit.cue.weight * factor * place)


def _part(text: str) -> tuple[str, str]:
    """Part what is asked from what is given: quotations, and all after the first colon that ends words."""
    quoted = ""
    bare = text
    if any(mark in text for mark in _QUOTES):
        quoted = " ".join(match.group() for match in _QUOTED.finditer(text))
        bare = _QUOTED.sub(" ", text)
    asked, colon, given = bare.replace("：", ": ").partition(": ")
    asked, line, lines = asked.partition(":\n")
    if form.latin_length(asked) < _LEAST_REQUEST or (given and _ENDED.search(asked)):
        return text, ""
    mark = ":" if (colon or line) and (given or lines) else ""
    return asked + mark, f"{lines} {given} {quoted}".strip()


def _note(found: dict[str, dict[str, float]], task: str, name: str, value: float) -> None:
    """Keep the strongest weight of one piece of evidence."""
    found[task][name] = max(value, found[task].get(name, 0.0))


def _sum(evidence: dict[str, float]) -> float:
    """Add evidence: the strongest whole, the rest in part."""
    values = sorted(evidence.values(), reverse=True)
    return values[0] + _EXTRA_HIT_FACTOR * math.fsum(values[1:]) if values else 0.0


def _evidence(read: Read, cues: dict[str, float], kind: int) -> tuple[str, ...]:
    """Name what spoke for the winner, strongest first."""
    learned = kinds.weights().plain[kind]
    found = {name: value / _CUE_UNIT for name, value in cues.items()}
    for name, value, weight in zip(form.MARKS, read.marks, learned, strict=False):
        if value * weight > _TELLING and name in _NAMED_MARKS:
            found[name] = value * weight
    if not found and read.said.known:
        found = kinds.telling(read.request or read.given, kind)
    return tuple(sorted(found, key=lambda name: -found[name])[:5])


_NAMED_MARKS = frozenset(form.MARKS) - {
    *("length of the request", "length of the data", "several lines", "a few words only", "no data", "numbers"),
    *("a question", "an exclamation"),
}
"""The marks that mean something to a person."""
