"""Each maker's vocabulary as a tiktoken Encoding, from the files in `data`; the only importer of tiktoken.

Nothing is ever downloaded. Building a whole encoder takes 0.1 to 0.3 s, so a short text gets one of its own, made of only
those tokens that can occur in it: the ids are the same (see `table`), in some hundredths of a second.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.tokens.fast import engine
from deepsel.tokens.patterns import PATTERNS
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
"""After so many characters in small encoders the whole one is built: it pays from then on."""


class Vocabulary:
    """One maker's tokens."""

    def __init__(self, name: str, table: Table) -> None:
        self.name = name
        self._table = table
        self._whole: Encoding | None = None
        self._ids: Callable[[str], list[int]] | None = None
        self._small_chars = 0
        self._normalise: Callable[[str], str] = normalise if name in _NORMALISED else str

    @property
    def encoding(self) -> Encoding:
        """The whole encoder of tiktoken, built when it is first needed."""
        if self._whole is None:
            self._whole = self._build(self._table.all_ranks())
        return self._whole

    def is_short(self, text: str) -> bool:
        """Whether a text, with those before it, is too short for the whole encoder to be worth its building."""
        return self._ids is None and self._whole is None and self._small_chars + len(text) <= _SMALL_CHARS

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text` as ordinary text: nothing in it is taken for a special token."""
        is_short, text = self.is_short(text), self._normalise(text)
        if is_short:
            self._small_chars += len(text)
            ranks = self._table.ranks_within(text)
            if ranks is not None:
                return self._build(ranks).encode_ordinary(text)
        self._ids = self._ids or engine(self.name) or self.encoding.encode_ordinary
        return self._ids(text)

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
