"""Of identical requests at the same time one is sent, the others wait for its answer. Asks nobody itself.

Every lock has a row of places. Who asks holds the first; where he is slow, or gives no sign of life, the next place is for
one of those who wait, and only for one: the others go on waiting, for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import TypeAlias

from deepsel.cache import LEASE_S, KeyLock, LockAttempt
from deepsel.clock import Clock

Places: TypeAlias = Callable[[int], KeyLock]
"""Gives the lock of a place, by its number from 0."""
_FIRST_POLL_S = 0.005
_LAST_POLL_S = 0.1
_MOST_PLACES = 64
_HALVINGS = 3
"""How many living ones may be overtaken, each after half of the time that was left: 4 calls of any number of requests."""


class SingleFlight:
    """The locks of one request's key. Acquire, look the answer up, ask where it is not there, and release in any case."""

    def __init__(self, clock: Clock, *, started_s: float, timeout_s: float) -> None:
        """Set the request's time on the monotonic clock, of which it waits half for the first, a quarter for the next ..."""
        self._clock = clock
        self._turns_s = [started_s + timeout_s * (1 - 0.5**number) for number in range(1, _HALVINGS + 1)]
        self._ends_s = started_s + timeout_s
        self._held: list[KeyLock] = []
        self._is_over = Event()

    def acquire(self, locks: Iterable[Places]) -> bool:
        """Take a place of each lock, and wait for it; stop at one that it is no use to wait for.

        Returns False where the time is over: others ask, and nobody has had an answer.
        """
        for places in locks:
            taken = self._wait(places)
            if taken is LockAttempt.BUSY:
                return False
            if taken is LockAttempt.NO_USE:
                break
            if len(self._held) == 1:
                Thread(target=self._renew, daemon=True, name="deepsel-turn").start()
        return True

    def release(self, *, is_kept: bool) -> None:
        """Let them go; `is_kept` says that the answer can be had from the cache now."""
        self._is_over.set()
        while self._held:
            self._held.pop().release(is_kept=is_kept)

    def _wait(self, places: Places) -> LockAttempt:
        """Take a place, which is held then; BUSY when the time is over."""
        row = list[KeyLock]()
        pause_s = _FIRST_POLL_S
        while (taken := self._try(places, row)) is LockAttempt.BUSY:
            left_s = self._ends_s - self._clock.monotonic()
            if left_s <= 0:
                break
            self._clock.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, _LAST_POLL_S)
        return taken

    def _try(self, places: Places, row: list[KeyLock]) -> LockAttempt:
        """Try the places from the first one to that behind as many living holders as have had their time."""
        now_s = self._clock.monotonic()
        passable = sum(now_s >= turn_s for turn_s in self._turns_s)
        for number in range(_MOST_PLACES):
            if number == len(row):
                row.append(places(number))
            taken = row[number].try_acquire()
            if taken is LockAttempt.HELD:
                self._held.append(row[number])
            if taken is LockAttempt.BUSY:
                passable -= 1
            elif taken is not LockAttempt.STOPPED:
                return taken
            if passable < 0:
                break
        return LockAttempt.BUSY

    def _renew(self) -> None:
        """Give signs of life while the locks are held; a process that is stopped gives none."""
        while not self._is_over.wait(LEASE_S / 3):
            for lock in list(self._held):
                lock.renew()
