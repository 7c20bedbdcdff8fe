"""A Redis server as the cache uses it: who shares what on it, and the circuit that bounds what an outage costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from deepsel.cache.bounded_socket import SocketBounds
from deepsel.cache.patience import Patience
from deepsel.cache.tier import CacheResting, CacheUnavailable
from deepsel.clock import Clock
from deepsel.errors import ConfigError
from deepsel.secret import MASK, KnownSecrets, Secret, secrets_in

Account: TypeAlias = Callable[[], Secret | None]
"""Gives the key that pays for a request; may raise ConfigError. Called only where the answer depends on it."""
REST_S = 10.0
"""How long a server that failed is left alone before one request tries it again."""
ENTRY_BYTES = 4 << 20
"""The longest text that is shared: what a fleet stores is read by all of it, within a fraction of a second."""
_REPLY_BYTES = ENTRY_BYTES + (1 << 16)
_SLOW_TIMES = 2
"""So many time-outs may a request wait in all for a server that is late each time; a busy machine is late now and then."""
_ERROR_CHARS = 400
_SALT = b"deepsel shared cache 1"
_T = TypeVar("_T")


class RedisServer:
    """One server. Connects when it is first used; safe to use from many threads."""

    def __init__(self, url: str, *, clock: Clock, namespace: str = "", timeout_s: float = 0.5) -> None:
        """Name the server; `timeout_s` bounds one piece of work, and what one request loses to an outage."""
        self.label = masked_url(url)
        self._url = url
        self._secrets = KnownSecrets(lambda: secrets_in(url))
        self._clock = clock
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._client: Any = None
        self._bounds = SocketBounds(clock)
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

    def call(self, action: Callable[[Any], _T], patience: Patience | None = None) -> _T:
        """Do something with the library's client; raises CacheUnavailable, at once while the circuit is open.

        After a failure the server rests; then the first caller tries it while the others still go on without. `patience`
        is that of the request this is done for; what is done for none has a whole time-out for itself.
        """
        patience = patience or Patience()
        limit_s = min(self._timeout_s, patience.most_s, _SLOW_TIMES * self._timeout_s - patience.lost_s)
        if limit_s <= 0:
            raise CacheResting(f"{self.label}: too slow for `redis_timeout_s`")
        began_s = self._clock.monotonic()
        self._ensure_awake(began_s)
        is_well = False
        try:
            done = self._with_client(action, limit_s)
            is_well = True
        except CacheResting as error:
            is_well = _is_refused(error)
            raise CacheResting(self._told(error)) from error
        except CacheUnavailable as error:
            raise CacheUnavailable(self._told(error)) from error
        finally:
            now_s = self._clock.monotonic()
            self._rests_until = float("-inf") if is_well else now_s + REST_S
            if not is_well:
                patience.lost_s = float("inf")
            elif now_s - began_s > self._timeout_s / 2:  # what it does in good time is no loss
                patience.lost_s += now_s - began_s
        return done

    def _ensure_awake(self, now_s: float) -> None:
        """Raise CacheResting while the server rests; the first one after that tries it."""
        with self._lock:
            if now_s < self._rests_until:
                raise CacheResting(f"{self.label} rests after a failure")
            if self._rests_until > float("-inf"):
                self._rests_until = now_s + self._timeout_s

    def _with_client(self, action: Callable[[Any], _T], limit_s: float) -> _T:
        """Do something within the bounds, again where the server turns out to be one of a cluster."""
        try:
            from deepsel.cache.redis_client import Elsewhere
        except ImportError as error:
            raise CacheUnavailable("`pip install 'deepsel[redis]'` adds what it needs") from error
        with self._bounds.of(limit_s, _REPLY_BYTES):
            try:
                return self._do(action)
            except Elsewhere:
                self._use_cluster()
                return self._do(action)

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
                self._client = connect(self._url, bounds=self._bounds, is_cluster=self._is_cluster)
            return action(self._client)

    def now_s(self) -> float:
        """Return the instant on the clock that bounds what is done."""
        return self._clock.monotonic()

    def close(self) -> None:
        """Give back the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _told(self, error: CacheUnavailable) -> str:
        """Name the server with its error, without user and password."""
        return f"{self.label}: {self._secrets.clean(str(error), _ERROR_CHARS)}"


def _is_refused(error: CacheResting) -> bool:
    """Tell whether the server is there and only says no, so that the next one may ask it at once."""
    from deepsel.cache.redis_client import Refused

    return isinstance(error, Refused)


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
