"""The tier on a Redis server, and the lease by which one of a fleet asks: both within one scope, see redis_server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from functools import partial
from operator import methodcaller
from typing import Any

from deepsel.cache.locks import IN_VAIN_S, LEASE_S, LockAttempt
from deepsel.cache.patience import Patience
from deepsel.cache.redis_server import ENTRY_BYTES, RedisServer
from deepsel.cache.tier import SHARED, CacheResting, CacheUnavailable, Stored, TierStats

_CHUNK = 200
_MOST_KEYS, _MOST_ROUNDS, _LISTING_S = 1_000_000, 100_000, 60.0
"""More than a cache has, and than a server needs that looks at a thousand names a time."""
_VAIN = b"in vain"
# Each changes the lease only where it is still ours.
_RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('pexpire', KEYS[1], ARGV[2]) end"
_DROP = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"
_MARK = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3]) end"


class RedisTier:
    """Texts of one scope on a server, which expires and evicts them itself."""

    name = SHARED

    def __init__(self, server: RedisServer, scope: str, patience: Patience | None = None) -> None:
        """Name whose texts are meant; `patience` is that of the request they are wanted for, None for a command."""
        self._server = server
        self._head = f"deepsel:{scope}:answer:"
        self._patience = patience

    def get(self, key: str) -> str | None:
        """Return the text under `key`; None for what is no text, or longer than any of ours, of which no more is read."""
        return _text(self._server.call(methodcaller("getrange", self._head + key, 0, ENTRY_BYTES), self._patience))

    def put(self, key: str, text: str, *, ttl_s: float, label: str) -> bool:  # noqa: ARG002 - an interface
        """Store a text, unless it is too long to be shared; the server forgets it by itself."""
        value = text.encode("utf-8")
        if len(value) > ENTRY_BYTES:
            return False
        self._server.call(methodcaller("set", self._head + key, value, px=max(1, int(ttl_s * 1000))), self._patience)
        return True

    def keys(self, prefix: str) -> list[str]:
        """List a few keys that begin with `prefix`, in order."""
        return sorted(self._keys(prefix))[:5] if prefix.replace("-", "").isalnum() else []

    def items(self, label: str | None = None) -> Iterator[Stored]:  # noqa: ARG002 - an interface
        """Yield entries of any label, newest first; they are read twice, so that they need not all be held."""
        ages = sorted(((_stored_at(text), key) for key, text in self._texts(self._keys())), reverse=True)
        again = self._texts([key for _, key in ages])
        return (Stored(key, text, len(text.encode("utf-8"))) for key, text in again)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove entries."""
        for chunk in _chunks(list(keys)):
            self._each("unlink", chunk)

    def clear(self) -> int:
        """Remove every entry of the scope."""
        keys = self._keys()
        self.delete(keys)
        return len(keys)

    def stats(self) -> TierStats:
        """Count the scope's entries and the bytes of their texts; the limit is the whole server's."""
        keys = self._keys()
        size_bytes = sum(size for chunk in _chunks(keys) for size in self._sizes(chunk))
        limit = None
        with suppress(CacheUnavailable):  # which some do not say
            limit = self._server.call(lambda client: client.info("memory").get("maxmemory"))
        return TierStats(self.name, len(keys), size_bytes, limit if isinstance(limit, int) and limit > 0 else None)

    def is_listed(self) -> bool:
        """Find out whether the server lists keys, without which its entries cannot be looked at; raises like the others."""
        self._server.find_nodes()
        self._server.call(methodcaller("scan", match=f"{self._head}*", count=1))
        return True

    def close(self) -> None:
        """Give back the connections."""
        self._server.close()

    def _keys(self, prefix: str = "") -> list[str]:
        """List the scope's keys; `prefix` has to be free of what Redis takes for a pattern. Raises CacheResting for no end of them."""
        from deepsel.cache.redis_client import nodes, scan

        pattern, found = f"{self._head}{prefix}*", dict[str, None]()
        rounds, ends_s = 0, self._server.now_s() + _LISTING_S
        for node in self._server.call(nodes):
            cursor, is_begun = 0, False
            while cursor or not is_begun:
                cursor, names = self._server.call(partial(scan, node, pattern, cursor))
                found.update((name.decode("utf-8", "replace").removeprefix(self._head), None) for name in names)
                is_begun, rounds = True, rounds + 1
                if len(found) > _MOST_KEYS or rounds > _MOST_ROUNDS or self._server.now_s() > ends_s:
                    raise CacheResting(f"{self._server.label}: it lists keys without end")
        return list(found)

    def _texts(self, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield keys with their texts, in the order of the keys; what is none, or gone, is passed over."""
        for chunk in _chunks(keys):
            for some in _batches(chunk, self._sizes(chunk)):
                for key, value in zip(some, self._each("getrange", some, 0, ENTRY_BYTES), strict=True):
                    text = _text(value)
                    if text is not None:
                        yield key, text

    def _sizes(self, keys: Sequence[str]) -> list[int]:
        """Return the bytes of several texts; 0 for what is none."""
        return [size if isinstance(size, int) else 0 for size in self._each("strlen", keys)]

    def _each(self, command: str, keys: Sequence[str], *arguments: object) -> list[Any]:
        """Do the same with several texts in one go."""
        from deepsel.cache.redis_client import each

        names = [self._head + key for key in keys]
        return self._server.call(lambda client: each(client, command, names, *arguments))


class LeaseLock:
    """A lock for a fleet: a name with a token and a short life, which its holder has to renew."""

    def __init__(self, server: RedisServer, scope: str, key: str, patience: Patience | None = None) -> None:
        self._server = server
        self._name = f"deepsel:{scope}:turn:{key}"
        self._token = os.urandom(16).hex().encode()
        self._patience = patience or Patience()
        self._has_waited = False

    def try_acquire(self) -> LockAttempt:
        """Set the name where it is free. A server that fails is no use: the request goes on without."""
        # Who waits asks again and again: that is the wait for an answer, and not what the server costs.
        patience = copy(self._patience) if self._has_waited else self._patience
        self._has_waited = True
        try:
            if self._server.call(methodcaller("set", self._name, self._token, nx=True, px=_ms(LEASE_S)), patience):
                return LockAttempt.HELD
            is_vain = self._server.call(methodcaller("get", self._name), patience) == _VAIN
        except CacheUnavailable:
            return LockAttempt.NO_USE
        return LockAttempt.NO_USE if is_vain else LockAttempt.BUSY

    def renew(self) -> None:
        """Lengthen the lease; where the server fails it ends by itself."""
        with suppress(CacheUnavailable):
            self._server.call(methodcaller("eval", _RENEW, 1, self._name, self._token, _ms(LEASE_S)))

    def release(self, *, is_kept: bool) -> None:
        """Free the name, or mark it for a moment when it was held in vain."""
        arguments = [self._token] if is_kept else [self._token, _VAIN, _ms(IN_VAIN_S)]
        with suppress(CacheUnavailable):
            self._server.call(
                methodcaller("eval", _DROP if is_kept else _MARK, 1, self._name, *arguments), self._patience
            )


def _batches(keys: Sequence[str], sizes: Sequence[int]) -> Iterator[Sequence[str]]:
    """Cut a list into pieces whose texts are as long together as one may be; what is longer itself is left out."""
    batch, room = list[str](), ENTRY_BYTES
    for key, size in zip(keys, sizes, strict=True):
        if size > room and batch:
            yield batch
            batch, room = [], ENTRY_BYTES
        if 0 < size <= ENTRY_BYTES:
            batch.append(key)
            room -= size
    if batch:
        yield batch


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a list into pieces that one command takes."""
    return (keys[at : at + _CHUNK] for at in range(0, len(keys), _CHUNK))


def _ms(seconds: float) -> int:
    """Write a duration as Redis takes it."""
    return int(seconds * 1000)


def _text(value: object) -> str | None:
    """Read a value as text; None where it is none, as for a name that is not there, or too long to be ours."""
    with suppress(UnicodeDecodeError):
        return value.decode("utf-8") if isinstance(value, bytes) and 0 < len(value) <= ENTRY_BYTES else None
    return None


def _stored_at(text: str) -> str:
    """Find when an entry was stored, for sorting; empty where that cannot be read."""
    with suppress(ValueError, RecursionError):
        data = json.loads(text)
        return str(data.get("stored_at")) if isinstance(data, dict) else ""
    return ""
