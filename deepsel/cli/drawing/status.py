"""One line on standard error that says what is being waited for, while nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from deepsel.cli.drawing.cells import Span, fold, styled
from deepsel.cli.drawing.frames import Frames
from deepsel.cli.terminal.terminal import Look, Window, write_error, write_note
from deepsel.clock import Clock, SystemClock
from deepsel.show.plain import plain

_EVERY_S = 0.1
_WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class StatusLine:
    """A line that is drawn over itself and leaves nothing behind."""

    def __init__(self, look: Look, window: Callable[[], Window], clock: Clock | None = None) -> None:
        """Take what the terminal can do, what tells its size, and what tells the time."""
        self._clock = clock or SystemClock()
        self._began_s = self._clock.monotonic()
        self._ends_s: float | None = None
        self._look = look
        self._window = window
        self._wheel = cycle(_WHEEL)
        self._text = ""
        self._frames: Frames | None = None

    def say(self, text: str, *, for_s: float | None = None) -> None:
        """Show a text from now on, with the seconds since the first one; `for_s`: with those that are left of so many."""
        self._text = plain(text).replace("\n", " ")
        self._ends_s = None if for_s is None else self._clock.monotonic() + for_s
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
            left_s = None if self._ends_s is None else max(0.0, self._ends_s - self._clock.monotonic())
            self.say(self._text, for_s=left_s)

    def _time(self) -> str:
        """Write how long it has been, once that is a second, or how long it still is."""
        now_s = self._clock.monotonic()
        if self._ends_s is not None:
            return f" · {max(0, round(self._ends_s - now_s))} s left"
        return f" · {int(now_s - self._began_s)} s" if now_s - self._began_s >= 1 else ""

    def _draw(self) -> None:
        """Draw the line, no wider than the terminal, and turn the wheel."""
        columns = max(1, self._window().columns - 1)
        row = fold([Span(f"{next(self._wheel)} {self._text}{self._time()}", "2")], columns, columns)[0]
        write_error("\r" + styled(row, self._look) + "\x1b[K")
        if self._frames:
            self._frames.wake()
