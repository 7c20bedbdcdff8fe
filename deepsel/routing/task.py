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
from deepsel.routing.instruction import split
from deepsel.values import TASKS

_QUOTED = re.compile(r"(?<!\w)[\"“«「'‘„][^\"”»」\n]{3,200}?[\"”»」'’“](?!\w)")
"""A quotation: marks outside words, with more than a word or two between them."""
_SENTENCE = re.compile(r"(?<=[.!?؟।;…])\s+|(?<=[。！？])\s*|\n+")
_ADDRESSED = re.compile(r"^([^\s,!.:，！]+(?:\s[^\s,!.:，！]+){0,2}\s?[,!，！])\s*(?=\S)")
"""A few words up to a first comma: `hi,`."""
_MODIFIERS = ("hard", "easy")
_FIRST_WORDS = 5
_FIRST_FACTOR = 1.5
_GIVEN_FACTOR = 0.35
_EXTRA_HIT_FACTOR = 0.5
"""What further hits of one task add: evidence of the same kind overlaps."""
_CUE_UNIT = 4.0
"""The sum of cue weights that counts as one."""
_MOST_CUES = 2.0
_MOST_PIECES = 6
_ASIDE_MARGIN = 0.4
"""By how much a sentence has to be rather no work than any work to be set aside."""
_TELLING = 0.35
"""The least share of a logit a mark has to add to be named as evidence."""
ASIDE = kinds.KINDS.index("aside")


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


def detect(prompt: str) -> Detection:
    """Detect the task of a prompt."""
    read = look(prompt)
    found: dict[str, dict[str, float]] = {kind: {} for kind in (*TASKS, *_MODIFIERS)}
    _collect(read.request, found, factor=1.0)
    _collect(read.given, found, factor=_GIVEN_FACTOR)
    plain = (*read.marks, *cue_features(found))
    odds = kinds.odds(kinds.logits(read.said, plain))
    tasks = dict.fromkeys(TASKS, 0.0)
    for kind, share in zip(kinds.KINDS, odds, strict=True):
        tasks[kinds.TASK_OF.get(kind, kind)] += share
    winner = max(TASKS, key=lambda task: tasks[task])
    own = [at for at, kind in enumerate(kinds.KINDS) if kinds.TASK_OF.get(kind, kind) == winner]
    kind = max(own, key=lambda at: odds[at])
    return Detection(
        task=winner,
        evidence=_evidence(read, found[winner], plain, kind),
        scores=tuple((task, round(tasks[task], 4)) for task in TASKS),
        modifiers=tuple((name, float(len(found[name]))) for name in _MODIFIERS),
        kind=kinds.KINDS[kind],
        odds=tuple(odds),
        marks=read.marks,
    )


def look(prompt: str) -> Read:
    """Find the request of a prompt, and what it and the prompt's form say."""
    parts = split(prompt)
    asked, given = _part(parts.head)
    if parts.tail:
        last, rest = _part(parts.tail)
        asked, given = f"{asked}\n{last}", f"{given} {rest}".strip()
    pieces = [(piece, kinds.sums(piece)) for piece in _pieces(asked)]
    kept = _without_asides(pieces)
    said = kinds.NOTHING
    for _, one in kept:
        said = said.plus(one)
    request = " ".join(piece for piece, _ in kept)
    if not said.known and given:
        said = kinds.sums(given)
    bounded = parts.bounded
    skipped = sum(len(piece) for piece, _ in pieces) - len(request)
    given_chars = max(0, len(bounded) - len(request) - max(0, skipped) - 4)
    return Read(request, given[: form.LOOKED_CHARS // 4], form.look(bounded, request, given_chars), said)


def cue_features(found: dict[str, dict[str, float]]) -> tuple[float, ...]:
    """Return what the lexicon says for each task, as plain features."""
    return tuple(min(_MOST_CUES, _sum(found[task]) / _CUE_UNIT) for task in TASKS)


def _pieces(asked: str) -> list[str]:
    """Cut a request into sentences, a greeting before a comma apart; of many the first and the last ones."""
    first = _ADDRESSED.match(asked.lstrip())
    pieces = [first.group(1)] if first else []
    rest = asked.lstrip()[first.end() :] if first else asked
    pieces += [piece for piece in map(str.strip, _SENTENCE.split(rest)) if piece]
    if len(pieces) > _MOST_PIECES:
        pieces = [*pieces[: _MOST_PIECES - 2], *pieces[-2:]]
    return pieces


def _without_asides(pieces: list[tuple[str, kinds.Sums]]) -> list[tuple[str, kinds.Sums]]:
    """Leave out sentences that are no work, unless there is nothing else."""
    if len(pieces) < 2:
        return pieces
    kept = [piece for piece in pieces if not _is_aside(piece[1])]
    return kept or pieces[-1:]


def _is_aside(said: kinds.Sums) -> bool:
    """Tell whether a sentence is rather no work than any work."""
    if not said.known:
        return False
    scale = kinds.weights().step / math.sqrt(said.size)
    others = max(value for at, value in enumerate(said.values) if at != ASIDE)
    return scale * (said.values[ASIDE] - others) > _ASIDE_MARGIN


def _collect(text: str, found: dict[str, dict[str, float]], *, factor: float) -> None:
    """Add the cues of one passage."""
    for hit in find_cues(text) if text else ():
        if hit.cue.kind in found:
            place = _FIRST_FACTOR if factor == 1.0 and hit.word < _FIRST_WORDS else 1.0
            _note(found, hit.cue.kind, hit.cue.text.strip(), hit.cue.weight * factor * place)


def _part(text: str) -> tuple[str, str]:
    """Part what is asked from what is given: quotations, and all after the first colon that ends words."""
    quoted = " ".join(match.group() for match in _QUOTED.finditer(text))
    asked, colon, given = _QUOTED.sub(" ", text).replace("：", ": ").partition(": ")
    asked, line, lines = asked.partition(":\n")
    if not asked.strip():
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


def _evidence(read: Read, cues: dict[str, float], plain: tuple[float, ...], kind: int) -> tuple[str, ...]:
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
