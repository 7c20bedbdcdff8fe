"""Money as stores keep it: whole millionths of a millionth of a dollar (`picousd`), so that sums are exact; pure."""

from __future__ import annotations

from decimal import Decimal

from deepsel.dollars import MOST_USD

_PICO = Decimal(10) ** 12
MOST_PICOUSD = MOST_USD * 10**12
"""What a larger amount is kept as: it has to count, and a store has no room for it."""


def picousd(cost_usd: Decimal | None) -> int | None:
    """Turn USD into the stores' whole unit, at most MOST_PICOUSD; None stays unknown."""
    return None if cost_usd is None else int(min(cost_usd, Decimal(MOST_USD)) * _PICO)


def usd(amount: int | None) -> Decimal | None:
    """Turn the stores' whole unit into USD; None stays unknown."""
    return None if amount is None else Decimal(amount) / _PICO


def is_amount(value: object) -> bool:
    """Tell whether what a store holds is an amount that one keeps, and no other type, sign or size."""
    return type(value) is int and 0 <= value <= MOST_PICOUSD
