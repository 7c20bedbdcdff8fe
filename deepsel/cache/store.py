"""The cache as the engine and the commands see it: tiers in order, expiry, and failures that cost only a miss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, Unpack

from deepsel.cache.disk_tier import DiskTier
from deepsel.cache.entry import CachedAnswer, Entry, decode, encode
from deepsel.cache.key import KEY_FORMAT, cache_key
from deepsel.cache.memory import MemoryTier
from deepsel.cache.rests import REPAIR, Rests
from deepsel.cache.tier import SHARED, CacheCorrupt, CacheResting, CacheUnavailable, Stored, Tally, Tier, TierStats
from deepsel.clock import Clock
from deepsel.errors import OTHER_HOME, ConfigError, UsageError
from deepsel.records import NamedTuple
from deepsel.storage.told import Told
from deepsel.values import Notice

if TYPE_CHECKING:
    from deepsel.cache.locks import KeyLock
    from deepsel.cache.patience import Patience
    from deepsel.cache.redis_server import Account, RedisServer
    from deepsel.cache.selecting import Selector
    from deepsel.config import CacheSettings

_T = TypeVar("_T")
MEMORY_BYTES = 64 << 20
CLOCK_SKEW_S = 300.0
"""An entry from further in the future was stored under a clock that was wrong: it is not served."""


class LookUp(NamedTuple):
    """What came of looking for an answer; true where there is one."""

    answer: CachedAnswer | None
    tier: str | None
    """Which one held it."""
    notices: tuple[Notice, ...] = ()
    """Tiers that had to be left out, each told once a process."""

    def __bool__(self) -> bool:
        return self.answer is not None


class Storing(NamedTuple):
    """What came of storing an answer; true where it will outlive this process."""

    is_kept: bool
    notices: tuple[Notice, ...] = ()
    """As in LookUp."""

    def __bool__(self) -> bool:
        return self.is_kept


class Cache:
    """Answers under keys, in memory, on disk and on a shared server. Safe to use from many threads and many processes."""

    def __init__(
        self,
        folder: Path,
        settings: CacheSettings,
        *,
        clock: Clock,
        server: RedisServer | None = None,
        own_accounts: Callable[[], Iterable[Account]] = tuple,
    ) -> None:
        """Touch nothing yet: files are made by the first `put`.

        `own_accounts` gives the accounts whose entries on `server` the commands are about.
        """
        self.path = folder
        self._clock = clock
        self._ttl_s = settings.ttl_s
        limits_s = {MemoryTier.name: settings.memory_ttl_s, SHARED: settings.redis_ttl_s}
        self._ttl_limits_s = {name: limit for name, limit in limits_s.items() if limit is not None}
        self.disk = DiskTier(folder, size_limit_bytes=settings.size_limit_bytes) if settings.disk else None
        self._local: list[Tier] = [self.disk] if self.disk else []
        if settings.memory_entries > 0:
            memory = MemoryTier(max_entries=settings.memory_entries, max_bytes=MEMORY_BYTES, clock=clock)
            self._local.insert(0, memory)
        self._server = server
        self._own_accounts = own_accounts
        self._lock = Lock()
        self._rests = Rests(clock)
        self._left_out: list[Notice] = []
        self._tallies: dict[tuple[date, str, str], Tally] = {}

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the engine's side: never raises for a cache that fails -----------------------------------------------------

    def get(
        self, key: str, account: Account | None = None, patience: Patience | None = None, *, is_counted: bool = True, asks_disk: bool = True
    ) -> LookUp:
        """Return the answer and the tier that held it; tiers above get it for the time that is left.

        `account` gives the key that would pay for the answer; without it, and without a namespace, no server is asked.
        `is_counted` False: somebody only wants to know. `asks_disk` False: `on_disk` has just found nothing.
        `patience` is what the request has lost to the server so far.
        """
        above, notices = list[Tier](), list[Notice]()
        for tier in self._tiers(account, patience):
            is_passed = tier is self.disk and not asks_disk
            text = None if is_passed else self._rests.use(tier, partial(tier.get, key), notices)
            answer = decode(text, key) if text is not None else None
            if answer is None or text is None or not self._is_served(answer):
                above.append(tier)
                continue
            self._put_text(above, key, text, notices, ttl_s=self.left_s(answer), label=answer.model)
            if is_counted:
                self.count_answer(answer, tier.name)
            return LookUp(answer, tier.name, tuple(notices))
        return LookUp(None, None, tuple(notices))

    def put(
        self, key: str, answer: CachedAnswer, ttl_s: float | None = None, account: Account | None = None, patience: Patience | None = None
    ) -> Storing:
        """Store an answer from now on, for `ttl_s` (None: the cache's own).

        Raises ValueError for an answer that is not complete, or whose document does not belong to `key`.
        """
        if cache_key(answer.document) != key:
            raise ValueError("the key is not that of the answer's document")
        ttl_s = self._ttl_s if ttl_s is None else ttl_s
        text = encode(answer._replace(stored_at=self._clock.now(), ttl_s=ttl_s))
        if ttl_s <= 0:
            return Storing(is_kept=False)
        self.count_answer(answer, "bought")
        notices: list[Notice] = []
        is_kept = self._put_text(self._tiers(account, patience), key, text, notices, ttl_s=ttl_s, label=answer.model)
        return Storing(is_kept, tuple(notices))

    def on_disk(self, key: str) -> tuple[CachedAnswer, float] | None:
        """Return the answer that stands on this machine's disk and when its row was written; None where there is none.

        A disk that cannot be used is None too; `get`, which is asked then, says so.
        """
        found = self._rests.use(self.disk, partial(self.disk.stored_at, key), None) if self.disk else None
        answer = decode(found[0], key) if found else None
        return (answer, found[1]) if found and answer and self._is_served(answer) else None

    def served_between(self, answer: CachedAnswer) -> tuple[float, float]:
        """Say between which instants (seconds since the epoch) an answer is served: before the first it is of a wrong clock."""
        return answer.stored_at.timestamp() - CLOCK_SKEW_S, answer.expires_at.timestamp()

    def restore(self, key: str, answer: CachedAnswer) -> None:
        """Put an entry back as it is, with the time it has left, on this machine's own tiers; nothing is counted."""
        with self._admin():
            for tier in self._local:
                tier.put(key, encode(answer), ttl_s=self.left_s(answer), label=answer.model)

    def locks_of(
        self, key: str, account: Account | None = None, patience: Patience | None = None
    ) -> Iterator[Callable[[int], KeyLock]]:
        """Yield the locks of which one asker of `key` has to hold a place, the machine's own first."""
        from deepsel.cache.locks import FileLock, place_name

        yield lambda number: FileLock(self.locks_folder, place_name(key, number), clock=self._clock)
        server = self._server
        scope = server.scope(account) if server else None
        if server and scope:
            from deepsel.cache.redis_tier import LeaseLock

            yield lambda number: LeaseLock(server, scope, place_name(key, number), patience)

    def close(self) -> None:
        """Write the tallies and give back files and connections."""
        self._flush_tallies()
        for tier in self._local:
            tier.close()
        if self._server:
            self._server.close()

    # --- the commands' side: a cache that fails is a ConfigError ----------------------------------------------------

    def own_tiers(self) -> list[Tier]:
        """List the tiers with their own entries, upper first; the server as one tier a scope, left out where it fails."""
        server = self._server
        if server is None:
            return self._local
        from deepsel.cache.redis_tier import RedisTier

        scopes = dict.fromkeys(map(server.scope, (None, *self._own_accounts())))
        shared = [RedisTier(server, scope) for scope in scopes if scope]
        return [*self._local, *(tier for tier in shared if self._rests.use(tier, tier.is_listed, self._left_out))]

    @property
    def left_out(self) -> list[Notice]:
        """Say which tiers the commands' side has left out so far, and why."""
        return list(self._left_out)

    def stats(self) -> tuple[list[TierStats], list[Tally]]:
        """Say what each tier holds, upper tiers first, and what the cache did, by day, model and tier."""
        self._flush_tallies()
        with self._admin():
            found = [self._done(tier, tier.stats) for tier in self.own_tiers()]
            tallies, notices = self.disk.tallies() if self.disk else Told([])
            self._left_out += notices
            return [one for one in found if one is not None], tallies or []

    def entries(self, **selector: Unpack[Selector]) -> Iterator[Entry]:
        """Yield readable entries, newest first in each tier, each key once."""
        from deepsel.cache.selecting import selection

        is_meant = selection(selector, now=self._clock.now())
        seen: set[str] = set()
        with self._admin():
            for tier in self.own_tiers():
                for stored in self._done(tier, partial(tier.items, selector.get("model"))) or ():
                    entry = self.entry_of(tier, stored)
                    if entry is not None and entry.key not in seen and is_meant(entry.answer):
                        seen.add(entry.key)
                        yield entry

    def show(self, key: str) -> Entry:
        """Find an entry by its key or an unambiguous beginning of it; raises UsageError."""
        head = f"k{KEY_FORMAT}-"
        prefix = key if key.startswith(head) else head + key
        with self._admin():
            tiers = self.own_tiers()
            keys = sorted({found for tier in tiers for found in tier.keys(prefix)})
            if len(keys) > 1 and prefix not in keys:
                raise UsageError(f"`{key}` is the beginning of several keys", f"give more of it: {', '.join(keys[:3])}")
            wanted = prefix if prefix in keys else keys[0] if keys else prefix
            for tier in tiers:
                text = tier.get(wanted)
                entry = None if text is None else self.entry_of(tier, Stored(wanted, text, len(text.encode("utf-8"))))
                if entry is not None:
                    return entry
        raise UsageError(f"no cached answer has the key `{key}`", "`deepsel cache list` shows the keys")

    def clear(self, *, all_entries: bool = False, **selector: Unpack[Selector]) -> int:
        """Remove what is selected, expired entries included; return how many. Raises UsageError without a selector."""
        has_selector = any(value is not None for value in selector.values())
        if has_selector == all_entries:
            what = "`--all` stands alone" if has_selector else "nothing says what to remove"
            raise UsageError(what, "give `--model`, `--provider`, `--match` or `--older-than`, or `--all`")
        with self._admin():
            if all_entries:
                return max((self._done(tier, tier.clear) or 0 for tier in self.own_tiers()), default=0)
            keys = [entry.key for entry in self.entries(**selector)]
            for tier in self.own_tiers():
                self._done(tier, partial(tier.delete, keys))
            return len(keys)

    def _done(self, tier: Tier, action: Callable[[], _T]) -> _T | None:
        """Do something with a tier; None where that is a server that refuses it, which is left out with a notice."""
        return action() if tier in self._local else self._rests.use(tier, action, self._left_out)

    def entry_of(self, tier: Tier, stored: Stored) -> Entry | None:
        """Make what a tier holds readable; None where it cannot be."""
        answer = decode(stored.text, stored.key)
        if answer is None:
            return None
        return Entry(stored.key, answer, stored.size_bytes, tier.name, self.left_s(answer))

    def left_s(self, answer: CachedAnswer) -> float:
        """Return the seconds an answer may still be served."""
        return (answer.expires_at - self._clock.now()).total_seconds()

    def _is_served(self, answer: CachedAnswer) -> bool:
        """Tell whether an answer has time left, and none that only a wrong clock can have given it."""
        begins_at, ends_at = self.served_between(answer)
        return begins_at <= self._clock.now().timestamp() < ends_at

    @property
    def locks_folder(self) -> Path:
        """The folder of the locks by which one process asks for all."""
        return self.path / "turns"

    def count(self, tally: Tally) -> None:
        """Count in memory, so that a look-up itself writes nothing; `close` hands it on."""
        name = (tally.day, tally.model, tally.tier)
        with self._lock:
            before = self._tallies.get(name) or Tally(*name, answers=0, usd=Decimal(0), unpriced=0)
            self._tallies[name] = before.plus(tally)

    # --- within -----------------------------------------------------------------------------------------------------

    def _tiers(self, account: Account | None, patience: Patience | None) -> Iterator[Tier]:
        """Yield the tiers of a request, upper first; whose it is on the server is found out only when it is needed."""
        yield from self._local
        scope = self._server.scope(account) if self._server else None
        if self._server and scope:
            from deepsel.cache.redis_tier import RedisTier

            yield RedisTier(self._server, scope, patience)

    def _put_text(
        self, tiers: Iterable[Tier], key: str, text: str, notices: list[Notice], *, ttl_s: float, label: str
    ) -> bool:
        """Store in some tiers, upper first; tell whether one took it that outlives the process."""
        is_kept = False
        for tier in tiers:
            tier_ttl_s = min(ttl_s, self._ttl_limits_s.get(tier.name, ttl_s))
            stored = self._rests.use(tier, partial(tier.put, key, text, ttl_s=tier_ttl_s, label=label), notices)
            is_kept = is_kept or (bool(stored) and tier.name != MemoryTier.name)
        return is_kept

    def count_answer(self, answer: CachedAnswer, tier: str) -> None:
        """Count one answer."""
        usd = answer.cost_usd
        self.count(Tally(self._clock.now().date(), answer.model, tier, 1, usd or Decimal(0), unpriced=int(usd is None)))

    def _flush_tallies(self) -> None:
        """Hand what was counted to the disk, which keeps it."""
        with self._lock:
            tallies, self._tallies = self._tallies, {}
        if tallies and self.disk and not self._rests.is_resting(self.disk):
            self.disk.add_tallies(tallies.values())

    @contextmanager
    def _admin(self) -> Iterator[None]:
        """Turn a failing tier into an error for the person who asked about it."""
        try:
            yield
        except CacheUnavailable as error:
            hint = REPAIR if isinstance(error, CacheCorrupt) else f"check the folder's permissions and free space, or {OTHER_HOME}"
            if isinstance(error, CacheResting):
                hint = "check `redis_url` and the server"
            raise ConfigError(f"the cache cannot be used: {error}", hint) from error

