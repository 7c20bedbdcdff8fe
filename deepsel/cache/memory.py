"""The tier inside one process: least recently used first out, bounded in entries and bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock

from deepsel.cache.tier import Stored, TierStats
from deepsel.clock import Clock
from deepsel.records import NamedTuple


class _Held(NamedTuple):
    text: str
    label: str
    size_bytes: int
    expires_s: float
    """On the monotonic clock."""


class MemoryTier:
    """Texts in memory; safe to use from many threads."""

    name = "memory"

    def __init__(self, *, max_entries: int, max_bytes: int, clock: Clock) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._size_bytes = 0

    def get(self, key: str) -> str | None:
        """Return the text under `key` and make it the most recently used."""
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            if held.expires_s <= self._clock.monotonic():
                self._drop(key)
                return None
            self._held.move_to_end(key)
            return held.text

    def put(self, key: str, text: str, *, ttl_s: float, label: str) -> bool:
        """Store a text and drop the least recently used until the bounds hold; one larger than all is not stored."""
        size_bytes = len(key) + len(text.encode("utf-8"))
        with self._lock:
            self._drop(key)
            if size_bytes > self._max_bytes:
                return False
            self._held[key] = _Held(text, label, size_bytes, self._clock.monotonic() + ttl_s)
            self._size_bytes += size_bytes
            while len(self._held) > self._max_entries or self._size_bytes > self._max_bytes:
                self._drop(next(iter(self._held)))
            return True

    def keys(self, prefix: str) -> list[str]:
        """List a few keys that begin with `prefix`, in order."""
        with self._lock:
            return sorted(key for key in self._held if key.startswith(prefix))[:5]

    def items(self, label: str | None = None) -> Iterator[Stored]:
        """Yield entries, most recently used first."""
        with self._lock:
            held = list(reversed(self._held.items()))
        return (Stored(key, one.text, one.size_bytes) for key, one in held if label in (None, one.label))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove entries."""
        with self._lock:
            for key in keys:
                self._drop(key)

    def clear(self) -> int:
        """Remove everything."""
        with self._lock:
            count = len(self._held)
            self._held.clear()
            self._size_bytes = 0
            return count

    def stats(self) -> TierStats:
        """Say what is held."""
        with self._lock:
            return TierStats(self.name, len(self._held), self._size_bytes, self._max_bytes)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _drop(self, key: str) -> None:
        """Remove one entry where it is there; the caller holds the lock."""
        held = self._held.pop(key, None)
        if held is not None:
            self._size_bytes -= held.size_bytes
