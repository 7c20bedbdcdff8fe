"""Scores how hard a prompt is, on the scale of strengths; owns the weights `data/difficulty.bin`.

The score is where the prompt stands on the scale of an item-response model: a model of strength s answers a prompt of difficulty
d well with probability logistic(s - d) (`utility.quality`). It is a logistic function of three sums:

- a prior over the kind of work (`_PRIOR`), set by hand, weighed with the odds of each kind: mathematics and code are harder than
  small talk, prose, summaries and translations. It works in every language the task detection does;
- a few plain features (`FEATURES`) with learned weights, none of which depends on the language. Prompts that give options to
  choose from want a bare answer, and are counted apart; counts are taken in logarithms;
- word, word-pair and word-beginning n-grams with learned weights, in a hashed table. A fingerprint beside each weight
  keeps unseen n-grams, and so languages that are not in the training data, at zero rather than at a random weight.

The learned parts were fitted by `scripts/routing/train.py` to results of models, see `benchmarks/routing.md`. Only a bounded part of
the prompt is read: of a long one, or one that pastes a document to be worked on, the instruction. Greetings, roles and thanks
are left out, so that manners change nothing.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from deepsel.records import NamedTuple
from deepsel.routing import form, kinds
from deepsel.routing.instruction import WHOLE_CHARS, clip, split
from deepsel.routing.patterns import late
from deepsel.routing.task import Detection, detect, without_asides

WEIGHTS_FILE = Path(__file__).parent / "data" / "difficulty.bin"
SLOT_BITS = 17
OPTION_FEATURES = (
    *("options", "option_count", "option_length", "option_numbers", "option_symbols"),
    *("stem_numbers", "stem_symbols", "stem_length"),
)
"""Plain features that count only where options to choose from are given: what is learned there stays there."""
FEATURES = (
    *("length", "sentences", "numbers", "symbols", "variety", "longest_number", "decimals", "is_question", "formulas"),
    *("negated", "blank", "pair"),
    *OPTION_FEATURES,
)
"""The plain features, in the order of their weights."""

_WORD = late(r"[^\W\d_]+|\d+")
"""A word or a number."""
_OPTION = late(r"\n\s*\(?[A-Ja-j][.)]\s")
"""The label of an option, which says nothing about the question."""
_SENTENCE = late(r"[.!?؟।](?=\s|\Z)|[。！？]")
"""The end of a sentence."""
_SYMBOL = late(r"[=+*/^<>|{}\[\]_\\≤≥≠±√∑∏∫∞∈⊂∪∩∀∃→×÷°]")
"""The signs of mathematics and code."""
_NUMBER = late(r"\d+(?:[.,]\d+)*")
_LATEX = late(r"\\[a-z]+|\$")
_NEGATED = late(r"\b(?:NOT|EXCEPT|FALSE)\b")
_NUMBERED = late(r"\b(\w{3,}) (?:1|2|I|II) ?[|:.]")
"""The heading of a first or second case: `Statement 1 |`, `Scenario II:`."""
_PRIOR = {
    "code": 0.42,
    "structured": -0.45,
    "extract": -0.65,
    "reasoning": 0.75,
    "choice": 0.15,
    "summarize": -0.95,
    "translate": -0.95,
    "creative": -0.85,
    "chat": -1.25,
    "knowledge": -0.85,
}
"""By kind of work, in logits."""
_SHARPNESS = 4
"""The power to which odds are raised: how sure a kind is says nothing about how hard the prompt is."""
_A_HARD_CUE = 0.06
_AN_EASY_CUE = -0.15
"""What each word that says how hard the work is adds; three at most count."""
_MOST_CUES = 3.0
_PASTING_TASKS = ("summarize", "translate", "structured")
_LEAST_VARIETY = 0.5
"""Text that repeats itself more than prose does is data, not a harder question."""
_MOST_WORDS = 160
_LEAST_OPTIONS = 3


class Looked(NamedTuple):
    """What the score is computed from."""

    prior: float
    """In logits."""
    features: tuple[float, ...]
    """In the order of FEATURES."""
    grams: tuple[int, ...]
    """Hashes of the distinct n-grams."""


class ScoreWeights(NamedTuple):
    """The learned part."""

    features: tuple[float, ...]
    centre: float
    """The learned sum that adds nothing to the prior."""
    slope: float
    """How many logits a unit of the learned sum is worth."""
    step: float
    """What one unit of a table weight is worth."""
    table: bytes
    """Fingerprint and weight + 128 of each slot; fingerprint 0 is an empty one."""


def score(prompt: str) -> float:
    """Score a prompt: 0 any model will do, 1 only a strong one; a few tenths of a millisecond, whatever the length."""
    return from_detection(prompt, detect(prompt))


def from_detection(prompt: str, detection: Detection) -> float:
    """Score a prompt whose task has been detected already."""
    looked = look(prompt, detection)
    learned = weights()
    plain = math.fsum(map(float.__mul__, looked.features, learned.features))
    raw = plain + learned.step * _lookup(looked.grams, learned.table)
    return 1.0 / (1.0 + math.exp(-(looked.prior + learned.slope * (raw - learned.centre))))


def look(prompt: str, detection: Detection) -> Looked:
    """Turn a prompt into numbers."""
    text = _relevant(prompt, detection)
    labels = [match.start() for match in _OPTION.finditer(text)]
    options = len(labels) if len(labels) >= _LEAST_OPTIONS else 0
    stem, rest = (text[: labels[0]], _OPTION.sub(" ", text[labels[0] :])) if options else (text, "")
    words = _WORD.findall(f"{stem} {rest}".lower())[:_MOST_WORDS]
    own = words if not options else _WORD.findall(stem.lower())[:_MOST_WORDS]
    numbers = _NUMBER.findall(stem)
    headings = _NUMBERED.findall(stem)
    length = math.log1p(min(form.latin_length(stem), WHOLE_CHARS) / 100)
    count = math.log1p(min(len(numbers), 30))
    symbols = math.log1p(min(len(_SYMBOL.findall(stem)), 60))
    features = (
        length,
        math.log1p(min(len(_SENTENCE.findall(stem)), 20)),
        count,
        symbols,
        max(_LEAST_VARIETY, len(set(own)) / max(1, len(own))),
        math.log1p(max((sum(map(str.isdigit, number)) for number in numbers), default=0)),
        math.log1p(sum("." in number for number in numbers)),
        float(stem.rstrip().endswith(("?", "？", "؟"))),
        float("\\" in stem and _LATEX.search(stem) is not None),
        float(_NEGATED.search(stem) is not None),
        float("___" in stem),
        float(len(headings) > len(set(headings))),
        *(_option_features(options, rest, count, symbols, length) if options else (0.0,) * len(OPTION_FEATURES)),
    )
    return Looked(_prior(detection, has_options=options > 0), features, tuple(sorted(set(_grams(words)))))


def _option_features(options: int, rest: str, count: float, symbols: float, length: float) -> tuple[float, ...]:
    """Return what is counted where options are given, in the order of OPTION_FEATURES."""
    return (
        1.0,
        math.log(options / 4),
        math.log1p(len(rest) / options / 20),
        math.log1p(min(30, len(_NUMBER.findall(rest)))),
        math.log1p(min(60, len(_SYMBOL.findall(rest)))),
        count,
        symbols,
        length,
    )


def _relevant(prompt: str, detection: Detection) -> str:
    """Leave out manners, and what is only the material of the work; options to choose from are never that."""
    text = without_asides(clip(prompt)) if detection.text is None else detection.text
    is_read_whole = len(prompt) <= WHOLE_CHARS and detection.task not in _PASTING_TASKS
    return text if is_read_whole or len(_OPTION.findall(text)) >= _LEAST_OPTIONS else split(text).text


def _prior(detection: Detection, *, has_options: bool) -> float:
    """Weigh the kinds of work by their odds, sharpened so that a likely kind counts as sure; options make it a choice."""
    if has_options:
        return _PRIOR["choice"]
    sure = [share**_SHARPNESS for share in detection.odds]
    work = math.fsum(map(float.__mul__, map(_PRIOR.__getitem__, kinds.KINDS), sure)) / (math.fsum(sure) or 1.0)
    modifiers = dict(detection.modifiers)
    hard, easy = (min(_MOST_CUES, modifiers.get(name, 0.0)) for name in ("hard", "easy"))
    return work + _A_HARD_CUE * hard + _AN_EASY_CUE * easy


def _grams(words: list[str]) -> Iterator[int]:
    """Hash words, pairs of neighbours, and beginnings of long words; digits are only counted."""
    crc = zlib.crc32
    previous = 0
    for word in words:
        data = (word if word[0] > "9" else "0" * min(len(word), 3)).encode()
        here = crc(data)
        yield here
        yield crc(data, previous)
        if len(data) > 5:
            yield crc(data[:5], 1)
        previous = here


def _lookup(grams: tuple[int, ...], table: bytes) -> float:
    """Add the weights of the n-grams the table knows, over the square root of how many there are."""
    total = 0
    mask = (1 << SLOT_BITS) - 1
    for gram in grams:
        at = (gram & mask) * 2
        if table[at] == (gram >> 24 or 1):
            total += table[at + 1] - 128
    return total / math.sqrt(len(grams) or 1)


@cache
def weights() -> ScoreWeights:
    """Load the learned part."""
    head, _, table = WEIGHTS_FILE.read_bytes().partition(b"\n")
    row = json.loads(head)
    return ScoreWeights(tuple(row["features"][name] for name in FEATURES), row["centre"], row["slope"], row["step"], table)
