"""The cache as the engine and the commands see it: tiers in order, expiry, and failures that cost only a miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from deepsel.cache.disk_tier import DiskTier
from deepsel.cache.entry import CachedAnswer, decode, encode
from deepsel.cache.key import KEY_FORMAT, cache_key
from deepsel.cache.memory import MemoryTier
from deepsel.cache.tier import CacheCorrupt, CacheUnavailable, Tier, TierStats
from deepsel.clock import Clock
from deepsel.errors import ConfigError, UsageError
from deepsel.values import Notice

MEMORY_BYTES = 64 << 20
CLOCK_SKEW_S = 300.0
"""An entry from further in the future was stored under a clock that was wrong: it is not served."""
_REPAIR = "`deepsel cache clear --all` starts it afresh"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One cached answer as people look at it."""

    key: str
    answer: CachedAnswer
    size_bytes: int
    tier: str
    left_s: float
    """Seconds until it expires; 0 or less: it has."""


class Cache:
    """Answers under keys, in memory and on disk. Safe to use from many threads and many processes."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        ttl_s: float = 3600.0,
        memory_entries: int = 256,
        size_limit_bytes: int = 1 << 30,
    ) -> None:
        """Touch nothing yet: files are made by the first `put`. `memory_entries` 0 leaves the memory tier out."""
        self.path = folder
        self._clock = clock
        self._ttl_s = ttl_s
        self._tiers: list[Tier] = [DiskTier(folder, size_limit_bytes=size_limit_bytes)]
        if memory_entries > 0:
            self._tiers.insert(0, MemoryTier(max_entries=memory_entries, max_bytes=MEMORY_BYTES, clock=clock))
        self._lock = Lock()
        self._failed: set[str] = set()
        self._fresh_notices: list[Notice] = []
        self._hits = self._misses = 0

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the engine's side: never raises for a cache that fails -----------------------------------------------------

    def get(self, key: str) -> tuple[CachedAnswer, str] | None:
        """Return the answer and the tier that held it; tiers above get it for the time that is left."""
        for index, tier in enumerate(self._tiers):
            text = self._guarded(tier, partial(tier.get, key))
            answer = decode(text, key) if text is not None else None
            left_s = self._left_s(answer) if answer else 0.0
            if answer is None or text is None or not 0 < left_s <= answer.ttl_s + CLOCK_SKEW_S:
                continue
            self._put_text(self._tiers[:index], key, text, ttl_s=left_s, label=answer.model)
            self._count(hits=1)
            return answer, tier.name
        return None

    def put(self, key: str, answer: CachedAnswer, ttl_s: float | None = None) -> bool:
        """Store an answer from now on, for `ttl_s` (None: the cache's own); tell whether it will outlive this process.

        Raises ValueError for an answer that is not complete, or whose document does not belong to `key`.
        """
        if cache_key(answer.document) != key:
            raise ValueError("the key is not that of the answer's document")
        ttl_s = self._ttl_s if ttl_s is None else ttl_s
        text = encode(replace(answer, stored_at=self._clock.now(), ttl_s=ttl_s))
        if ttl_s <= 0:
            return False
        self._count(misses=1)
        return self._put_text(self._tiers, key, text, ttl_s=ttl_s, label=answer.model)

    def notices(self) -> list[Notice]:
        """Hand out the warnings that have come up since the last call: one a tier, at its first failure."""
        with self._lock:
            fresh, self._fresh_notices = self._fresh_notices, []
        return fresh

    def close(self) -> None:
        """Write the counters and give back files."""
        self._flush_counts()
        for tier in self._tiers:
            tier.close()

    # --- the commands' side: a cache that fails is a ConfigError ----------------------------------------------------

    def stats(self) -> list[TierStats]:
        """Say what each tier holds and has served, upper tiers first."""
        self._flush_counts()
        with self._admin():
            return [tier.stats() for tier in self._tiers]

    def entries(self, *, model: str | None = None, older_than_s: float | None = None) -> Iterator[Entry]:
        """Yield readable entries, newest first in each tier, each key once; those of one model or age where given."""
        latest = None if older_than_s is None else self._instant_before(older_than_s)
        seen: set[str] = set()
        with self._admin():
            for tier in self._tiers:
                for stored in tier.items(model):
                    entry = self._entry(tier, stored.key, stored.text)
                    if entry is None or entry.key in seen or (latest and entry.answer.stored_at > latest):
                        continue
                    seen.add(entry.key)
                    yield entry

    def show(self, key: str) -> Entry:
        """Find an entry by its key or an unambiguous beginning of it; raises UsageError."""
        head = f"k{KEY_FORMAT}-"
        prefix = key if key.startswith(head) else head + key
        with self._admin():
            keys = sorted({found for tier in self._tiers for found in tier.keys(prefix)})
            if len(keys) > 1 and prefix not in keys:
                raise UsageError(f"`{key}` is the beginning of several keys", f"give more of it: {', '.join(keys[:3])}")
            wanted = prefix if prefix in keys else keys[0] if keys else prefix
            for tier in self._tiers:
                text = tier.get(wanted)
                entry = None if text is None else self._entry(tier, wanted, text)
                if entry is not None:
                    return entry
        raise UsageError(f"no cached answer has the key `{key}`", "`deepsel cache list` shows the keys")

    def clear(
        self, *, model: str | None = None, older_than_s: float | None = None, all_entries: bool = False
    ) -> int:
        """Remove what is selected, expired entries included; return how many. Raises UsageError without a selector."""
        has_selector = model is not None or older_than_s is not None
        if has_selector == all_entries:
            what = "`--all` stands alone" if has_selector else "nothing says what to remove"
            raise UsageError(what, "give `--model`, `--older-than` or both, or `--all`")
        with self._admin():
            if all_entries:
                return max(tier.clear() for tier in self._tiers)
            keys = [entry.key for entry in self.entries(model=model, older_than_s=older_than_s)]
            for tier in self._tiers:
                tier.delete(keys)
            return len(keys)

    # --- within -----------------------------------------------------------------------------------------------------

    def _guarded(self, tier: Tier, action: Callable[[], _T]) -> _T | None:
        """Do something with a tier; None, and never again with this tier, where it cannot."""
        if tier.name in self._failed:
            return None
        try:
            return action()
        except CacheUnavailable as error:
            self._give_up(tier, error)
            return None

    def _give_up(self, tier: Tier, error: CacheUnavailable) -> None:
        """Leave a tier out for the rest of the process and say so once."""
        advice = f"; {_REPAIR}" if isinstance(error, CacheCorrupt) else ""
        with self._lock:
            if tier.name not in self._failed:
                self._failed.add(tier.name)
                message = f"the {tier.name} cache cannot be used and is left out: {error}{advice}"
                self._fresh_notices.append(Notice("cache_unavailable", message))

    def _put_text(self, tiers: list[Tier], key: str, text: str, *, ttl_s: float, label: str) -> bool:
        """Store in some tiers, upper first; tell whether the last of them took it."""
        stored: bool | None = False
        for tier in tiers:
            stored = self._guarded(tier, partial(tier.put, key, text, ttl_s=ttl_s, label=label))
        return bool(stored)

    def _entry(self, tier: Tier, key: str, text: str) -> Entry | None:
        """Make what a tier holds readable; None where it cannot be."""
        answer = decode(text, key)
        if answer is None:
            return None
        return Entry(key, answer, len(text.encode("utf-8")), tier.name, self._left_s(answer))

    def _left_s(self, answer: CachedAnswer) -> float:
        """Return the seconds an answer may still be served."""
        return (answer.expires_at - self._clock.now()).total_seconds()

    def _instant_before(self, seconds: float) -> datetime:
        """Return the instant so long ago; raises UsageError where there is none."""
        try:
            return self._clock.now() - timedelta(seconds=seconds)
        except OverflowError as error:
            raise UsageError("that is longer ago than dates go back") from error

    def _count(self, *, hits: int = 0, misses: int = 0) -> None:
        """Count in memory; see `_flush_counts`."""
        with self._lock:
            self._hits += hits
            self._misses += misses

    def _flush_counts(self) -> None:
        """Hand the counters to the tiers, so that a look-up itself writes nothing."""
        with self._lock:
            hits, misses, self._hits, self._misses = self._hits, self._misses, 0, 0
        if hits or misses:
            for tier in self._tiers:
                if tier.name not in self._failed:
                    tier.add_counts(hits=hits, misses=misses)

    @contextmanager
    def _admin(self) -> Iterator[None]:
        """Turn a failing tier into an error for the person who asked about it."""
        try:
            yield
        except CacheUnavailable as error:
            hint = _REPAIR if isinstance(error, CacheCorrupt) else "check the folder's permissions and free space"
            raise ConfigError(f"the cache cannot be used: {error}", hint) from error
