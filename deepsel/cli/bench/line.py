"""The line on stderr that says how far a run is, drawn over itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Self

from deepsel.cli.terminal.terminal import window, write_error
from deepsel.show.lines import clipped
from deepsel.show.plain import plain


class WatchLine:
    """A context manager that leaves the line empty."""

    def __init__(self, *, is_shown: bool) -> None:
        """Draw nothing yet, and nothing at all where nobody watches."""
        self._is_shown = is_shown

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            write_error("\r\x1b[K")

    @property
    def watch(self) -> Callable[[str], None] | None:
        """Give what draws; None where nobody watches, so that nothing is computed for it."""
        return self._draw if self._is_shown else None

    def _draw(self, text: str) -> None:
        columns = window(sys.stderr, os.environ).columns
        write_error("\r" + clipped(plain(text), max(1, columns - 1)) + "\x1b[K")
