"""A socket that is held to the end of one piece of work, in time and in bytes, however the other side deals them out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING

from deepsel.clock import Clock

if TYPE_CHECKING:
    import socket


class TooMuch(Exception):
    """The other side sends more than the piece of work may read."""


class SocketBounds(local):
    """What the piece of work that a thread does may still take; without one there is no bound."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends_s = float("inf")
        self._bytes_left = float("inf")

    @contextmanager
    def of(self, limit_s: float, limit_bytes: int) -> Iterator[None]:
        """Bound what is done within, on however many connections."""
        self._ends_s, self._bytes_left = self._clock.monotonic() + limit_s, limit_bytes
        try:
            yield
        finally:
            self._ends_s = self._bytes_left = float("inf")

    def left_s(self) -> float | None:
        """Return the seconds that are left, None for no bound; raises TimeoutError where there are none."""
        if self._ends_s == float("inf"):
            return None
        left_s = self._ends_s - self._clock.monotonic()
        if left_s <= 0:
            raise TimeoutError("the time is over")
        return left_s

    def took(self, size: int) -> None:
        """Count what was read; raises TooMuch."""
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise TooMuch


class BoundedSocket:
    """What a client library does with a connected socket, each step within the thread's bounds."""

    def __init__(self, inner: socket.socket, bounds: SocketBounds) -> None:
        self._inner = inner
        self._bounds = bounds
        self._is_polled = False

    def settimeout(self, timeout_s: float | None) -> None:
        """Take only a 0, which asks without waiting; the bounds say how long is waited otherwise."""
        self._is_polled = timeout_s == 0

    def recv(self, size: int) -> bytes:
        """Read what is there."""
        self._limit()
        found = self._inner.recv(size)
        self._bounds.took(len(found))
        return found

    def recv_into(self, buffer: bytearray | memoryview) -> int:
        """Read into a buffer; returns how many bytes."""
        self._limit()
        size = self._inner.recv_into(buffer)
        self._bounds.took(size)
        return size

    def sendall(self, data: bytes) -> None:
        """Write all."""
        left = memoryview(data)
        while left:
            self._limit()
            left = left[self._inner.send(left) :]

    def _limit(self) -> None:
        self._inner.settimeout(0 if self._is_polled else self._bounds.left_s())

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._inner.fileno()

    def getpeername(self) -> object:
        """Say who is connected."""
        return self._inner.getpeername()

    def getsockname(self) -> object:
        """Say where from."""
        return self._inner.getsockname()

    def shutdown(self, how: int) -> None:
        """End it in one or both directions."""
        self._inner.shutdown(how)

    def close(self) -> None:
        """Close it."""
        self._inner.close()
