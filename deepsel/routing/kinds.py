"""The learned half of the task detection: character n-grams of a request to a sum for each kind of work; owns the weights.

`data/kinds.bin` is one line of JSON (plain weights), the hashes of the n-grams, four bytes each, rising, and in the same order
a row of signed bytes for each, one byte a kind and one for sentences that are no work. It is made by
`scripts/routing/train_kinds.py` from prompts in about forty languages. An n-gram that is not in the file weighs nothing, so a
language that was not trained on is judged by its form.

Sums of all kinds are added in one integer: a row is spread to fields of 24 bits, each byte offset by 128, so one
addition of Python integers adds eleven weights; a field holds the sum of 65,000 rows.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from deepsel.records import NamedTuple
from deepsel.routing.patterns import late

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
_UNSPACED = late(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
_DIGITS = late(r"\d+")
_HASH_BYTES = 4
_FIELD_BYTES = 3
_FIELD_BITS = 8 * _FIELD_BYTES
_FIELD = (1 << _FIELD_BITS) - 1
_WORDS_KEPT = 8192
"""So many words' sums are kept: most words of a prompt were in one before."""
_LEAST_KNOWN = 0.4
"""The share of a sentence's n-grams that has to be known for it to be called no work."""
_TELLING = 0.4
"""The least weight a piece of a word has to have to be named."""


class KindWeights(NamedTuple):
    """What was learned."""

    hashes: array[int]
    """CRC-32 of each n-gram, rising; its place is the number of its row."""
    table: bytes
    """The rows."""
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
    return [gram for word, previous in _words(text) for gram in (*_pieces(word), *_joints(word, previous))]


def _words(text: str) -> list[tuple[str, str]]:
    """List the words of a passage, each with the one before it; `^` comes before the first."""
    lowered = text.lower()
    raw = (_DIGITS.sub("0", lowered) if not lowered.isalpha() else lowered).split()[:MOST_WORDS]
    words = [word for word in (one.strip(_EDGES) for one in raw) if word]
    return list(zip(words, ["^", *words], strict=False))


def _pieces(word: str) -> list[str]:
    """Cut one word up."""
    if _is_unspaced(word):
        run = word[: 2 * MOST_WORDS]
        return [run[at : at + size] for size in (1, 2, 3, 4) for at in range(len(run) - size + 1)]
    padded = f" {word[:20]} "
    length = len(padded)
    found = [padded[at : at + size] for size in (3, 4, 5) for at in range(length - size + 1)]
    return [*found, padded] if length > 5 else found


def _joints(word: str, previous: str) -> tuple[str, ...]:
    """Join the beginnings of two neighbours."""
    if _is_unspaced(word):
        return ("^" + word[:2],) if previous == "^" else ()
    before = previous[-2:] if _is_unspaced(previous) else previous[:4]
    return (f"{before}_{word[:4]}",)


def _is_unspaced(word: str) -> bool:
    """Tell whether a word is of a script that runs words together."""
    return not word.isascii() and (_UNSPACED.match(word) or _UNSPACED.match(word[-1])) is not None


@cache
def weights() -> KindWeights:
    """Load what was learned."""
    head, _, rest = WEIGHTS_FILE.read_bytes().partition(b"\n")
    row = json.loads(head)
    hashes = array("I", rest[: row["grams"] * _HASH_BYTES])
    if sys.byteorder == "big":
        hashes.byteswap()
    table = rest[row["grams"] * _HASH_BYTES :]
    plain, form_only = ([tuple(one) for one in row[name]] for name in ("plain", "form_only"))
    return KindWeights(hashes, table, row["step"], tuple(row["bias"]), tuple(plain), row["aside_bias"], tuple(form_only))


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
    total = known = size = 0
    for word, previous in _words(text):
        for packed, hits, of in (_packed(word), _joined(word, previous)):
            total += packed
            known += hits
            size += of
    return Sums(tuple((total >> _FIELD_BITS * at & _FIELD) - 128 * known for at in range(COLUMNS)), known, size)


@lru_cache(maxsize=_WORDS_KEPT)
def _packed(word: str) -> tuple[int, int, int]:
    """Return the sums of a word's pieces in one integer, how many are known, and how many there are."""
    return _added(_pieces(word))


@lru_cache(maxsize=_WORDS_KEPT)
def _joined(word: str, previous: str) -> tuple[int, int, int]:
    """Return the same of a word's joint with the one before it."""
    return _added(_joints(word, previous))


def _added(found: Sequence[str]) -> tuple[int, int, int]:
    """Add up the rows of n-grams in one integer; say how many are known, and how many there are."""
    rows = [row for row in map(_row, found) if row is not None]
    total = 0
    for row in rows:
        spread = bytearray(_FIELD_BYTES * COLUMNS)
        spread[::_FIELD_BYTES] = row
        total += int.from_bytes(spread, "little")
    return total, len(rows), len(found)


def hash_of(gram: str) -> int:
    """Return what an n-gram is known by."""
    return zlib.crc32(gram.encode("utf-8", "surrogatepass"))


def _row(gram: str) -> bytes | None:
    """Return the weights of an n-gram, one byte each; None where it has none."""
    learned = weights()
    own = hash_of(gram)
    at = bisect_left(learned.hashes, own)
    if at == len(learned.hashes) or learned.hashes[at] != own:
        return None
    return learned.table[at * COLUMNS : at * COLUMNS + COLUMNS]


def telling(text: str, kind: int) -> dict[str, float]:
    """Return the words and pieces of words that say most for a kind, with how much; at most three."""
    learned = weights()
    found: dict[str, float] = {}
    for gram in dict.fromkeys(grams(text)):
        row = _row(gram)
        if row is not None:
            value = learned.step * (row[kind] - 128)
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


def is_aside(passage: Sums, *, margin: float) -> bool:
    """Tell whether a sentence is no work, from its n-grams, and surely so: by a margin in logits."""
    if passage.known < _LEAST_KNOWN * passage.size or not passage.known:
        return False
    learned = weights()
    return learned.aside_bias + learned.step * passage.values[-1] / math.sqrt(passage.size) > margin


def odds(values: Sequence[float]) -> list[float]:
    """Turn logits into probabilities."""
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    whole = math.fsum(powers)
    return [power / whole for power in powers]
