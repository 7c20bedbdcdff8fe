"""Draws an answer on a terminal while it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from deepsel.cli.drawing.frames import Frames
from deepsel.cli.drawing.page import Page
from deepsel.cli.drawing.screen import DrawnScreen
from deepsel.cli.terminal.terminal import Look, Window
from deepsel.ending import shielded
from deepsel.show.plain import plain

EVERY_S = 1 / 16
"""The time between two drawings."""


class DrawnText:
    """Takes an answer in pieces; a thread draws them, so that no piece waits for the next one."""

    def __init__(
        self,
        write: Callable[[str], None],
        look: Look,
        window: Callable[[], Window],
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """Take what writes to the terminal, what it can do, what tells its size, and what waits between two drawings."""
        self._window = window
        self._page = Page(has_colours=look.has_colours)
        self._screen = DrawnScreen(write, look)
        self._pieces: deque[str] = deque()
        self._held = ""
        self._pause = pause
        self._frames: Frames | None = None

    def add(self, text: str) -> None:
        """Take more of the answer; raises what went wrong in drawing what came before."""
        self._pieces.append(text)
        if self._frames is None:
            self._frames = Frames(self._draw, EVERY_S, self._pause)
        self._frames.wake()

    def end(self) -> None:
        """Draw the rest, and leave the cursor at the start of a row of its own."""
        with shielded():
            if self._frames:
                self._frames.end()
            self._draw(is_last=True)

    def _draw(self, *, is_last: bool = False) -> None:
        """Draw what has come."""
        text = self._held
        while self._pieces:
            text += self._pieces.popleft()
        # The line feed that makes a carriage return vanish may be in the next piece.
        self._held = "\r" if text.endswith("\r") and not is_last else ""
        text = text[: len(text) - len(self._held)]
        size = self._window()
        self._screen.show(self._page.draw(plain(text), size, is_last=is_last), size)
