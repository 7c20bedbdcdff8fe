"""When each target may be asked again, and how many calls a provider takes at once.

Instants are shared by all requests of a process, places by all of the user's processes.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deepsel.clock import Clock, SystemClock
from deepsel.storage.leases import Leases, give_back
from deepsel.values import Provider

_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.02, 0.25
"""How soon, and how seldom at most, it is looked whether another process has given a place back."""


class Gates:
    """Deadlines by target, on the monotonic clock. Thread-safe."""

    def __init__(self) -> None:
        self._opens_at: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def close_until(self, target: Hashable, instant: float) -> None:
        """Keep `target` from being asked before `instant`; of two deadlines the later one holds."""
        with self._lock:
            self._opens_at[target] = max(instant, self._opens_at.get(target, instant))

    def opens_at(self, target: Hashable) -> float:
        """Return the instant from which `target` may be asked; minus infinity where nothing holds it back."""
        with self._lock:
            return self._opens_at.get(target, float("-inf"))


class Slots:
    """Places for calls under way, by provider; with a folder, those of all the user's processes together. Thread-safe."""

    def __init__(self, folder: Path | None = None, clock: Clock | None = None) -> None:
        """Touch nothing yet; None: this process alone counts."""
        self._places: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()
        self._leases = None if folder is None else Leases(folder)
        self._clock = clock or SystemClock()

    @contextmanager
    def taken(self, provider: Provider, *, timeout_s: float) -> Iterator[bool]:
        """Hold one of the provider's `max_concurrency` places; gives False where none was free within `timeout_s`."""
        with self._lock:
            places = self._places.setdefault(provider.name, threading.Semaphore(provider.max_concurrency))
        ends = self._clock.monotonic() + max(0.0, timeout_s)
        if not places.acquire(timeout=max(0.0, timeout_s)):
            yield False
            return
        try:
            with self._shared(provider, ends) as is_taken:
                yield is_taken
        finally:
            places.release()

    @contextmanager
    def _shared(self, provider: Provider, ends: float) -> Iterator[bool]:
        """Hold a place that no other process has; where the folder cannot be used, only this process counts."""
        place: int | None = None
        wait_s = _FIRST_LOOK_S
        try:
            while self._leases is not None:
                place = self._leases.take(f"{provider.name} {provider.base_url}", provider.max_concurrency)
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
