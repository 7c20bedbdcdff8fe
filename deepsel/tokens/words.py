r"""Counting a text in several vocabularies at once: cut into words a single time, and each word counted a single time.

Words repeat. The cut is the coarsest that every maker's rule (patterns.py) agrees with: each rule ends a token wherever a word
ends here, whatever stands before it, and a word alone is cut as it is in its text. Of plain ASCII these are letters with the
one character before them, digits, signs, line ends and spaces; anything else is one long word to the next letter or digit
that a space or sign follows. Owns the memory of counted words, which is bounded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import filterfalse, pairwise
from operator import mul
from struct import Struct
from typing import TypeAlias

from deepsel.tokens.cutting import CLOSERS, MARKED
from deepsel.tokens.vocabulary import Vocabulary, encoding

MAX_WORDS = 128 * 1024
"""Remembered at a time, and as many from before, some 25 MB; those that are met no more are forgotten."""
_MAX_WORD_CHARS = 40
Encode: TypeAlias = Callable[[str], list[int]]

_SIGN = r"[!-/:-@\[-`{-~]"
_OTHER = r"[^\t\n\r -~]"
# Spaces but the last, which belongs to the word behind them.
_SPACES = r"[ \t]+(?=[ \t][!-/:-~])"
_RULES = (
    # OpenAI's rule may take an apostrophe and what follows as a part of the word: "it's". (?i:s) is also U+017F.
    rf"[\t -/:-@\[-`{{-~]?[A-Za-z]++(?:'[sStTrRvVmMlLdD][A-Za-z]*+)*+(?!'?{_OTHER})",
    # Mistral's and OpenAI's rules go on after the line end where a slash follows.
    rf"(?: {_SIGN}|{_SIGN}(?![A-Za-z])){_SIGN}*+(?:[\r\n]++(?!/|{_OTHER})(?:{_SPACES})?|(?![\r\n]|{_OTHER}))",
    rf"[ \t\r\n]*[\r\n](?=[ \t]*+(?:[!-~]|\Z))(?:{_SPACES})?",
    # DeepSeek keeps all the spaces before a digit together, the others do not.
    rf"[ \t]*+[0-9]++(?!{_OTHER})",
    rf"{_SPACES}|\t(?={_SIGN})|[ \t]++\Z",
    rf"[\W_]*+[^\W_]*+(?:(?:(?<=[{MARKED}])[\W_]|[^{CLOSERS}\w])[\W_]*+[^\W_]*+)*+",
)


class WordCounts:
    """Counts texts in some vocabularies and remembers the words; threads may share it."""

    def __init__(self, vocabularies: Sequence[Vocabulary]) -> None:
        self._encoders = [vocabulary.encode_short for vocabulary in vocabularies]
        self._form = Struct(f"<{len(vocabularies)}I")
        self._known: dict[str, int] = {}
        """Word to its counts, one beside the other in one number: sums of it are the sums of each."""
        self._older: dict[str, int] = {}
        """What was known before there were too many; a word that is met again is taken over."""

    def count(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text of less than a billion characters in each vocabulary, in their order."""
        words = Counter(split(text))
        long = [word for word in words if len(word) > _MAX_WORD_CHARS]
        total = sum(map(mul, self._pack(long, _one_by_one), map(words.pop, long)))
        known, older = self._known, self._older
        new = list(filterfalse(known.__contains__, words))
        known.update((word, older[word]) for word in new if word in older)
        lined = [word for word in new if word not in known and word.isprintable() and word[-1].isalnum()]
        known.update(zip(lined, self._pack(lined, _line_by_line), strict=True))
        rest = list(filterfalse(known.__contains__, new))
        known.update(zip(rest, self._pack(rest, _one_by_one), strict=True))
        total += sum(map(mul, map(known.__getitem__, words), words.values()))
        if len(known) > MAX_WORDS:
            self._known, self._older = {}, known
        return self._form.unpack(total.to_bytes(self._form.size, "little"))

    def _pack(self, words: Sequence[str], count: Callable[[Encode, Sequence[str]], Sequence[int]]) -> list[int]:
        """Return each word's counts in one number."""
        columns = [count(encode, words) for encode in self._encoders]
        return [int.from_bytes(self._form.pack(*row), "little") for row in zip(*columns, strict=True)]


def _one_by_one(encode: Encode, words: Sequence[str]) -> Sequence[int]:
    return [len(encode(word)) for word in words]


def _line_by_line(encode: Encode, words: Sequence[str]) -> Sequence[int]:
    """Count words in one call: a line end after a letter or digit is a token of its own."""
    ids, line_end = encode("\n".join(words)), encode("\n")
    ends = [at for at, one in enumerate(ids) if one == line_end[0]]
    if len(line_end) > 1 or len(ends) != len(words) - 1:
        return _one_by_one(encode, words)
    return [end - start - 1 for start, end in pairwise([-1, *ends, len(ids)])]


def split(text: str) -> list[str]:
    """Cut a text into words; joined, they are the text."""
    words = _splitter().findall(text)
    words.pop()  # what matches at the end is empty
    return words


@cache
def word_counts(names: tuple[str, ...]) -> WordCounts:
    """Return what counts in the vocabularies of these names, which must be there, and remembers for all who ask."""
    return WordCounts([vocabulary for name in names if (vocabulary := encoding(name))])


@cache
def _splitter() -> re.Pattern[str]:
    return re.compile("|".join(_RULES))
