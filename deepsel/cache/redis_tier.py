"""The tier on a Redis server, and the lease by which one of a fleet asks: both within one scope, see redis_server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from operator import methodcaller
from threading import Event, Thread
from typing import Any

from deepsel.cache.locks import IN_VAIN_S, LockAttempt
from deepsel.cache.redis_server import RedisServer
from deepsel.cache.tier import CacheUnavailable, Stored, TierStats

_CHUNK = 200
LEASE_S = 6.0
"""How long a fleet waits for a holder that died; a living one renews its lease three times as often."""
_VAIN = b"in vain"
# Each changes the lease only where it is still ours.
_RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('pexpire', KEYS[1], ARGV[2]) end"
_DROP = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"
_MARK = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3]) end"


class RedisTier:
    """Texts of one scope on a server, which expires and evicts them itself."""

    name = "redis"

    def __init__(self, server: RedisServer, scope: str) -> None:
        self._server = server
        self._head = f"deepsel:{scope}:answer:"

    def get(self, key: str) -> str | None:
        """Return the text under `key`; None for what is no text."""
        return _text(self._server.call(methodcaller("get", self._head + key)))

    def put(self, key: str, text: str, *, ttl_s: float, label: str) -> bool:  # noqa: ARG002 - an interface
        """Store a text; the server forgets it by itself."""
        value = text.encode("utf-8")
        self._server.call(lambda client: client.set(self._head + key, value, px=max(1, int(ttl_s * 1000))))
        return True

    def keys(self, prefix: str) -> list[str]:
        """List a few keys that begin with `prefix`, in order."""
        return sorted(self._keys(prefix))[:5] if prefix.replace("-", "").isalnum() else []

    def items(self, label: str | None = None) -> Iterator[Stored]:  # noqa: ARG002 - an interface
        """Yield entries of any label, newest first."""
        held = []
        for keys in _chunks(self._keys()):
            values = self._server.call(partial(self._each, command="get", keys=keys))
            held += [(key, text) for key, value in zip(keys, values, strict=True) if (text := _text(value)) is not None]
        held.sort(key=lambda pair: _stored_at(pair[1]), reverse=True)
        return (Stored(key, text, len(text.encode("utf-8"))) for key, text in held)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove entries."""
        for chunk in _chunks(list(keys)):
            self._server.call(partial(self._each, command="unlink", keys=chunk))

    def clear(self) -> int:
        """Remove every entry of the scope."""
        keys = self._keys()
        self.delete(keys)
        return len(keys)

    def stats(self) -> TierStats:
        """Count the scope's entries and the bytes of their texts; the limit is the whole server's."""
        keys, size_bytes = self._keys(), 0
        for chunk in _chunks(keys):
            size_bytes += sum(map(int, self._server.call(partial(self._each, command="strlen", keys=chunk))))
        limit = None
        with suppress(CacheUnavailable):  # which some do not say
            limit = self._server.call(methodcaller("info", "memory")).get("maxmemory")
        return TierStats(self.name, len(keys), size_bytes, limit or None)

    def is_listed(self) -> bool:
        """Find out whether the server lists keys, without which its entries cannot be looked at; raises like the others."""
        self._server.find_nodes()
        self._server.call(methodcaller("scan", match=f"{self._head}*", count=1))
        return True

    def close(self) -> None:
        """Give back the connections."""
        self._server.close()

    def _keys(self, prefix: str = "") -> list[str]:
        """List the scope's keys; `prefix` has to be free of what Redis takes for a pattern."""
        pattern = f"{self._head}{prefix}*"
        names = self._server.call(lambda client: list(client.scan_iter(match=pattern, count=1000)))
        return list(dict.fromkeys(name.decode("utf-8", "replace").removeprefix(self._head) for name in names))

    def _each(self, client: Any, command: str, keys: Sequence[str]) -> list[Any]:
        """Do the same with several texts in one go; a command has one key, since a cluster's lie in many slots."""
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            getattr(pipeline, command)(self._head + key)
        found: list[Any] = pipeline.execute()
        return found


class LeaseLock:
    """A lock for a fleet: a name with a token and a short life, renewed by a thread while it is held."""

    def __init__(self, server: RedisServer, scope: str, key: str) -> None:
        self._server = server
        self._name = f"deepsel:{scope}:turn:{key}"
        self._token = os.urandom(16).hex().encode()
        self._is_over = Event()

    def try_acquire(self) -> LockAttempt:
        """Set the name where it is free. A server that fails is no use: the request goes on without."""
        try:
            if self._server.call(methodcaller("set", self._name, self._token, nx=True, px=_ms(LEASE_S))):
                Thread(target=self._renew, daemon=True, name="deepsel-lease").start()
                return LockAttempt.HELD
            is_vain = self._server.call(methodcaller("get", self._name)) == _VAIN
        except CacheUnavailable:
            return LockAttempt.NO_USE
        return LockAttempt.NO_USE if is_vain else LockAttempt.BUSY

    def release(self, *, is_kept: bool) -> None:
        """Free the name, or mark it for a moment when it was held in vain."""
        self._is_over.set()
        arguments = [self._token] if is_kept else [self._token, _VAIN, _ms(IN_VAIN_S)]
        with suppress(CacheUnavailable):
            self._server.call(methodcaller("eval", _DROP if is_kept else _MARK, 1, self._name, *arguments))

    def _renew(self) -> None:
        """Lengthen the lease while it is held; where the server fails the lease ends by itself."""
        while not self._is_over.wait(LEASE_S / 3):
            with suppress(CacheUnavailable):
                self._server.call(methodcaller("eval", _RENEW, 1, self._name, self._token, _ms(LEASE_S)))


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a list into pieces that one command takes."""
    return (keys[at : at + _CHUNK] for at in range(0, len(keys), _CHUNK))


def _ms(seconds: float) -> int:
    """Write a duration as Redis takes it."""
    return int(seconds * 1000)


def _text(value: object) -> str | None:
    """Read a value as text; None where it is none."""
    with suppress(UnicodeDecodeError):
        return value.decode("utf-8") if isinstance(value, bytes) else None
    return None


def _stored_at(text: str) -> str:
    """Find when an entry was stored, for sorting; empty where that cannot be read."""
    with suppress(ValueError, RecursionError):
        data = json.loads(text)
        return str(data.get("stored_at")) if isinstance(data, dict) else ""
    return ""
