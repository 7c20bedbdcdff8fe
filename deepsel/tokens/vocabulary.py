"""Each maker's vocabulary as a tiktoken Encoding, from the files in `data`; the only importer of tiktoken.

Nothing is ever downloaded. Building a whole encoder takes 0.1 to 0.3 s. So a short ASCII text is encoded without one (see
`plain`), and another short text gets one of its own, made of only those tokens that can occur in it (see `table`): the ids are
the same, in some thousandths of a second. A process that goes on builds the whole one once that would have been no dearer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from deepsel.tokens.fast import engine
from deepsel.tokens.patterns import PATTERNS
from deepsel.tokens.plain import PlainEncoder
from deepsel.tokens.table import Table, open_table

if TYPE_CHECKING:
    from tiktoken import Encoding

NAMES = tuple(PATTERNS)
MAX_CHARS = 128 * 1024
"""A longer text is counted in parts, which bounds the time a single endless word takes."""
_DATA = Path(__file__).with_name("data")
_NORMALISED = frozenset({"qwen", "qwen35"})
"""Vocabularies whose maker puts text into NFC first."""
_SMALL_CHARS = 8 * 1024
"""A longer text is worth the whole encoder, unless it is ASCII, which takes half as long without."""
_SMALL_FIXED_CHARS = 1536
"""Building a small encoder takes as long as looking up so many characters."""
_WHOLE_CHARS = 48 * 1024
"""Building the whole one takes as long as looking up so many."""


class Vocabulary:
    """One maker's tokens."""

    def __init__(self, name: str, table: Table) -> None:
        self.name = name
        self._table = table
        self._plain = PlainEncoder(name, table)
        self._whole: Encoding | None = None
        self._ids: Callable[[str], list[int]] | None = None
        self._small_chars = 0
        self._building = Lock()
        self._normalise: Callable[[str], str] = normalise if name in _NORMALISED else str

    @property
    def encoding(self) -> Encoding:
        """The whole encoder of tiktoken, built when it is first needed, by one thread."""
        if self._whole is None:
            with self._building:
                if self._whole is None:
                    self._whole = self._build(self._table.all_ranks())
        return self._whole

    def is_short(self, text: str) -> bool:
        """Whether a text, with those before it, is too short for the whole encoder to be worth its building."""
        if self._ids is not None or self._whole is not None:
            return False
        chars = len(text) // 2 if text.isascii() else len(text)
        return chars <= _SMALL_CHARS and self._small_chars + self._plain.new_chars // 2 + chars <= _WHOLE_CHARS

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text` as ordinary text: nothing in it is taken for a special token."""
        is_short, text = self.is_short(text), self._normalise(text)
        if is_short:
            ids = self._encode_short(text)
            if ids is not None:
                return ids
        self._ids = self._ids or engine(self.name) or self.encoding.encode_ordinary
        return self._ids(text)

    def _encode_short(self, text: str) -> list[int] | None:
        """Return the ids of a short text without the whole encoder; None where it would take longer than with it."""
        ids = self._plain.encode(text) if text.isascii() else None
        if ids is not None:
            return ids
        self._small_chars += len(text) + _SMALL_FIXED_CHARS
        ranks = self._table.ranks_within(text)
        return None if ranks is None else self._build(ranks).encode_ordinary(text)

    def encode_short(self, text: str) -> list[int]:
        """Return the same ids; quicker for a short text once the whole encoder is there."""
        return self.encoding.encode_ordinary(self._normalise(text))

    def _build(self, ranks: dict[bytes, int]) -> Encoding:
        import tiktoken

        made = tiktoken.Encoding(self.name, pat_str=PATTERNS[self.name], mergeable_ranks=ranks, special_tokens={})
        made._mergeable_ranks = {}  # the engine has its own copy; this one would keep 15 MB a vocabulary alive
        return made


def normalise(text: str) -> str:
    """Return `text` as Qwen's tokenizers read it, in NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@cache
def encoding(name: str) -> Vocabulary | None:
    """Return a vocabulary; None where there is none of that name, or its file is missing or damaged."""
    table = open_table(_DATA / f"{name}.vocab") if name in PATTERNS else None
    return Vocabulary(name, table) if table else None
