"""When each target may be asked again, and how many calls a provider takes at once; shared by all requests of a process."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


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
    """Places for calls under way, by provider. Thread-safe."""

    def __init__(self) -> None:
        self._places: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()

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
