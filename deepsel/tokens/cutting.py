"""Where text may be cut so that the parts' counts add up to the count of the whole, in every exact vocabulary.

The makers' rules look ahead but never back, so a cut is exact where a word must end whatever follows: after a newline before
a letter or digit, and after a letter or digit before a space, a line end or punctuation (but not an apostrophe: `it's`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from deepsel.records import NamedTuple

PIECE_CHARS = 128 * 1024
_LINE_CUT = r"(?s:.*)\n(?=[^\W_])"
CLOSERS = r" \t\r\n!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~，。、！？；：「」『』（）।॥،؛؟።"
"""What a word ends before, as the inside of a regex class."""
MARKED = (
    r"\u0958-\u095F\u09DC\u09DD\u09DF\u0A33\u0A36\u0A59-\u0A5B\u0A5E\u0B5C\u0B5D\u0F43\u0F4D\u0F52\u0F57\u0F5C\u0F69"
    r"\uFB1D\uFB1F\uFB2A-\uFB36\uFB38-\uFB3C\uFB3E\uFB40\uFB41\uFB43\uFB44\uFB46-\uFB4E"
)
"""Letters that end in a mark in the normal form Qwen reads, so that a sign behind them belongs to them."""
_WORD_CUT = rf"(?s:.*)[^\W_{MARKED}](?=[{CLOSERS}])"


class TextPiece(NamedTuple):
    """A part of a text."""

    text: str
    is_exact: bool = True
    """False: no place to cut was in reach, and the cut at the end may change the count by some tokens."""


def pieces(text: str | Iterable[str], size_chars: int = PIECE_CHARS) -> Iterator[TextPiece]:
    """Cut a text, or one that comes in chunks, into parts of at most `size_chars`; joined, they are the text."""
    held = ""
    for chunk in [text] if isinstance(text, str) else text:
        held = held + chunk if held else chunk
        start = 0
        while len(held) - start > size_chars:
            end, is_exact = _last_cut(held, start, start + size_chars)
            yield TextPiece(held[start:end], is_exact)
            start = end
        held = held[start:]
    if held:
        yield TextPiece(held)


def _last_cut(text: str, start: int, end: int) -> tuple[int, bool]:
    """Return the last place in (start, end] where text may be cut, a line's end rather than a word's, and whether it is exact."""
    for rule in _rules():
        # One character further, for the look-ahead; what it matches itself stays within `end`.
        match = rule.match(text, start, end + 1)
        if match:
            return match.end(), True
    return end, False


@cache
def _rules() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(_LINE_CUT), re.compile(_WORD_CUT)
