"""The learned half of the task detection: character n-grams of a request to a sum for each kind of work; owns the weights.

`data/kinds.bin` is one line of JSON (plain weights), the n-grams on one line, and a row of signed bytes for each n-gram,
one byte a kind and one for sentences that are no work. It is made by `scripts/routing/train_kinds.py` from prompts in about
forty languages. An n-gram that is not in the file weighs nothing, so a language that was not trained on is judged by its form.

Sums of all kinds are added in one integer: a row is spread to fields of 16 bits, each byte offset by 128, so one
addition of Python integers adds eleven weights. A field holds at most 256 rows; more are added in turns.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from deepsel.records import NamedTuple

WEIGHTS_FILE = Path(__file__).parent / "data" / "kinds.bin"
KINDS = ("code", "structured", "extract", "reasoning", "choice", "summarize", "translate", "creative", "chat", "knowledge")
"""What is told apart, in the order of the weights."""
COLUMNS = len(KINDS) + 1
"""Weights of an n-gram: one a kind, and one that says whether a sentence is no work at all (a greeting, a thanks, a role)."""
TASK_OF = {"extract": "structured", "choice": "reasoning", "knowledge": "chat"}
"""Kinds that are not tasks of their own to the outside."""
MOST_WORDS = 24
"""The most words of one passage that are read."""

_EDGES = "\"'`.,;:!?()[]{}<>«»„“”‘’¿¡。、，．！？：；（）「」『』《》…—–-*#_|/\\~=+।؟،؛\u200b"
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
_DIGITS = re.compile(r"\d+")
_FIELD_BITS = 16
_ROWS_A_TURN = 256
_LEAST_KNOWN = 0.4
"""The share of a sentence's n-grams that has to be known for it to be called no work."""
_TELLING = 0.4
"""The least weight a piece of a word has to have to be named."""


class KindWeights(NamedTuple):
    """What was learned."""

    rows: dict[str, int]
    """N-gram to the number of its row."""
    table: bytes
    """The rows, spread to fields."""
    step: float
    """What one unit of a byte is worth."""
    bias: tuple[float, ...]
    """By kind."""
    plain: tuple[tuple[float, ...], ...]
    """By kind, the weight of each plain feature."""
    aside_bias: float
    """What a sentence without any n-gram has of being no work, in logits."""
    form_only: tuple[tuple[float, ...], ...]
    """The same, with the bias last, where no n-gram of a request is known."""


def grams(text: str) -> list[str]:
    """List the n-grams of a passage: pieces of 3 to 5 characters of each word with its edges, the word, pairs of beginnings.

    Scripts that run words together give pieces of 1 to 4 characters. Digits are only counted by their runs.
    """
    found: list[str] = []
    previous = "^"
    for raw in _DIGITS.sub("0", text.lower()).split()[:MOST_WORDS]:
        word = raw.strip(_EDGES)
        if not word:
            continue
        if _UNSPACED.match(word) or _UNSPACED.match(word[-1]):
            word = word[: 2 * MOST_WORDS]
            for size in (1, 2, 3, 4):
                found += [word[at : at + size] for at in range(len(word) - size + 1)]
            if previous == "^":
                found.append("^" + word[:2])
            previous = word[-2:]
            continue
        padded = f" {word[:20]} "
        length = len(padded)
        for size in (3, 4, 5):
            found += [padded[at : at + size] for at in range(length - size + 1)]
        if length > 5:
            found.append(padded)
        found.append(f"{previous}_{word[:4]}")
        previous = word[:4]
    return found


@cache
def weights() -> KindWeights:
    """Load what was learned."""
    head, names, table = WEIGHTS_FILE.read_bytes().split(b"\n", 2)
    row = json.loads(head)
    spread = bytearray(2 * len(table))
    spread[::2] = table
    rows = {name: number for number, name in enumerate(names.decode().split("\t"))}
    plain, form_only = ([tuple(one) for one in row[name]] for name in ("plain", "form_only"))
    return KindWeights(rows, bytes(spread), row["step"], tuple(row["bias"]), tuple(plain), row["aside_bias"], tuple(form_only))


class Sums(NamedTuple):
    """What a passage says for each kind."""

    values: tuple[int, ...]
    """By kind, the share of no work last, in units of `step`."""
    known: int
    """How many of its n-grams have weights."""
    size: int
    """How many it has."""

    def plus(self, other: Sums) -> Sums:
        """Add another passage."""
        both = tuple(map(int.__add__, self.values, other.values))
        return Sums(both, self.known + other.known, self.size + other.size)


NOTHING = Sums((0,) * COLUMNS, 0, 0)


def sums(text: str) -> Sums:
    """Add up the weights of a passage's n-grams."""
    learned = weights()
    found = grams(text)
    get = learned.rows.get
    hits = [row for row in map(get, found) if row is not None]
    width = 2 * COLUMNS
    table = learned.table
    values = [0] * COLUMNS
    for start in range(0, len(hits), _ROWS_A_TURN):
        turn = hits[start : start + _ROWS_A_TURN]
        whole = sum([int.from_bytes(table[at * width : at * width + width], "little") for at in turn])
        for kind in range(COLUMNS):
            values[kind] += (whole >> (_FIELD_BITS * kind) & 0xFFFF) - 128 * len(turn)
    return Sums(tuple(values), len(hits), len(found))


def telling(text: str, kind: int) -> dict[str, float]:
    """Return the words and pieces of words that say most for a kind, with how much; at most three."""
    learned = weights()
    width = 2 * COLUMNS
    found: dict[str, float] = {}
    for gram in grams(text):
        row = learned.rows.get(gram)
        if row is not None:
            value = learned.step * (learned.table[row * width + 2 * kind] - 128)
            if value > _TELLING and not any(gram.strip() in name for name in found):
                found[f"“{gram.strip()}”"] = value
    best = sorted(found, key=lambda name: -found[name])[:3]
    return {name: found[name] for name in best}


def logits(passage: Sums, plain: Sequence[float]) -> list[float]:
    """Return the logit of each kind, from a request's n-grams and its plain features."""
    learned = weights()
    if not passage.known:
        return [math.fsum(map(float.__mul__, row, (*plain, 1.0))) for row in learned.form_only]
    scale = learned.step / math.sqrt(passage.size)
    return [
        bias + scale * value + math.fsum(map(float.__mul__, row, plain))
        for bias, value, row in zip(learned.bias, passage.values, learned.plain, strict=False)
    ]


def is_aside(passage: Sums) -> bool:
    """Tell whether a sentence is no work, from its n-grams."""
    if passage.known < _LEAST_KNOWN * passage.size or not passage.known:
        return False
    learned = weights()
    return learned.aside_bias + learned.step * passage.values[-1] / math.sqrt(passage.size) > 0


def odds(values: Sequence[float]) -> list[float]:
    """Turn logits into probabilities."""
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    whole = math.fsum(powers)
    return [power / whole for power in powers]
