"""The one file that knows the redis library: opens a client with short time-outs and translates its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deepsel.cache.tier import CacheResting, CacheUnavailable


class Refused(CacheResting):
    """The server can be reached and says no: full, read-only, another type under the name."""


class Elsewhere(CacheResting):
    """The server is one node of a cluster, and another one has the key."""


def connect(url: str, *, timeout_s: float, is_cluster: bool = False) -> Any:
    """Make a client that connects when it is first used; raises CacheUnavailable for a URL that is none.

    That of a cluster asks its node for the others at once.

    `timeout_s` bounds connecting and a reply together. A connection that the server has closed meanwhile is opened again
    once; a time-out is not repeated. TLS, user, password and the library's own options are read from the URL.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": timeout_s / 2,
        "socket_timeout": timeout_s / 2,
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


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what the library says into CacheResting, Refused or Elsewhere."""
    try:
        yield
    except (redis.TimeoutError, TimeoutError) as error:
        raise CacheResting("no reply in time") from error
    except (redis.ConnectionError, OSError) as error:
        raise CacheResting(str(error).rstrip(".") or "no connection") from error
    except redis.exceptions.MovedError as error:
        raise Elsewhere("another node of the cluster has the key") from error
    except redis.RedisError as error:
        raise Refused(str(error).rstrip(".")) from error
