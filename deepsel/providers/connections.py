"""Keeps a process's connections between calls, the one that was free last first. Knows no HTTP library, only the shape of a connection.

The client library's own pool looks at every connection whenever one is taken or given back, which for 64 of them takes longer than
the call itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from typing import Generic, NamedTuple, Protocol, TypeVar

from deepsel.clock import Clock

FRESH_S = 1.0
"""So long an unused connection is taken without a look at its socket: a server that has closed it meanwhile shows when it is used."""


class Connection(Protocol):
    """What is used of httpcore's connections."""

    def is_closed(self) -> bool:
        """Tell whether it is closed, or never came to be."""

    def is_idle(self) -> bool:
        """Tell whether nobody uses it."""

    def has_expired(self) -> bool:
        """Tell whether it was unused for too long, or the other side has closed it."""

    def close(self) -> None:
        """Close it; whoever uses it is cut."""


_C = TypeVar("_C", bound=Connection)


class _Waiting(NamedTuple, Generic[_C]):
    connection: _C
    since_s: float
    """On the monotonic clock."""


class KeptConnections(Generic[_C]):
    """The connections in use, and those that wait, by where they lead. Thread-safe."""

    def __init__(self, clock: Clock, *, most: int, longest_s: float) -> None:
        """Keep at most so many unused ones for each place they lead to, and none for longer than `longest_s`."""
        self._clock = clock
        self._most = most
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, deque[_Waiting[_C]]] = {}
        self._in_use: set[_C] = set()

    def take(self, origin: Hashable) -> _C | None:
        """Return an open connection that leads there; None where there is none."""
        while True:
            with self._lock:
                waiting = self._waiting.get(origin)
                if not waiting:
                    return None
                connection, since_s = waiting.pop()
                self._in_use.add(connection)
            if self._clock.monotonic() - since_s < FRESH_S or not connection.has_expired():
                return connection
            self._drop(connection)

    def add(self, connection: _C) -> None:
        """Note that a new connection is in use."""
        with self._lock:
            self._in_use.add(connection)

    def give_back(self, origin: Hashable, connection: _C) -> None:
        """Keep a connection that is open and unused; close any other, and what waits too long or is too much."""
        if connection.is_closed() or not connection.is_idle():
            self._drop(connection)
            return
        leaving, now_s = [], self._clock.monotonic()
        with self._lock:
            self._in_use.discard(connection)
            waiting = self._waiting.setdefault(origin, deque())
            waiting.append(_Waiting(connection, now_s))
            while len(waiting) > self._most or waiting[0].since_s < now_s - self._longest_s:
                leaving.append(waiting.popleft())
        for one in leaving:
            one.connection.close()

    def _drop(self, connection: _C) -> None:
        with self._lock:
            self._in_use.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            found = [*self._in_use, *(one.connection for waiting in self._waiting.values() for one in waiting)]
            self._waiting.clear()
            self._in_use.clear()
        for one in found:
            one.close()
