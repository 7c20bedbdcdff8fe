"""Amounts of USD as they come from outside: one reader, so that none is negative, endless, or more than anybody pays; pure."""

from __future__ import annotations

import re
from decimal import Decimal

MOST_USD = 10**6
"""No call or price is larger; more is a mistake, and no sum of such amounts outgrows what a store can hold."""
MOST_BUDGET_USD = 10**9
"""A budget is only compared with sums: one that is larger than anybody's spend is a way to say that there is no end."""
DECIMALS = 12
_FLOAT_DIGITS = 15
_LONGEST = 60
_FORM = re.compile(r"\$?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_SMALLEST = Decimal(1).scaleb(-DECIMALS)


def read_usd(value: object, *, most: int = MOST_USD, is_exact: bool = False) -> Decimal | None:
    """Read a number, or text in ASCII digits with or without its sign, from 0 to `most`; None for anything else.

    It is rounded to DECIMALS, and to the digits a float has right, as sums of floats want it (0.0000123 comes as
    1.2300000000000002e-05); with `is_exact` one that has more decimals is None.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int):
        return Decimal(value) if 0 <= value <= most else None
    written = repr(value) if isinstance(value, float) else value.strip()
    if len(written) > _LONGEST or not _FORM.fullmatch(written):
        return None
    money = Decimal(written.removeprefix("$"))
    if money > most:
        return None
    if isinstance(value, float) and not is_exact:
        money = Decimal(f"{money:.{_FLOAT_DIGITS}g}")
    if int(money.as_tuple().exponent) >= -DECIMALS:
        return money
    rounded = money.quantize(_SMALLEST).normalize()
    return None if is_exact and rounded != money else rounded
