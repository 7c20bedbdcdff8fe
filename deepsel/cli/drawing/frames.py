"""When to draw: at once, and then at most so many times a second, however fast news come."""

from __future__ import annotations

import threading
from collections.abc import Callable

from deepsel.carried import Carried


class Frames:
    """Draws in a thread of its own, so that the last piece is shown too when a stream stands still."""

    def __init__(self, draw: Callable[[], None], every_s: float, pause: Callable[[float], object] | None = None) -> None:
        """Take what draws, the time between two drawings, and what waits so long; None: the clock."""
        self._draw = draw
        self._every_s = every_s
        self._has_news = threading.Event()
        self._has_ended = threading.Event()
        self._pause = pause or self._has_ended.wait
        self._error = Carried()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to draw; raises what went wrong when it was last tried."""
        self._error.raise_it()
        self._has_news.set()

    def end(self) -> None:
        """Draw no more; nothing is being drawn when this returns, or raises what went wrong when it was last tried."""
        self._has_ended.set()
        self._has_news.set()
        self._thread.join()
        self._error.raise_it()

    def _run(self) -> None:
        while True:
            self._has_news.wait()
            if self._has_ended.is_set():
                return
            self._has_news.clear()
            with self._error:  # of the stream written to, mostly; it belongs to the caller's thread
                self._draw()
            if self._error:
                return
            self._pause(self._every_s)
