"""A fleet's Redis server: each piece of work is one command or one script, bounded in time; a failure is said, never a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar

from deepsel.cache.bounded_socket import SocketBounds
from deepsel.cache.redis_server import masked_url
from deepsel.cache.tier import CacheUnavailable
from deepsel.clock import Clock
from deepsel.errors import ConfigError
from deepsel.secret import KnownSecrets, secrets_in

MOST_REPLY_BYTES = 512 << 20
_ERROR_CHARS = 400
_T = TypeVar("_T")

NOW = """
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
"""Begins a script that needs the instant, in milliseconds: the server's own, since the machines' clocks differ."""


class FleetUnavailable(Exception):
    """The server cannot be used now; the words are for a person and hold no password."""


class FleetServer:
    """One server. Connects when it is first used; safe to use from many threads."""

    def __init__(self, url: str, *, clock: Clock, timeout_s: float) -> None:
        """Name the server; `timeout_s` bounds each piece of work."""
        self.label = masked_url(url)
        self._url, self._timeout_s = url, timeout_s
        self._secrets = KnownSecrets(lambda: secrets_in(url))
        self._bounds = SocketBounds(clock)
        self._client: Any = None
        self._lock = Lock()

    def call(self, action: Callable[[Any], _T]) -> _T:
        """Do something with the library's client; raises FleetUnavailable, and ConfigError where the library is missing."""
        try:
            from deepsel.cache.redis_client import connect, translated_errors
        except ImportError as error:
            raise ConfigError("a fleet needs the redis library", "`pip install 'deepsel[redis]'` adds it") from error
        try:
            with self._bounds.of(self._timeout_s, MOST_REPLY_BYTES), translated_errors():
                with self._lock:
                    if self._client is None:
                        self._client = connect(self._url, bounds=self._bounds)
                return action(self._client)
        except CacheUnavailable as error:
            raise FleetUnavailable(f"{self.label}: {self._secrets.clean(str(error), _ERROR_CHARS)}") from error

    def script(self, text: str, keys: Sequence[str], *arguments: object) -> Any:
        """Run a script as one transaction; raises FleetUnavailable."""
        return self.call(lambda client: client.eval(text, len(keys), *keys, *arguments))

    def run_id(self) -> str:
        """Return what tells this start of the server from every other; raises FleetUnavailable."""
        return str(self.call(lambda client: client.info("server")).get("run_id", ""))

    def close(self) -> None:
        """Give back the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
