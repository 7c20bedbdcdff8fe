"""Figures that only an estimate has, shared by its exports for people."""

from __future__ import annotations

from decimal import Decimal

from deepsel.estimate.records import CostRow
from deepsel.values import Source


def tokens(row: CostRow) -> str:
    """Write a row's input tokens; a tilde before an estimate."""
    return f"{'~' if row.source is Source.ESTIMATED else ''}{row.input_tokens:,}"


def growth(before: Decimal, after: Decimal) -> str:
    """Write a change in percent; `new` and `gone` where one side is nothing."""
    if before == after:
        return "0 %"
    if not before:
        return "new"
    return "gone" if not after else f"{(after - before) * 100 / before:+,.0f} %"


def factor(value: float | None) -> str:
    """Write a premium: `1.82x`; a dash for None."""
    return "-" if value is None else f"{value:.2f}x"


def remark(row: CostRow) -> list[str]:
    """List what stands out about a row: its price's label, a window that is too small, why its price is unknown."""
    notes = [row.price_label, "too large for its window" if row.fits_window is False else "", row.reason]
    return [note for note in notes if note]
