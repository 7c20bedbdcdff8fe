"""Halves of surrogate pairs: no characters, though a JSON escape can name one; they fit no terminal, file, cache or body.

The one place that joins or replaces them.
"""

from __future__ import annotations


def without_surrogates(text: str) -> str:
    """Join the halves that belong together; one that has no other becomes U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class Mender:
    """Joins characters that a server has cut into two JSON escapes in two events: holds a first half back until then."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return `piece` with its halves joined; a half that has no other becomes U+FFFD."""
        if piece.isascii() and not self._held:
            return piece
        piece, self._held = self._held + piece, ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        return without_surrogates(piece)

    def flush(self) -> str:
        """Return what is still held when the answer ends."""
        held, self._held = self._held, ""
        return without_surrogates(held)
