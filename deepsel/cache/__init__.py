"""The answer cache: identity of a request, the record that is kept, and the tiers that keep it; hands names on only."""

from __future__ import annotations

from deepsel.cache.entry import CachedAnswer, Entry
from deepsel.cache.key import cache_key, canonical_json, key_document
from deepsel.cache.locks import LEASE_S, KeyLock, LockAttempt
from deepsel.cache.redis_server import Account, Patience, RedisServer
from deepsel.cache.selecting import Selector
from deepsel.cache.store import Cache
from deepsel.cache.tier import Tally, TierStats

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
