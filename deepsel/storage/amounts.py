"""Money as stores keep it: whole millionths of a millionth of a dollar (`picousd`), so that sums are exact; pure."""

from __future__ import annotations

from decimal import Decimal

_PICO = Decimal(10) ** 12


def picousd(cost_usd: Decimal | None) -> int | None:
    """Turn USD into the stores' whole unit; None stays unknown."""
    return None if cost_usd is None else int(cost_usd * _PICO)


def usd(amount: int | None) -> Decimal | None:
    """Turn the stores' whole unit into USD; None stays unknown."""
    return None if amount is None else Decimal(amount) / _PICO
