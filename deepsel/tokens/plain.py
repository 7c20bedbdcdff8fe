r"""The ids of a short ASCII text, found word by word in a vocabulary's file: no encoder is built for it.

Building even a small encoder takes 3 ms, most of it for the maker's rule with all of Unicode in it, and the engine itself 20 ms to
import. Of ASCII alone the rule is one that Python's own `re` takes, and a word is looked up in microseconds. Owns the memory of
words, which is bounded.
"""

from __future__ import annotations

import re
from functools import cache

from deepsel.tokens.patterns import PATTERNS
from deepsel.tokens.table import Table

MAX_WORD_CHARS = 48
"""Merging takes time with the square of a word; a text with a longer one is left to the engine."""
MAX_WORDS = 32 * 1024
"""Remembered at a time, some 5 MB."""
_ASCII = {
    "L": "A-Za-z",
    "Lu": "A-Z",
    "Ll": "a-z",
    "N": "0-9",
    "P": r"!-#%-*,-/:;?@\[-\]_{}",
    "S": r"$+<->\^`|~",
}
"""What a Unicode category holds of ASCII, as a part of a class; one that is not here holds none."""
_PARTS = re.compile(r"\\p\{(\w+)\}|\\x\{(\w+)\}|--\[[^\]]*\]|\\?.", re.DOTALL)


class PlainEncoder:
    """Encodes ASCII texts in one vocabulary; threads may share it."""

    def __init__(self, name: str, table: Table) -> None:
        self.new_chars = 0
        """Of all words that had to be looked up so far."""
        self._name = name
        self._rank = table.rank
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int] | None:
        """Return the ids of an ASCII text; None where a word of it is too long."""
        known, ids = self._known, []
        for word in _splitter(self._name).findall(text):
            found = known.get(word)
            if found is None:
                if len(word) > MAX_WORD_CHARS:
                    return None
                if len(known) >= MAX_WORDS:
                    known.clear()
                self.new_chars += len(word)
                found = known[word] = self._merged(word.encode("ascii"))
            ids += found
        return ids

    def _merged(self, word: bytes) -> list[int]:
        """Merge the bytes of a word: again and again the pair that is the first in the vocabulary, of equals the leftmost."""
        whole = self._rank(word)
        if whole is not None:
            return [whole]
        parts = [word[at : at + 1] for at in range(len(word))]
        pairs = [self._rank(word[at : at + 2]) for at in range(len(word) - 1)]
        while True:
            ranks = [rank for rank in pairs if rank is not None]
            if not ranks:
                return [rank for rank in map(self._rank, parts) if rank is not None]  # each byte is a token
            at = pairs.index(min(ranks))
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            del pairs[at]
            if at > 0:
                pairs[at - 1] = self._rank(parts[at - 1] + parts[at])
            if at < len(pairs):
                pairs[at] = self._rank(parts[at] + parts[at + 1])


@cache
def _splitter(name: str) -> re.Pattern[str]:
    """Compile a maker's rule with what ASCII has of each class, which cuts an ASCII text at the same places."""
    pattern, is_in_class = "", False
    for part in _PARTS.finditer(PATTERNS[name]):
        words, category, code = part[0], part[1], part[2]
        if category:
            inside = _ASCII.get(category, "")
            words = inside if is_in_class else f"[{inside}]"
        elif code:
            words = rf"\u{code}"
        elif words.startswith("--"):  # takes away what is not ASCII
            words = ""
        elif words in ("[", "]"):
            is_in_class = words == "["
        pattern += words
    return re.compile(pattern, re.ASCII)
