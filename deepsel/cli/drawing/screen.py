"""What stands on the terminal: writes rows that are done once, and over those that may change only what did."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepsel.cli.drawing.cells import Drawn, row_width, styled
from deepsel.cli.terminal.terminal import Look, Window

_BEGIN_UPDATE, _END_UPDATE = "\x1b[?2026h", "\x1b[?2026l"
"""Between them a terminal that knows synchronized updates shows nothing; another one passes over both."""


class DrawnScreen:
    """The rows below the cursor's first place. Knows nothing of the rows that are done."""

    def __init__(self, write: Callable[[str], None], look: Look) -> None:
        """Take what writes to the terminal, in one go."""
        self._write = write
        self._look = look
        self._open = [""]
        self._widths = [0]

    def show(self, drawn: Drawn, window: Window) -> None:
        """Bring the terminal up to date; the cursor is left after the last row, or below it where all is done."""
        done = [styled(row, self._look) for row in drawn.done]
        rows = [styled(row, self._look) for row in drawn.open] if self._look.can_move else []
        new = [*done, *(rows or [""])]
        kept = self._kept(new, window)
        text = self._appended(new, kept) if kept >= len(self._open) - 1 else None
        if text is None:
            rows_up = self._height(kept, window) - 1
            up = f"\x1b[{rows_up}A" if rows_up else ""
            text = f"{_BEGIN_UPDATE}{up}\r\x1b[J" + "\n".join(new[kept:]) + _END_UPDATE
        if text:
            self._write(text)
        self._open = rows or [""]
        self._widths = [row_width(row) for row in drawn.open] if rows else [0]

    def _kept(self, new: Sequence[str], window: Window) -> int:
        """How many of the open rows stay, or cannot be reached any more."""
        kept = next((at for at, (old, one) in enumerate(zip(self._open, new, strict=False)) if old != one), len(self._open))
        kept = min(kept, len(self._open), len(new) - 1)
        while kept < len(self._open) - 1 and self._height(kept, window) > window.rows:
            kept += 1
        return kept

    def _appended(self, new: Sequence[str], kept: int) -> str | None:
        """What is to be written where nothing has to be taken back; None where something has."""
        last = len(self._open) - 1
        if kept > last:
            return "".join(f"\n{row}" for row in new[kept:])
        if not new[last].startswith(self._open[last]):
            return None
        return "\n".join([new[last][len(self._open[last]) :], *new[last + 1 :]])

    def _height(self, first: int, window: Window) -> int:
        """Rows of the terminal from an open row on; more than there are where the window was made narrower."""
        return sum(max(1, -(-size // max(1, window.columns))) for size in self._widths[first:])
