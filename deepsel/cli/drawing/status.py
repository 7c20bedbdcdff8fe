"""One line on standard error that says what is being waited for, while nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from deepsel.cli.drawing.cells import Span, fold, styled
from deepsel.cli.drawing.frames import Frames
from deepsel.cli.terminal.terminal import Look, Window, write_error, write_note
from deepsel.show.plain import plain

_EVERY_S = 0.1
_WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class StatusLine:
    """A line that is drawn over itself and leaves nothing behind."""

    def __init__(self, look: Look, window: Callable[[], Window]) -> None:
        """Take what the terminal can do, and what tells its size."""
        self._look = look
        self._window = window
        self._wheel = cycle(_WHEEL)
        self._text = ""
        self._frames: Frames | None = None

    def say(self, text: str) -> None:
        """Show a text from now on."""
        self._text = plain(text).replace("\n", " ")
        if self._frames is None:
            self._frames = Frames(self._draw, _EVERY_S)
        self._frames.wake()

    def wipe(self) -> None:
        """Leave the line empty, until something is said again."""
        if self._frames:
            self._frames.end()
            self._frames = None
            write_error("\r\x1b[K")

    def note(self, text: str) -> None:
        """Write a line that stays, above the status."""
        is_shown = self._frames is not None
        self.wipe()
        write_note(text)
        if is_shown:
            self.say(self._text)

    def _draw(self) -> None:
        """Draw the line, no wider than the terminal, and turn the wheel."""
        columns = max(1, self._window().columns - 1)
        row = fold([Span(f"{next(self._wheel)} {self._text}", "2")], columns, columns)[0]
        write_error("\r" + styled(row, self._look) + "\x1b[K")
        if self._frames:
            self._frames.wake()
