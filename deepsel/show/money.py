"""Dollars as they are written: rounded in tables and sentences, exact where a limit is named, bare in records.

Whatever the precision, there are two decimals at least, no zeros after them that say nothing, and never an exponent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

_DIGITS = 4
_CENT = 2


def usd(amount: Decimal | None) -> str:
    """Write money to four significant digits, to the cent at least: `$0.00123`, `$12.35`; `unknown` for None."""
    if amount is None:
        return "unknown"
    return _spelled(amount, max(_CENT, _DIGITS - 1 - amount.adjusted()))


def exact_usd(amount: Decimal) -> str:
    """Write money with all its digits: for a limit and what is held against it."""
    return _spelled(amount, max(_CENT, -int(amount.as_tuple().exponent)))


def signed_usd(amount: Decimal) -> str:
    """Write a difference of money with its sign; nothing has none."""
    return f"+{usd(amount)}" if amount > 0 else usd(amount)


def decimal_text(amount: Decimal | None) -> str:
    """Write an amount as a record and a spreadsheet have it: every digit it was given, no unit; empty for None."""
    return "" if amount is None else f"{amount:f}"


def per_million(price: Decimal | None) -> str:
    """Write a price per million tokens, which stands in a column that names its unit; a dash for unknown."""
    return "-" if price is None else f"{price.normalize():f}"


def _spelled(amount: Decimal, places: int) -> str:
    """Write money rounded to so many decimals."""
    if not amount:
        return "$0"
    whole, _, decimals = f"{amount.copy_abs():,.{places}f}".partition(".")
    return f"{'-' if amount < 0 else ''}${whole}.{decimals[:_CENT]}{decimals[_CENT:].rstrip('0')}"
