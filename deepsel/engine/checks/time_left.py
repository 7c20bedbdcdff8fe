"""How long the judgement of one answer may take."""

from __future__ import annotations

from deepsel.clock import Clock, SystemClock
from deepsel.records import NamedTuple


class OutOfTime(Exception):
    """What was to be found out takes longer than it may."""


class TimeLeft(NamedTuple):
    """The time a judgement may take."""

    clock: Clock
    ends_at: float
    """On the clock's monotonic scale."""

    @classmethod
    def of(cls, seconds: float, clock: Clock | None = None) -> TimeLeft:
        """Begin one now."""
        clock = clock or SystemClock()
        return cls(clock, clock.monotonic() + seconds)

    def check(self) -> float:
        """Return how many seconds are left; raises OutOfTime where none are."""
        left_s = self.ends_at - self.clock.monotonic()
        if left_s <= 0:
            raise OutOfTime
        return left_s
