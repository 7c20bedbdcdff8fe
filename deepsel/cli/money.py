"""Amounts and counts as people read them."""

from __future__ import annotations

from decimal import Decimal


def usd(amount: Decimal | None) -> str:
    """Write an amount: cents and above with four decimals at most, below that to two significant digits; `unknown` for None."""
    if amount is None:
        return "unknown"
    if amount == 0:
        return "$0"
    places = 4 if amount >= Decimal("0.01") else max(4, 1 - amount.adjusted())
    text = f"{amount:.{places}f}"
    whole, _, decimals = text.partition(".")
    return f"${int(whole):,}.{decimals.rstrip('0').ljust(2, '0')}"


def per_million(price: Decimal | None) -> str:
    """Write a price per million tokens; a dash for unknown."""
    return "-" if price is None else f"{price.normalize():f}"


def count(number: int | None) -> str:
    """Write a count with separators; `?` for None."""
    return "?" if number is None else f"{number:,}"
