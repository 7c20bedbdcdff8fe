"""Scores how much a prompt needs a strong model, from its text alone; owns the weights `data/difficulty.bin`.

The score is a logistic function of three sums:

- a prior over the kind of work (`_PRIOR`), set by hand: mathematics, logic and code separate models more than small
  talk, prose, summaries and translations do. It works in every language the cue lexicon knows;
- a few plain features (`FEATURES`) with learned weights, none of which depends on the language;
- word, word-pair and word-beginning n-grams with learned weights, in a hashed table. A fingerprint beside each weight
  keeps unseen n-grams, and so languages that are not in the training data, at zero rather than at a random weight.

The learned parts were fitted by `scripts/routing/train.py`, see `benchmarks/routing.md`. Only a bounded part of the
prompt is read: of a long one, or one that pastes a document to be worked on, the instruction.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from deepsel.records import NamedTuple
from deepsel.routing.instruction import WHOLE_CHARS, split
from deepsel.routing.task import Detection, detect

WEIGHTS_FILE = Path(__file__).parent / "data" / "difficulty.bin"
SLOT_BITS = 17
OPTION_FEATURES = ("option_numbers", "option_symbols", "option_prior")
"""Plain features that count only where options to choose from are given: what is learned there stays there."""
FEATURES = ("length", "sentences", "numbers", "symbols", "variety", *OPTION_FEATURES, "pair")
"""The plain features, in the order of their weights."""

_WORD = re.compile(r"[^\W\d_]+|\d+")
"""A word or a number."""
_SCAFFOLD = re.compile(r"\n\s*\(?[A-Ha-h][.)]\s|\nAnswer:\s*\Z")
"""The labels of a multiple-choice question, which say nothing about it."""
_SENTENCE = re.compile(r"[.!?؟।](?=\s|\Z)|[。！？]")
"""The end of a sentence."""
_SYMBOL = re.compile(r"[=+*/^<>|{}\[\]_\\≤≥≠±√∑∏∫∞∈⊂∪∩∀∃→×÷°]")
"""The signs of mathematics and code."""
_NUMBERED = re.compile(r"\b(\w{3,}) (?:1|2|I|II) ?[|:.]")
"""The heading of a first or second case: `Statement 1 |`, `Scenario II:`."""
_PRIOR = {
    "code": 0.14,
    "structured": 0.03,
    "reasoning": 0.17,
    "summarize": -0.08,
    "translate": -0.07,
    "creative": -0.06,
    "chat": -0.06,
    "hard": 0.07,
    "easy": -0.1,
}
"""In units of quality gained by a strong model, at full evidence."""
_FULL_EVIDENCE = 4.0
"""The sum of cue weights at which a task's evidence counts whole."""
_FULL_MODIFIERS = 3.0
"""The same for the number of `hard` or `easy` cues."""
_PASTING_TASKS = ("summarize", "translate")
_LEAST_VARIETY = 0.5
"""Text that repeats itself more than prose does is data, not a harder question."""
_WIDE_CHARS = 2.5
"""How many Latin characters one Chinese, Japanese or Korean character stands for."""


class Looked(NamedTuple):
    """What the score is computed from."""

    prior: float
    features: tuple[float, ...]
    """In the order of FEATURES."""
    grams: tuple[int, ...]
    """Hashes of the distinct n-grams."""


class ScoreWeights(NamedTuple):
    """The learned part."""

    features: tuple[float, ...]
    centre: float
    """The raw score that becomes 0.5."""
    slope: float
    """How steep the logistic function is there."""
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
    raw = looked.prior + plain + learned.step * _lookup(looked.grams, learned.table)
    return 1.0 / (1.0 + math.exp(-learned.slope * (raw - learned.centre)))


def look(prompt: str, detection: Detection) -> Looked:
    """Turn a prompt into numbers."""
    text = _relevant(prompt, detection)
    body = _SCAFFOLD.sub(" ", text)
    option_lines = len(_SCAFFOLD.findall(text))
    words = _WORD.findall(body.lower())
    numbers = sum(word[0].isdigit() for word in words)
    symbols = len(_SYMBOL.findall(body))
    has_options = option_lines >= 3
    prior = _prior(detection)
    features = (
        math.log1p(min(_latin_length(body), 800) / 100),
        math.log1p(min(len(_SENTENCE.findall(body)), 20)),
        math.log1p(min(numbers, 20)),
        math.log1p(min(symbols, 40)),
        max(_LEAST_VARIETY, len(set(words)) / max(1, len(words))),
        has_options * math.log1p(min(numbers, 20)),
        has_options * math.log1p(min(symbols, 40)),
        has_options * prior,
        float(_is_pair(body)),
    )
    return Looked(prior, features, tuple(sorted(set(_grams(words)))))


def _is_pair(text: str) -> bool:
    """Say whether two numbered cases are to be judged together."""
    headings = _NUMBERED.findall(text)
    return len(headings) > len(set(headings))


def _relevant(prompt: str, detection: Detection) -> str:
    """Leave out what is only the material of the work."""
    if len(prompt) <= WHOLE_CHARS and detection.task not in _PASTING_TASKS:
        return prompt
    return split(prompt).text


def _prior(detection: Detection) -> float:
    """Weigh the kind of work by the strength of its evidence."""
    work = [_PRIOR[name] * min(1.0, value / _FULL_EVIDENCE) for name, value in detection.scores]
    degree = [_PRIOR[name] * min(1.0, count / _FULL_MODIFIERS) for name, count in detection.modifiers]
    return math.fsum(work + degree)


def _latin_length(text: str) -> float:
    """Measure a text in characters of a Latin script."""
    wide = 0 if text.isascii() else sum("\u2e80" <= char <= "\ud7af" for char in text)
    return len(text) + (_WIDE_CHARS - 1) * wide


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
