"""Which tiers have failed, how long each is left alone, and who is told; a failing tier costs a miss, never a request."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from deepsel.cache.tier import SHARED, CacheCorrupt, CacheResting, CacheUnavailable, Tier
from deepsel.clock import Clock
from deepsel.records import NamedTuple
from deepsel.values import Notice

FIRST_REST_S, LONGEST_REST_S = 30.0, 600.0
"""How long a tier that failed is left alone: at first, and at most; each failure doubles it."""
REPAIR = "`deepsel cache verify` saves what can be read, `deepsel cache clear --all` starts it afresh"
_T = TypeVar("_T")


class _Rest(NamedTuple):
    """A tier's rest."""

    ends_s: float
    """On the monotonic clock."""
    length_s: float


class Rests:
    """The tiers of one cache that are left alone. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._resting: dict[str, _Rest] = {}
        self._told: set[str] = set()

    def use(self, tier: Tier, action: Callable[[], _T], notices: list[Notice] | None) -> _T | None:
        """Do something with a tier; None where it cannot, or where it rests after it could not.

        The first failure of a tier in this process is added to `notices`. None: another one will ask at once and be told.
        """
        if not self._may_try(tier):
            return None
        try:
            done = action()
        except CacheUnavailable as error:
            if notices is not None:
                self._leave_out(tier, error, notices)
            return None
        if tier.name in self._resting:
            with self._lock:
                self._resting.pop(tier.name, None)
        return done

    def is_resting(self, tier: Tier) -> bool:
        """Tell whether a tier has failed and not worked since."""
        return tier.name in self._resting

    def _may_try(self, tier: Tier) -> bool:
        """Tell whether a tier may be used: after its rest one caller tries it while the others still go on without."""
        if tier.name not in self._resting:
            return True
        now_s = self._clock.monotonic()
        with self._lock:
            rest = self._resting.get(tier.name)
            if rest is not None and now_s >= rest.ends_s:
                self._resting[tier.name] = rest._replace(ends_s=now_s + rest.length_s)
        return rest is None or now_s >= rest.ends_s

    def _leave_out(self, tier: Tier, error: CacheUnavailable, notices: list[Notice]) -> None:
        """Leave a tier alone, unless it sees to that itself, and tell of it once."""
        advice = f"; {REPAIR}" if isinstance(error, CacheCorrupt) else ""
        with self._lock:
            if not isinstance(error, CacheResting):
                before = self._resting.get(tier.name)
                length_s = min(2 * before.length_s, LONGEST_REST_S) if before else FIRST_REST_S
                self._resting[tier.name] = _Rest(self._clock.monotonic() + length_s, length_s)
            if tier.name not in self._told:
                self._told.add(tier.name)
                message = f"the {tier.name} cache cannot be used and is left out: {error}{advice}"
                notices.append(Notice("shared_cache_unavailable" if tier.name == SHARED else "cache_unavailable", message))
