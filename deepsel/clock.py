"""The clock everything is given, so that tests never wait; owns no time-out policy."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the engine knows of time."""

    def now(self) -> datetime:
        """Return the wall-clock instant, aware, in UTC: for prices, TTLs and logs."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never run backwards: for durations and deadlines."""

    def sleep(self, seconds: float) -> None:
        """Wait; 0 or less returns at once."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall-clock instant in UTC."""
        return datetime.now(UTC)

    monotonic = staticmethod(time.perf_counter)
    """The monotonic clock of the highest resolution; asked several times for each event of a stream."""

    def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        if seconds > 0:
            time.sleep(seconds)
