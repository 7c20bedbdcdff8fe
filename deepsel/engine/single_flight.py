"""Of identical requests at the same time one is sent, the others wait for its answer. Asks nobody itself."""

from __future__ import annotations

from collections.abc import Iterable

from deepsel.cache import KeyLock, LockAttempt
from deepsel.clock import Clock

_FIRST_POLL_S = 0.005
_LAST_POLL_S = 0.1


class SingleFlight:
    """The locks of one request's key. Acquire, look the answer up, ask where it is not there, and release in any case."""

    def __init__(self, clock: Clock, *, deadline: float) -> None:
        """Set the instant on the monotonic clock from which nobody waits any longer and everybody asks for himself."""
        self._clock = clock
        self._deadline = deadline
        self._held: list[KeyLock] = []

    def acquire(self, locks: Iterable[KeyLock]) -> None:
        """Take the locks one after the other, and wait for each; stop at one that it is no use to wait for."""
        for lock in locks:
            if not self._wait(lock):
                return
            self._held.append(lock)

    def release(self, *, is_kept: bool) -> None:
        """Let them go; `is_kept` says that the answer can be had from the cache now."""
        while self._held:
            self._held.pop().release(is_kept=is_kept)

    def _wait(self, lock: KeyLock) -> bool:
        """Take one lock; False at the deadline, or where waiting is no use."""
        pause_s = _FIRST_POLL_S
        while (taken := lock.try_acquire()) is LockAttempt.BUSY:
            left_s = self._deadline - self._clock.monotonic()
            if left_s <= 0:
                return False
            self._clock.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, _LAST_POLL_S)
        return taken is LockAttempt.HELD
