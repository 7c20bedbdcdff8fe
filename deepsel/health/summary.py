"""Adds observations up for reports: counts, tokens, spend, quantiles, errors, cache; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from deepsel.health.log import Observation
from deepsel.health.percentiles import quantile
from deepsel.records import NamedTuple
from deepsel.storage.amounts import usd

By: TypeAlias = Literal["model", "provider", "profile", "client", "day"]
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_KEYS: Mapping[By, Callable[[Observation], str]] = {
    "model": lambda one: one.model,
    "provider": lambda one: one.provider,
    "profile": lambda one: one.profile,
    "client": lambda one: one.client or "-",
    "day": lambda one: str(datetime.fromtimestamp(one.at, UTC).date()),
}


class TrafficGroup(NamedTuple):
    """What some observations add up to."""

    key: str
    requests: int
    """First attempts and hits: what a person asked."""
    attempts: int
    """Calls that were made: fall-backs and repetitions too."""
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    """Of calls, not of hits."""
    spend_usd: Decimal
    """Those of unknown cost aside."""
    unknown_costs: int
    """Calls whose cost is unknown."""
    ttft_s: Mapping[str, float | None]
    """p50, p95 and p99."""
    total_s: Mapping[str, float | None]
    cancelled: int
    """Calls that the user ended: no errors, and in no error rate."""
    errors: Mapping[str, int]
    """Class to calls, most first."""
    lookups: int
    """Requests for which the cache was asked."""
    hits: int
    saved_usd: Decimal
    """What hits once cost, those of unknown cost aside."""
    timeline: tuple[int, ...]
    """Requests in each of the equal parts of the time reported on."""

    @property
    def error_rate(self) -> float | None:
        """Return the share of calls that failed, those that the user ended aside; None of no calls."""
        ended = self.attempts - self.cancelled
        return sum(self.errors.values()) / ended if ended else None

    @property
    def hit_rate(self) -> float | None:
        """Return the share of look-ups that hit; None of no look-ups."""
        return self.hits / self.lookups if self.lookups else None


def group(rows: Sequence[Observation], by: By, *, since: float, until: float, parts: int) -> list[TrafficGroup]:
    """Add rows up by what they have in common; the most requested first, days in their order."""
    sorted_in: dict[str, list[Observation]] = {}
    for row in rows:
        sorted_in.setdefault(_KEYS[by](row), []).append(row)
    groups = [total(found, key, since=since, until=until, parts=parts) for key, found in sorted_in.items()]
    return sorted(groups, key=lambda one: one.key if by == "day" else (-one.requests, -one.attempts, one.key))


def total(rows: Sequence[Observation], key: str = "", *, since: float, until: float, parts: int) -> TrafficGroup:
    """Add all rows up."""
    calls = [row for row in rows if row.outcome != "hit"]
    ended = [row for row in calls if row.outcome != "cancelled"]
    firsts = [row for row in rows if row.number == 1]
    lookups = [row for row in firsts if row.cache_status != "off" and row.task != "warm"]
    hits = [row for row in rows if row.outcome == "hit"]
    return TrafficGroup(
        key=key,
        requests=len(firsts),
        attempts=len(calls),
        input_tokens=sum(row.input_tokens or 0 for row in calls),
        cached_input_tokens=sum(row.cached_input_tokens or 0 for row in calls),
        output_tokens=sum(row.output_tokens or 0 for row in calls),
        spend_usd=_sum(row.cost_picousd for row in calls),
        unknown_costs=sum(row.cost_picousd is None for row in calls),
        ttft_s=_quantiles(row.ttft_s for row in calls),
        total_s=_quantiles(row.total_s for row in ended),
        cancelled=len(calls) - len(ended),
        errors=dict(Counter(row.error_class or "unknown" for row in calls if row.outcome == "failed").most_common()),
        lookups=len(lookups),
        hits=len(hits),
        saved_usd=_sum(row.saved_picousd for row in hits),
        timeline=_timeline([row.at for row in firsts], since=since, until=until, parts=parts),
    )


def _sum(amounts: Iterable[int | None]) -> Decimal:
    return usd(sum(amount for amount in amounts if amount is not None)) or Decimal(0)


def _quantiles(values: Iterable[float | None]) -> dict[str, float | None]:
    known = [value for value in values if value is not None]
    return {name: quantile(known, share) for name, share in SHARES.items()}


def _timeline(instants: Iterable[float], *, since: float, until: float, parts: int) -> tuple[int, ...]:
    """Count instants in equal parts of a span; what lies outside counts in the nearest part."""
    counts = [0] * parts
    span = max(until - since, 1e-9)
    for instant in instants:
        counts[min(parts - 1, max(0, int((instant - since) / span * parts)))] += 1
    return tuple(counts)
