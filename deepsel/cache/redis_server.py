"""A Redis server as the cache uses it: who shares what on it, and the circuit that bounds what an outage costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from deepsel.cache.tier import CacheResting, CacheUnavailable
from deepsel.clock import Clock
from deepsel.errors import ConfigError
from deepsel.secret import MASK, KnownSecrets, Secret, secrets_in

Account: TypeAlias = Callable[[], Secret | None]
"""Gives the key that pays for a request; may raise ConfigError. Called only where the answer depends on it."""
REST_S = 10.0
"""How long a server that failed is left alone before one request tries it again."""
_ERROR_CHARS = 400
_SALT = b"deepsel shared cache 1"
_T = TypeVar("_T")


class RedisServer:
    """One server. Connects when it is first used; safe to use from many threads."""

    def __init__(self, url: str, *, clock: Clock, namespace: str = "", timeout_s: float = 0.5) -> None:
        """Name the server; `timeout_s` bounds what one request may lose to an outage."""
        self.label = masked_url(url)
        self._url = url
        self._secrets = KnownSecrets(lambda: secrets_in(url))
        self._clock = clock
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._client: Any = None
        self._is_cluster = False
        self._lock = Lock()
        self._rests_until = float("-inf")

    def scope(self, account: Account | None) -> str | None:
        """Name those who share a request's answer; None where it must not be shared.

        That is the namespace where there is one, else the account that pays, by the digest of its key. A request without
        either stays at home: `localhost` is another server on every machine.
        """
        if self._namespace:
            return f"n-{self._namespace}"
        try:
            secret = account() if account else None
        except ConfigError:
            return None
        return f"a-{_digest(secret)}" if secret else None

    def call(self, action: Callable[[Any], _T]) -> _T:
        """Do something with the library's client; raises CacheUnavailable, at once while the circuit is open.

        After a failure the server rests; then the first caller tries it while the others still go on without.
        """
        now_s = self._clock.monotonic()
        with self._lock:
            if now_s < self._rests_until:
                raise CacheResting(f"{self.label} rests after a failure")
            if self._rests_until > float("-inf"):
                self._rests_until = now_s + self._timeout_s
        try:
            from deepsel.cache.redis_client import Elsewhere, Refused
        except ImportError as error:
            raise CacheUnavailable("`pip install 'deepsel[redis]'` adds what it needs") from error
        try:
            try:
                done = self._do(action)
            except Elsewhere:
                self._use_cluster()
                done = self._do(action)
        except Refused as error:
            raise CacheResting(self._told(error)) from error
        except CacheResting as error:
            self._rests_until = self._clock.monotonic() + REST_S
            raise CacheResting(self._told(error)) from error
        except CacheUnavailable as error:
            raise CacheUnavailable(self._told(error)) from error
        self._rests_until = float("-inf")
        return done

    def find_nodes(self) -> None:
        """Find out whether the server is one node of a cluster, whose others have to be asked as well; raises like `call`."""
        if not self._is_cluster and self.call(_is_cluster):
            self._use_cluster()

    def _use_cluster(self) -> None:
        self._is_cluster = True
        self.close()

    def _do(self, action: Callable[[Any], _T]) -> _T:
        """Do something with the client, made now where there is none."""
        from deepsel.cache.redis_client import connect, translated_errors

        with translated_errors():
            if self._client is None:
                self._client = connect(self._url, timeout_s=self._timeout_s, is_cluster=self._is_cluster)
            return action(self._client)

    def close(self) -> None:
        """Give back the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _told(self, error: CacheUnavailable) -> str:
        """Name the server with its error, without user and password."""
        return f"{self.label}: {self._secrets.clean(str(error), _ERROR_CHARS)}"


def _is_cluster(client: Any) -> bool:
    """Ask a server whether it is one of several."""
    from deepsel.cache.redis_client import is_cluster

    return is_cluster(client)


def masked_url(url: str) -> str:
    """Write a Redis URL without user, password and query."""
    scheme, separator, rest = url.partition("://")
    user_info, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{MASK if user_info else ''}{at}{place.partition('?')[0]}"


@lru_cache(maxsize=64)
def _digest(secret: Secret) -> str:
    """Turn a key into what names its account on the server: one way, slow to guess, the same on every machine."""
    from hashlib import scrypt  # loads OpenSSL, which only a shared server needs

    return scrypt(secret.reveal().encode(), salt=_SALT, n=1 << 13, r=8, p=1, dklen=16).hex()
