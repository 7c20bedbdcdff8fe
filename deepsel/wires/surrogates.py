"""Joins characters outside the basic plane that a server has cut into two JSON escapes in two events.

Such a half is no character: it cannot be written to a terminal, a file or the cache.
"""

from __future__ import annotations


class Mender:
    """Holds a first half back until the second one comes."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return `piece` with its halves joined; a half that has no other becomes U+FFFD."""
        if piece.isascii() and not self._held:
            return piece
        piece, self._held = self._held + piece, ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        return _joined(piece)

    def flush(self) -> str:
        """Return what is still held when the answer ends."""
        held, self._held = self._held, ""
        return _joined(held)


def _joined(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
