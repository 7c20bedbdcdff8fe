"""The answer cache: identity of a request, the record that is kept, and the tiers that keep it; hands names on only."""

from __future__ import annotations

TYPE_CHECKING = False  # for type checkers alone; each name is imported when it is first used

__all__ = [
    "LEASE_S",
    "Account",
    "Cache",
    "CachedAnswer",
    "Entry",
    "KeyLock",
    "LockAttempt",
    "Patience",
    "RedisServer",
    "Selector",
    "Tally",
    "TierStats",
    "cache_key",
    "canonical_json",
    "key_document",
]

if TYPE_CHECKING:
    from deepsel.cache.entry import CachedAnswer, Entry
    from deepsel.cache.key import cache_key, canonical_json, key_document
    from deepsel.cache.locks import LEASE_S, KeyLock, LockAttempt
    from deepsel.cache.patience import Patience
    from deepsel.cache.redis_server import Account, RedisServer
    from deepsel.cache.selecting import Selector
    from deepsel.cache.store import Cache
    from deepsel.cache.tier import Tally, TierStats
else:
    from deepsel.on_use import names_of

    __getattr__ = names_of(
        __name__,
        {
            "entry": "CachedAnswer Entry",
            "key": "cache_key canonical_json key_document",
            "locks": "LEASE_S KeyLock LockAttempt",
            "patience": "Patience",
            "redis_server": "Account RedisServer",
            "selecting": "Selector",
            "store": "Cache",
            "tier": "Tally TierStats",
        },
    )
