"""Figures that only an estimate has, shared by its exports for people."""

from __future__ import annotations

from decimal import Decimal

from deepsel.estimate.records import CostRow, Report
from deepsel.show.money import usd
from deepsel.values import Source

_BOUNDS = {Source.AT_MOST: "≤", Source.AT_LEAST: "≥"}
_MARKS = {Source.ESTIMATED: "~", **_BOUNDS}


def tokens(row: CostRow) -> str:
    """Write a row's input tokens, with a mark before what is no count: an estimate, the most, the least."""
    return f"{_MARKS.get(row.source, '')}{row.input_tokens:,}"


def bound(row: CostRow) -> str:
    """Mark a row whose figures are the most or the least; empty for the others."""
    return _BOUNDS.get(row.source, "")


def cost(row: CostRow) -> str:
    """Write what a row costs in all."""
    return usd(row.total_usd) if row.total_usd is None else bound(row) + usd(row.total_usd)


def marks(report: Report) -> list[str]:
    """Explain, in sentences, what pictures and files make of the figures."""
    rows = [*report.totals, *report.rows]
    sources = {row.source for row in rows}
    said = []
    if any(one.media.pictures for one in report.reading.inputs):
        said.append("Pictures are counted by the rules that makers publish; a bill may differ by a token each.")
    if Source.AT_MOST in sources:
        said.append("≤ marks the most it can be: the size of a picture is not known, or its maker's rule leaves it open.")
    if Source.AT_LEAST in sources:
        said.append("≥ marks the least it can be: not in it are files, and pictures where no rule of the model is known.")
    if report.change is not None and report.change.reason:
        said.append(f"The change may cost more than shown: {report.change.reason}.")
    return said


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
