"""A transport that sends nothing and gives an answer that came by another way, so that it is read as any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from deepsel.clock import Clock
from deepsel.providers.calls import Call, Timeouts
from deepsel.providers.exchange import Exchange
from deepsel.secret import KnownSecrets


class ReplayedResponse:
    """A response whose body is there."""

    def __init__(self, status: int, body: bytes, exchange: Exchange, secrets: KnownSecrets) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self.exchange = exchange
        self.secrets = secrets
        self._body = body

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body."""
        yield self._body

    def read_start(self, limit: int) -> bytes:
        """Return its beginning."""
        return self._body[:limit]

    def drain(self) -> None:
        """Have nothing left."""


class Replayed:
    """Gives one answer to every call."""

    def __init__(self, status: int, body: bytes, clock: Clock, secrets: KnownSecrets) -> None:
        self._status, self._body, self._clock, self._secrets = status, body, clock, secrets

    @contextmanager
    def open(self, call: Call, *, timeouts: Timeouts) -> Iterator[ReplayedResponse]:  # noqa: ARG002 - nothing is sent
        """Give it."""
        yield ReplayedResponse(self._status, self._body, Exchange(self._clock, timeouts), self._secrets)
