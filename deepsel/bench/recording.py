"""A transport that takes an answer's bytes first, with their arrivals, and lets it be decoded when it is whole.

Decoding between two reads would take time from other threads' stamps, and more of it: what runs once in ten milliseconds
runs on cold caches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepsel.errors import AttemptFailed
from deepsel.providers.calls import Call, Response, Timeouts, Transport

if TYPE_CHECKING:
    from deepsel.providers.exchange import Exchange
    from deepsel.secret import KnownSecrets

@dataclass(frozen=True, slots=True)
class Recording:
    """Stands in for the transport of one call."""

    transport: Transport
    end_marks: tuple[bytes, ...]
    """Where the bytes of an answer most likely end. Elsewhere they are taken in two parts, which changes nothing."""

    @contextmanager
    def open(self, call: Call, *, timeouts: Timeouts) -> Iterator[RecordedResponse]:
        """Send `call`, as the transport does."""
        with self.transport.open(call, timeouts=timeouts) as response:
            yield RecordedResponse(response, self.end_marks)


class RecordedResponse:
    """A response whose bytes are given after they have all come, each with `exchange.last_read_at` as it was then."""

    def __init__(self, response: Response, end_marks: tuple[bytes, ...]) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self.exchange: Exchange = response.exchange
        self.secrets: KnownSecrets = response.secrets
        self._response = response
        self._end_marks = end_marks

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body; what went wrong is raised in its place."""
        while True:
            taken, failure, is_over = self._take()
            for at, chunk in taken:
                self.exchange.last_read_at = at
                yield chunk
            if failure is not None:
                raise failure
            if is_over:
                return

    def _take(self) -> tuple[list[tuple[float | None, bytes]], AttemptFailed | None, bool]:
        """Read up to an end marker or the end; any bytes count as progress, which the time limits ask for."""
        taken: list[tuple[float | None, bytes]] = []
        exchange = self.exchange
        try:
            for chunk in self._response.iter_bytes():
                taken.append((exchange.last_read_at, chunk))
                exchange.progress()
                if any(mark in chunk for mark in self._end_marks):
                    return taken, None, False
        except AttemptFailed as failure:
            return taken, failure, True
        return taken, None, True

    def read_start(self, limit: int) -> bytes:
        """Return at most `limit` bytes of the body."""
        return self._response.read_start(limit)

    def drain(self) -> None:
        """Read what is left, so that the connection can be used again."""
        self._response.drain()
