"""What every tier of the cache can do, and how it says that it cannot; imports nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Protocol

from deepsel.records import NamedTuple

SHARED = "redis"
"""The name of the tier on a shared server, known also to a process that talks to none."""


class CacheUnavailable(Exception):
    """A tier cannot work; internal to the cache, which turns it into a miss and a warning. Its text is the reason."""


class CacheCorrupt(CacheUnavailable):
    """A tier's file is damaged or was tampered with; emptying the tier repairs it."""


class CacheResting(CacheUnavailable):
    """A tier cannot be reached at the moment and is tried again by itself later."""


class Stored(NamedTuple):
    """One entry as a tier holds it."""

    key: str
    text: str
    size_bytes: int


class TierStats(NamedTuple):
    """What a tier holds."""

    name: str
    entries: int
    """Expired ones included that have not been removed yet."""
    size_bytes: int
    size_limit_bytes: int | None
    """None: none, or unknown."""


class Tally(NamedTuple):
    """What the cache did for one model on one day."""

    day: date
    """In UTC."""
    model: str
    tier: str
    """Where the answers came from: memory, disk, redis; `bought`: from the provider, and were stored."""
    answers: int
    usd: Decimal
    """What they did cost when they were bought: saved by hits, spent where bought. Unknown costs are left out."""
    unpriced: int
    """Of `answers`, those whose cost is unknown."""

    def plus(self, other: Tally) -> Tally:
        """Add another one of the same day, model and tier."""
        return self._replace(
            answers=self.answers + other.answers, usd=self.usd + other.usd, unpriced=self.unpriced + other.unpriced
        )


class Tier(Protocol):
    """A place for texts under keys. Any method may raise CacheUnavailable.

    A tier may forget any entry at any time. It may return one that has expired: the truth stands in the text.
    """

    @property
    def name(self) -> str:
        """Return the name people see: memory, disk, redis."""

    def get(self, key: str) -> str | None:
        """Return the text under `key`."""

    def put(self, key: str, text: str, *, ttl_s: float, label: str) -> bool:
        """Store a text for `ttl_s` seconds, in place of what is there; `label` groups entries (the model's name).

        Returns False where the text is larger than the tier.
        """

    def keys(self, prefix: str) -> list[str]:
        """List a few keys that begin with `prefix`, in order."""

    def items(self, label: str | None = None) -> Iterator[Stored]:
        """Yield entries, newest first; where a label is given a tier may leave out those of others."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove entries; a key that is not there is passed over."""

    def clear(self) -> int:
        """Remove everything, damaged entries too; return how many there were."""

    def stats(self) -> TierStats:
        """Say what is held."""

    def close(self) -> None:
        """Give back files and connections; the tier may be used again."""
