"""A progress line on stderr while much text is counted: bytes, rate, time left, running cost; plain carriage returns."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from deepsel.cli.terminal.terminal import look, window
from deepsel.clock import Clock
from deepsel.show.lines import clipped
from deepsel.show.money import usd
from deepsel.show.numbers import size

if TYPE_CHECKING:
    from deepsel.estimate.reading.count import Progress

_EVERY_S = 0.1
_QUIET_S = 0.5
"""Work that is over sooner shows nothing."""


class ProgressLine:
    """Draws one line over itself, where a terminal can; a context manager that leaves the line empty."""

    def __init__(
        self,
        clock: Clock,
        *,
        vocabulary: str = "",
        cost: Callable[[int], str] | None = None,
        stream: TextIO | None = None,
    ) -> None:
        self._clock = clock
        self._vocabulary = vocabulary
        self._cost = cost
        self._stream = stream or sys.stderr
        self._can_move = look(os.environ).can_move
        self._began = clock.monotonic()
        self._drawn_at = self._began + _QUIET_S - _EVERY_S
        self._is_drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def take(self, progress: Progress) -> None:
        """Show how far it is, and what the tokens of the one vocabulary cost; at most ten times a second."""
        now = self._clock.monotonic()
        if not self._can_move or now - self._drawn_at < _EVERY_S:
            return
        self._drawn_at = now
        self._is_drawn = True
        line = progress_text(progress.done_bytes, progress.total_bytes, now - self._began)
        tokens = progress.tokens.get(self._vocabulary)
        if self._cost is not None and tokens is not None:
            line += f"  {self._cost(tokens)}"
        columns = window(self._stream, os.environ).columns
        self._stream.write("\r" + clipped(line, max(1, columns - 1)) + "\x1b[K")
        self._stream.flush()


def progress_text(done_bytes: int, total_bytes: int | None, seconds: float) -> str:
    """Write bytes, share, rate and time left; what is not known is left out."""
    rate = done_bytes / seconds if seconds > 0 else 0.0
    of_all = f" of {size(total_bytes)} ({100 * done_bytes / total_bytes:.0f} %)" if total_bytes else ""
    text = f"counting  {size(done_bytes)}{of_all}  {size(round(rate))}/s"
    if total_bytes and rate:
        left = max(0, round((total_bytes - done_bytes) / rate))
        text += f"  {left // 60}:{left % 60:02d} left"
    return text


def running_cost(model: str, price: Decimal) -> Callable[[int], str]:
    """Make the text of a running cost from a model's input price per million tokens."""
    return lambda tokens: f"{usd((tokens * price).scaleb(-6))} on {model}"
