"""How fast targets may be asked: when each may be asked again, how many calls a provider takes at once, and how calls are spread.

Far from its limit a target is not slowed. In the last tenth the calls left are spread over the time until the limit is full
again; with none left the next call waits for that moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deepsel.clock import Clock, SystemClock
from deepsel.storage.leases import Leases, give_back

if TYPE_CHECKING:
    from pathlib import Path

    from deepsel.errors import AttemptFailed
    from deepsel.values import Provider
    from deepsel.wires.waits import Allowance, Quota

_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.02, 0.25
"""How soon, and how seldom at most, it is looked whether another process has given a place back."""

AT_ONCE = 8
"""Calls at once to a provider whose row states no `max_concurrency`."""
NEAR_SHARE = 0.1
"""Below this share of a limit calls are spread out."""
FEW = 2
"""What counts as near where the limit itself is not told."""
MAX_PAUSE_S = 60.0
"""A longer reset (a month's tokens) is no reason to sit still: the provider will say so when it refuses."""


class Limiter:
    """Holds requests to the limits of targets and providers: instants for a process, places for all of the user's. Thread-safe."""

    def __init__(self, folder: Path | None = None, clock: Clock | None = None) -> None:
        """Touch nothing yet; `folder` is where processes count places together, None: this process alone counts."""
        self._leases = None if folder is None else Leases(folder)
        self._clock = clock or SystemClock()
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

    @property
    def forgives(self) -> bool:
        """Tell whether a refusal for too many calls at once is a way of finding the limit, which counts against no request."""
        return False

    def heard(self, target: Hashable, failure: AttemptFailed | None, *, started_s: float, first_sign_s: float | None) -> None:
        """Take note of how a call to a target ended, while its place is still held; nothing follows from it here."""

    @contextmanager
    def taken(self, provider: Provider, *, timeout_s: float, target: Hashable = None) -> Iterator[bool]:  # noqa: ARG002 - of a kind of limiter
        """Hold one of the provider's `max_concurrency` places; gives False where none was free within `timeout_s`.

        `target` is who will be asked, for limiters that count by target.
        """
        most = provider.max_concurrency or AT_ONCE
        with self._lock:
            places = self._places.setdefault(provider.name, threading.Semaphore(most))
        ends = self._clock.monotonic() + max(0.0, timeout_s)
        if not places.acquire(timeout=max(0.0, timeout_s)):
            yield False
            return
        try:
            with self.shared(f"{provider.name} {provider.base_url}", lambda: most, ends) as is_taken:
                yield is_taken
        finally:
            places.release()

    @contextmanager
    def shared(self, name: str, most: Callable[[], int], ends: float) -> Iterator[bool]:
        """Hold a place that no other process has; where the folder cannot be used, only this process counts."""
        place: int | None = None
        wait_s = _FIRST_LOOK_S
        try:
            while self._leases is not None:
                place = self._leases.take(name, most())
                if place is not None:
                    break
                if self._clock.monotonic() + wait_s > ends:
                    yield False
                    return
                self._clock.sleep(wait_s)
                wait_s = min(wait_s * 1.5, _LONGEST_LOOK_S)
        except OSError:
            place = None
        try:
            yield True
        finally:
            if place is not None:
                give_back(place)


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
