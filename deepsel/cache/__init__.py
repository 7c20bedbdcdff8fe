"""The answer cache: identity of a request, the record that is kept, and the tiers that keep it; hands names on only."""

from __future__ import annotations

from deepsel.cache.entry import CachedAnswer
from deepsel.cache.key import cache_key, canonical_json, key_document
from deepsel.cache.store import Cache, Entry
from deepsel.cache.tier import TierStats

__all__ = ["Cache", "CachedAnswer", "Entry", "TierStats", "cache_key", "canonical_json", "key_document"]
