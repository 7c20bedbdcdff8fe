"""How fast targets may be asked: when each may be asked again, how many calls a provider takes at once, and how calls are spread.

Far from its limit a target is not slowed. In the last tenth the calls left are spread over the time until the limit is full
again; with none left the next call waits for that moment.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepsel.wires.waits import Allowance, Quota

NEAR_SHARE = 0.1
"""Below this share of a limit calls are spread out."""
FEW = 2
"""What counts as near where the limit itself is not told."""
MAX_PAUSE_S = 60.0
"""A longer reset (a month's tokens) is no reason to sit still: the provider will say so when it refuses."""


class Limiter:
    """Holds all requests of a process to the limits of targets and providers. Thread-safe."""

    def __init__(self) -> None:
        self._opens_at: dict[Hashable, float] = {}
        self._places: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()

    def close_until(self, target: Hashable, instant: float) -> None:
        """Keep `target` from being asked before `instant` on the monotonic clock; of two deadlines the later one holds."""
        with self._lock:
            self._opens_at[target] = max(instant, self._opens_at.get(target, instant))

    def opens_at(self, target: Hashable) -> float:
        """Return the instant from which `target` may be asked; minus infinity where nothing holds it back."""
        with self._lock:
            return self._opens_at.get(target, float("-inf"))

    @contextmanager
    def taken(self, provider: str, limit: int, *, timeout_s: float) -> Iterator[bool]:
        """Hold one of the provider's `limit` places; gives False where none was free within `timeout_s`."""
        with self._lock:
            places = self._places.setdefault(provider, threading.Semaphore(limit))
        is_taken = places.acquire(timeout=max(0.0, timeout_s))
        try:
            yield is_taken
        finally:
            if is_taken:
                places.release()


def pause_before_next_s(allowance: Allowance) -> float:
    """Return the seconds to leave a target alone after a response that told `allowance`; 0 where there is no need."""
    return max((_pause_s(quota) for quota in (allowance.requests, allowance.tokens) if quota), default=0.0)


def _pause_s(quota: Quota) -> float:
    if quota.reset_s is None or quota.reset_s > MAX_PAUSE_S:
        return 0.0
    if quota.remaining <= 0:
        return quota.reset_s
    near = FEW if quota.limit is None else quota.limit * NEAR_SHARE
    if quota.remaining > near:
        return 0.0
    # Tokens left say nothing of how many calls they are for; one more of the usual size is assumed to fit.
    return quota.reset_s / (quota.remaining + 1) if quota.remaining < 1000 else 0.0
