"""Text that comes in deltas, some of which may be snapshots: repeat all that came before instead of adding to it; pure.

A delta is the next piece of the text unless it begins with the whole text so far. Only then could it be a snapshot, and it is
held back until what follows tells which it was: a stream of pieces soon brings one that does not.
"""

from __future__ import annotations

from deepsel.values import Doubt

REPEATED = Doubt("the provider repeated what it had said, in a way that can be read in two ways")
"""Said where a text is doubted."""
_SURE_CHARS = 16
"""A text so long is not said twice in a row by a model, but by a server."""
_LIKELY_CHARS = 4
_GROWN_CHARS = 8
"""Snapshots are believed once one of them is so long; before that `-`, `--`, `---` may be pieces."""
_MOST_HELD = 8
_TAG_STARTS = ("<", "[", "◁")
"""Of thinking between tags, which a message may leave out."""


class GrowingText:
    """The text of an answer, or of its reasoning, as it grows."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        """What came, in order; only `add` and a reader's quick way append to it."""
        self.size = 0
        """Characters of it."""
        self.is_plain = True
        """A delta shorter than `size` is a piece for certain: a reader may append it itself."""
        self.has_deltas = False
        """Kept by the reader: it came in deltas, so that a whole message repeats it."""
        self.is_doubted = False
        """What came can be read in two ways."""
        self._held: list[str] = []
        """Deltas that begin with all that came before them."""
        self._are_snapshots = False

    @property
    def text(self) -> str:
        """All that is known to have come."""
        if len(self.parts) > 1:
            self.parts = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    def add(self, delta: str) -> str:
        """Take a delta; return what is new of it, as far as that is known."""
        if self._held:
            return self._add_to_held(delta)
        if self._are_snapshots:
            return self._add_snapshot(delta)
        if 0 < self.size <= len(delta) and delta.startswith(self.text):
            self._held.append(delta)
            self.is_plain = False
            return ""
        self._append(delta)
        return delta

    def compare(self, whole: str) -> str:
        """Take a whole message that follows its deltas; return what they lack of it."""
        if self._held and whole in (self._held[-1], self.text + "".join(self._held)):
            rest = whole[self.size :]
            self._become(whole)
            return rest
        rest = self.end()
        so_far = self.text
        if whole.startswith(so_far):
            self._become(whole)
            return rest + whole[len(so_far) :]
        is_same = so_far.strip() == whole.strip()
        is_without_thinking = so_far.lstrip()[:1] in _TAG_STARTS and so_far.rstrip().endswith(whole.strip())
        self.is_doubted = self.is_doubted or not (is_same or is_without_thinking)
        return rest

    def end(self, *, is_last: bool = False) -> str:
        """Decide on what is held back, at the end; `is_last` says that it came with the finish value. Returns what is new."""
        if not self._held:
            return ""
        last = self._held[-1]
        has_grown = len(last) > self.size
        is_snapshot = is_last or self.size >= _LIKELY_CHARS or (has_grown and len(last) >= _GROWN_CHARS)
        self.is_doubted = self.is_doubted or self.size < _SURE_CHARS or (has_grown and len(self._held) == 1)
        return self._settle(last[self.size :]) if is_snapshot else self._settle("".join(self._held))

    def _add_to_held(self, delta: str) -> str:
        """Take a delta that follows one that is held back."""
        last = self._held[-1]
        if not delta.startswith(last):
            return self._settle("".join(self._held)) + self.add(delta)
        self._held.append(last if len(delta) == len(last) else delta)  # equal ones are kept once
        sizes = [self.size, *map(len, self._held)]
        if len(set(sizes)) > 2 and len(delta) >= _GROWN_CHARS:
            return self._believe()
        if len(self._held) >= _MOST_HELD:
            if self.size < _SURE_CHARS:
                return self._settle("".join(self._held))
            self.is_doubted = True  # the same long text again and again: a server that repeats itself, or a model in a loop
            return self._believe()
        return ""

    def _believe(self) -> str:
        """Take what is held back, and what follows, for snapshots."""
        rest = self._settle(self._held[-1][self.size :])
        self._are_snapshots, self.is_plain = True, False
        return rest

    def _add_snapshot(self, delta: str) -> str:
        """Take a delta of a stream of snapshots."""
        so_far = self.text
        if delta.startswith(so_far):
            self._become(delta)
            return delta[len(so_far) :]
        self.is_doubted = True
        if so_far.startswith(delta) and len(delta) >= _GROWN_CHARS:  # an older one
            return ""
        self._are_snapshots, self.is_plain = False, True
        self._append(delta)
        return delta

    def _settle(self, new: str) -> str:
        """Let go of what is held back, which has brought `new`."""
        self._held = []
        self.is_plain = not self._are_snapshots
        self._append(new)
        return new

    def _become(self, whole: str) -> None:
        self._held = []
        self.is_plain = not self._are_snapshots
        self.parts, self.size = [whole], len(whole)

    def _append(self, piece: str) -> None:
        self.parts.append(piece)
        self.size += len(piece)
