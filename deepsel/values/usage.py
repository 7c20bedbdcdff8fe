"""Tokens of one call and what they cost."""

from __future__ import annotations

from decimal import Decimal

from deepsel.records import NamedTuple
from deepsel.values.rows import PriceRule
from deepsel.values.words import Source

MAX_TOKENS = 10**12
"""No call has more; a larger number is a mistake."""


class Usage(NamedTuple):
    """Tokens of one call in disjoint buckets; their sum is the provider's own total. None: not reported."""

    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write_short: int | None = None
    cache_write_long: int | None = None
    output_visible: int | None = None
    output_reasoning: int | None = None
    source: Source = Source.REPORTED

    @property
    def input_tokens(self) -> int | None:
        """Everything that was read: uncached, cached and written to a cache."""
        return _sum(self.input_uncached, self.cache_read, self.cache_write_short, self.cache_write_long)

    def after(self, earlier: Usage | None) -> Usage:
        """Return what is known once this report has followed `earlier`: zeros, and what is missing, take nothing back."""
        if earlier is None:
            return self
        read = earlier if earlier.input_tokens and not self.input_tokens else self
        written = earlier if earlier.output_tokens and not self.output_tokens else self
        return Usage(*read[:4], *written[4:6], source=self.source)

    @property
    def cache_write_tokens(self) -> int | None:
        """Written to a provider's cache, short and long."""
        return _sum(self.cache_write_short, self.cache_write_long)

    @property
    def output_tokens(self) -> int | None:
        """Everything that was written, reasoning included."""
        return _sum(self.output_visible, self.output_reasoning)


def _sum(*parts: int | None) -> int | None:
    """Add what is known; None where nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


class Bill(NamedTuple):
    """What a call costs by the price table."""

    total_usd: Decimal | None
    """None: a price or a count that is needed is unknown; `reason` names it."""
    input_usd: Decimal | None = None
    output_usd: Decimal | None = None
    rule: PriceRule | None = None
    reason: str = ""
