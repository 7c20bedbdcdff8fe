"""The one file that knows the redis library: opens a client that is bounded in time and bytes, and translates its errors.

The library's own time-outs begin anew with every byte that comes, and it reads whatever length a server announces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deepsel.cache.bounded_socket import BoundedSocket, SocketBounds, TooMuch
from deepsel.cache.tier import CacheResting, CacheUnavailable

_LONGEST_WORDS = 160
_STRANGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, AssertionError, MemoryError)
"""What the library raises somewhere inside where a reply is not of the kind it has asked for."""


class Refused(CacheResting):
    """The server can be reached and says no: full, read-only, another type under the name."""


class Elsewhere(CacheResting):
    """The server is one node of a cluster, and another one has the key."""


class _Bounded:
    """What every connection of ours adds to the library's: whatever it waits for ends with the piece of work."""

    bounds: SocketBounds

    @property
    def socket_connect_timeout(self) -> float | None:
        """Return the seconds for one address: half of what is left, since the next one may answer."""
        left_s = self.bounds.left_s()
        return left_s and left_s / 2

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, value: object) -> None:
        """Ignore what the library sets."""

    @property
    def socket_timeout(self) -> float | None:
        """Return the seconds for what follows on the open connection, such as TLS."""
        return self.bounds.left_s()

    @socket_timeout.setter
    def socket_timeout(self, value: object) -> None:
        """Ignore what the library sets."""

    def _connect(self) -> BoundedSocket:
        return BoundedSocket(super()._connect(), self.bounds)  # type: ignore[misc]  # the library's, mixed in below


_KINDS = {
    "redis": redis.Connection,
    "rediss": redis.SSLConnection,
    "unix": redis.UnixDomainSocketConnection,
}


def connect(url: str, *, bounds: SocketBounds, is_cluster: bool = False) -> Any:
    """Make a client that connects when it is first used; raises CacheUnavailable for a URL that is none.

    That of a cluster asks its node for the others at once.

    A connection that the server has closed meanwhile is opened again once; a time-out is not repeated. TLS, user, password
    and the library's own options are read from the URL.
    """
    kind = _KINDS.get(url.partition("://")[0])
    if kind is None:
        raise CacheUnavailable("the URL cannot be understood")
    options: dict[str, Any] = {
        "connection_class": type(kind.__name__, (_Bounded, kind), {"bounds": bounds}),
        "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        "protocol": 2,  # the third version and the driver's name would each cost a round trip at the start
        "driver_info": None,
    }
    if is_cluster:
        return redis.RedisCluster.from_url(url, **options)
    try:
        client = redis.Redis.from_url(url, **options)
        client.connection_pool.make_connection()  # opens nothing, but refuses an option that is none
        return client
    except (ValueError, TypeError, redis.RedisError):
        raise CacheUnavailable("the URL cannot be understood") from None  # the cause may quote the password


def is_cluster(client: Any) -> bool:
    """Ask a server whether it is one node of a cluster; one that does not say is taken for one alone."""
    try:
        return bool(int(client.info("cluster").get("cluster_enabled", 0)))
    except redis.ResponseError:
        return False


def nodes(client: Any) -> list[Any]:
    """List a client for each server that has keys."""
    if isinstance(client, redis.RedisCluster):
        return [client.get_redis_connection(node) for node in client.get_primaries()]  # type: ignore[no-untyped-call]
    return [client]


def scan(node: Any, pattern: str, cursor: int, _: object) -> tuple[int, list[bytes]]:
    """List some names of one of `nodes`, and where to go on; 0 at the end. The client itself is not asked."""
    following, names = node.scan(cursor, match=pattern, count=1000)
    return int(following), [name for name in names if isinstance(name, bytes)]


def each(client: Any, command: str, names: Sequence[str], *arguments: object) -> list[Any]:
    """Do the same with several names in one go, None for one that holds another type than the command is for.

    A command has one name, since those of a cluster lie in many slots.
    """
    pipeline = client.pipeline(transaction=False)
    for name in names:
        getattr(pipeline, command)(name, *arguments)
    found: list[Any] = pipeline.execute(raise_on_error=False)
    for number, one in enumerate(found):
        if isinstance(one, redis.ResponseError) and "WRONGTYPE" in str(one):
            found[number] = None
        elif isinstance(one, Exception):
            raise one
    return found


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what the library says into CacheResting, Refused or Elsewhere."""
    try:
        yield
    except TooMuch as error:
        raise CacheResting("its reply is larger than any of ours") from error
    except (redis.TimeoutError, TimeoutError) as error:
        raise CacheResting("no reply in time") from error
    except (redis.ConnectionError, redis.exceptions.RedisClusterException, OSError) as error:
        raise CacheResting(_words(error) or "no connection") from error
    except redis.exceptions.MovedError as error:
        raise Elsewhere("another node of the cluster has the key") from error
    except redis.ResponseError as error:
        raise Refused(_words(error)) from error
    except (redis.RedisError, *_STRANGE) as error:
        raise CacheResting("what replies there is no Redis server") from error


def _words(error: Exception) -> str:
    """Take the beginning of what a server says, as one line without control characters."""
    text = " ".join(str(error)[: 4 * _LONGEST_WORDS].split()).rstrip(".")
    return "".join(char if char.isprintable() else "?" for char in text)[:_LONGEST_WORDS]
