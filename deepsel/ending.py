"""How a process is ended from outside: the first signal becomes a KeyboardInterrupt, at a moment when no bill is lost by it.

Owns the signals of a command. What has to be done whole (a paid call's record, its line in the log) stands in `shielded()`.
What this remembers belongs to the handler, which the process's table of signals holds.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

from deepsel.clock import SystemClock

PATIENCE_S = 3.0
"""How long after the first signal others are ignored, so that what came is kept; the next one ends the process at once."""
INTERRUPTED = 130
_AGAIN_S = 0.001
# Those that end no process, or cannot be taken, or mean that this one cannot go on.
_OTHERS = (
    *("SIGKILL", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGCHLD", "SIGURG", "SIGWINCH", "SIGINFO"),
    *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGEMT"),
)


class Abandoned(BaseException):
    """Whoever wanted an answer has gone: what is under way for it ends as if a person had ended it. No failure of anybody's."""


class Ending:
    """Takes the signals that end a process, from `with` to its end; those that are ignored stay so (`nohup`, background jobs).

    Does nothing outside the main thread, which alone is told of signals.
    """

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._before: dict[int, Any] = {}
        self._hook: Callable[[sys.UnraisableHookArgs], Any] | None = None
        """What is told of errors that nobody can catch; None: it was left alone."""
        self._shields = 0
        self._kept_since: float | None = None
        """When a signal came while a shield was up."""
        self._ended_since: float | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            others = {getattr(signal, name, None) for name in _OTHERS}
            for number in signal.valid_signals() - others:
                before = signal.getsignal(number)
                if before is not signal.SIG_IGN and before is not None:
                    self._before[number] = before
                    signal.signal(number, self._take)
            self._hook, sys.unraisablehook = sys.unraisablehook, self._come_again
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        if self._hook is not None:
            sys.unraisablehook = self._hook

    def _come_again(self, lost: sys.UnraisableHookArgs) -> None:
        """Let an interruption come a moment later that was raised where Python lets nothing out, as in a callback of its imports."""
        if issubclass(lost.exc_type, KeyboardInterrupt) and self._ended_since is not None and signal.SIGALRM in self._before:
            self._ended_since = None
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        elif self._hook is not None:
            self._hook(lost)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        """End what is being done, or note that it is to end."""
        now = self._clock.monotonic()
        if self._ended_since is not None:
            if now - self._ended_since > PATIENCE_S:
                os._exit(INTERRUPTED)
            return
        if self._shields and (self._kept_since is None or now - self._kept_since <= PATIENCE_S):
            self._kept_since = now if self._kept_since is None else self._kept_since
            return
        self._end(now)

    def _end(self, now: float) -> None:
        self._ended_since = now
        raise KeyboardInterrupt

    def hurry(self) -> None:
        """End the process at the next signal, however soon it comes: the first one was heeded, and what it waits for is told."""
        if self._ended_since is not None:
            self._ended_since = float("-inf")

    @property
    def has_ended(self) -> bool:
        """Tell whether what was being done was told to end."""
        return self._ended_since is not None

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Do something whole: a signal that comes meanwhile is heeded at its end."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            if not self._shields and self._kept_since is not None and self._ended_since is None:
                self._end(self._clock.monotonic())


@contextmanager
def shielded() -> Iterator[None]:
    """Do something whole, whatever signal comes; without effect where a program that uses the library has handlers of its own."""
    ending = _current() if threading.current_thread() is threading.main_thread() else None
    if ending is None:
        yield
        return
    with ending.shield():
        yield


def has_ended() -> bool:
    """Tell whether a signal has ended the command; C code that is interrupted can make another error of it."""
    ending = _current()
    return ending is not None and ending.has_ended


def leave_at_next_signal() -> None:
    """After a first signal that was heeded: end at once when another comes."""
    ending = _current()
    if ending is not None:
        ending.hurry()


def _current() -> Ending | None:
    """Find who takes the signals now: SIGINT may be ignored, or another's."""
    for number in (signal.SIGINT, signal.SIGTERM):
        taker = getattr(signal.getsignal(number), "__self__", None)
        if isinstance(taker, Ending):
            return taker
    return None
