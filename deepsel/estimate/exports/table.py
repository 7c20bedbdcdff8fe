"""A report as aligned plain text with bars; no colour, so a pipe sees what a terminal of 80 columns does."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from deepsel.estimate.exports.figures import cost, factor, growth, marks, tokens
from deepsel.estimate.pricing.premium import premiums
from deepsel.estimate.records import Change, CostRow, Report
from deepsel.show.bars import bar
from deepsel.show.columns import aligned
from deepsel.show.lines import clipped, cut, printable, width, wrapped
from deepsel.show.money import signed_usd, usd
from deepsel.show.numbers import size
from deepsel.show.screen import Screen
from deepsel.values import Source

_MOST_NOTES = 8
_MOST_REASONS = 2
_GAP = "  "
_LEAST_BAR = 6
_MOST_BAR = 60
_LONGEST_NAME = 24


def table(report: Report, screen: Screen) -> str:
    """Return the report as text that ends in a line feed."""
    parts = [_heading(report, screen)]
    if report.change is not None:
        parts.append(_change_lines(report.change, screen))
    elif not report.rows:
        parts.append(["Nothing was counted."])
    elif report.by == "model":
        parts.append(_model_lines(report.rows, screen))
    else:
        parts.append(_group_lines(report, screen))
        parts.append(_best_lines(report, screen))
    parts.append(_footer(report, screen))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


# --- the parts --------------------------------------------------------------------------------------------------------


def _heading(report: Report, screen: Screen) -> list[str]:
    """Say what was read."""
    inputs = report.reading.inputs
    pieces = [piece for one in inputs for piece in one.pieces]
    requests = sum(one.requests for one in inputs)
    facts = [
        f"{len(inputs):,} input{'s' if len(inputs) != 1 else ''}",
        size(sum(piece.size_bytes for piece in pieces)),
        f"{sum(piece.chars for piece in pieces):,} characters",
    ]
    if requests != len(inputs):
        facts.insert(1, f"{requests:,} requests")
    if report.reading.skipped:
        facts.append(f"{len(report.reading.skipped):,} skipped")
    return wrapped(", ".join(facts), screen.columns)


def _model_lines(rows: Sequence[CostRow], screen: Screen) -> list[str]:
    """Set one line a model."""
    cells = [("MODEL", "TOTAL", "TOKENS", "BATCH")]
    cells += [
        (row.model, cost(row), tokens(row), usd(row.batch_usd) if row.batch_usd is not None else "-") for row in rows
    ]
    marks = ["", *("  too large" if row.fits_window is False else "" for row in rows)]
    return _aligned(cells, ["", *_shares([row.total_usd for row in rows])], marks, screen)


def _group_lines(report: Report, screen: Screen) -> list[str]:
    """Set one line a group: its cheapest model, and what that costs."""
    groups: dict[str, list[CostRow]] = {}
    for row in report.rows:
        groups.setdefault(row.group, []).append(row)
    best = []
    for group, rows in groups.items():
        name = report.cheapest.get(group)
        best.append(next((row for row in rows if row.model == name), rows[0]))
    best.sort(key=lambda row: (row.total_usd is None, -(row.total_usd or 0), row.group))
    title = "FILE" if report.by == "file" else "LANGUAGE"
    cells = [(title, "COST", "TOKENS", "CHEAPEST")]
    cells += [(row.group, cost(row), tokens(row), cut(row.model, _LONGEST_NAME)) for row in best]
    lines = _aligned(cells, ["", *_shares([row.total_usd for row in best])], [""] * len(cells), screen)
    return lines + (["", *_premium_lines(report, screen)] if report.by == "language" else [])


def _premium_lines(report: Report, screen: Screen) -> list[str]:
    """Set the premium of each language in each vocabulary, as many as fit."""
    table_ = premiums(report.reading)
    names = sorted({name for row in table_.values() for name in row})
    if not names:
        return []
    rows = [("LANGUAGE", *(_short(name).rjust(6) for name in names))]
    rows += [(language, *(factor(row.get(name)) for name in names)) for language, row in table_.items()]
    while width(aligned(rows)[0]) > screen.columns and len(rows[0]) > 2:
        rows = [row[:-1] for row in rows]
    lines = [line.rstrip() for line in aligned(rows, right=range(1, len(rows[0])), columns=screen.columns)]
    return [clipped("Tokens for the same content, over English:", screen.columns), "", *lines]


def _best_lines(report: Report, screen: Screen) -> list[str]:
    """Say what the whole costs on the cheapest model."""
    name = report.cheapest.get("")
    row = next((row for row in report.totals if row.model == name), None)
    return [] if row is None else [cut(f"All together, cheapest on {row.model}: {cost(row)}", screen.columns)]


def _change_lines(change: Change, screen: Screen) -> list[str]:
    """Set one line a changed file, largest growth first, and the sum."""
    if not change.files:
        return ["No changed text."]
    every = [*change.files, ("total", change.before_usd, change.after_usd)]
    cells = [("FILE", "BEFORE", "AFTER", "CHANGE", "")]
    cells += [
        (path, usd(before), usd(after), signed_usd(after - before), growth(before, after)) for path, before, after in every
    ]
    shares = _shares([abs(after - before) for _, before, after in change.files])
    return _aligned(cells, ["", *shares, ""], [""] * len(cells), screen)


def _footer(report: Report, screen: Screen) -> list[str]:
    """Write notes on rows, assumptions and prices."""
    notes = [] if report.change is not None else _row_notes(report)
    model = f" on {report.change.model}, text and pictures alone" if report.change is not None else ""
    notes.append(f"Prices in USD{model}, as of {report.prices_as_of or 'an unknown day'}, at {report.at:%Y-%m-%d %H:%M %Z}.")
    notes.append("Assumed: " + "; ".join(report.assumptions.values()) + ".")
    if any(row.source is Source.ESTIMATED for row in report.totals):
        notes.append(_estimates(report))
    notes += marks(report)
    if any(row.input_tokens_high is not None for row in report.totals):
        notes.append(_sampled(report))
    for skipped in report.reading.skipped[:_MOST_NOTES]:
        notes.append(f"Skipped {cut(skipped.path, 50)}: {skipped.reason}.")
    if len(report.reading.skipped) > _MOST_NOTES:
        notes.append(f"Skipped {len(report.reading.skipped) - _MOST_NOTES:,} more (--format json lists them).")
    return [line for note in notes for line in wrapped(printable(note), screen.columns, indent="  ")]


def _row_notes(report: Report) -> list[str]:
    """Say where a price has hours, and why some are unknown."""
    notes = [
        f"{row.model}: {usd(row.peak_usd)} at peak hours, {usd(row.off_peak_usd)} off peak"
        + (f" (in force: {row.price_label})." if row.price_label else ".")
        for row in report.totals
        if row.peak_usd is not None
    ]
    unknown = [row for row in report.totals if row.total_usd is None]
    if len(unknown) > _MOST_REASONS:
        notes.append("Price unknown: " + ", ".join(row.model for row in unknown) + ".")
    else:
        notes += [f"{row.model}: {row.reason}." for row in unknown if row.reason]
    return notes


def _estimates(report: Report) -> str:
    """Name the vocabularies whose counts are estimates, with their errors."""
    named = {}
    for row in report.totals:
        if row.source is Source.ESTIMATED:
            error = "" if row.input_tokens_high is not None else " (error unknown)"
            error = error if row.error_pct is None else f" (± {row.error_pct:g} %)"
            named[row.vocabulary or "models of unknown vocabulary"] = error
    return "~ marks an estimate: " + ", ".join(name + error for name, error in named.items()) + "."


def _sampled(report: Report) -> str:
    """Say how much a sample read and how wide its widest interval is."""
    read = sum(p.size_bytes * one.read_share for one in report.reading.inputs for p in one.pieces)
    whole = sum(p.size_bytes for one in report.reading.inputs for p in one.pieces)
    widths = [
        50 * (row.input_tokens_high - row.input_tokens_low) / row.input_tokens
        for row in report.totals
        if row.input_tokens and row.input_tokens_low is not None and row.input_tokens_high is not None
    ]
    return f"A sample: {size(round(read))} of {size(whole)} was read; 95 % interval ± {max(widths, default=0):.2g} % of the tokens."


# --- setting lines ----------------------------------------------------------------------------------------------------


def _aligned(
    cells: Sequence[tuple[str, ...]], shares: Sequence[float | str], marks: Sequence[str], screen: Screen
) -> list[str]:
    """Align columns, the first cut to fit, figures to the right and names to the left; then a mark or a bar."""
    right = [place for place in range(1, len(cells[0])) if cells[0][place] != "CHEAPEST"]
    spare = _LEAST_BAR + len(_GAP)
    rows = [(printable(line[0]), *line[1:]) for line in cells]
    shown = aligned(rows, right=right, columns=screen.columns, flexible=0, spare=spare)
    room = min(_MOST_BAR, screen.columns - width(shown[0]) - len(_GAP))
    lines = []
    for text, share, mark in zip(shown, shares, marks, strict=True):
        drawn = mark
        if not mark and not isinstance(share, str) and room > 0:
            drawn = _GAP + bar(share, room, has_blocks=screen.has_blocks)
        lines.append(clipped(text + drawn, screen.columns))
    return lines


def _shares(amounts: Sequence[Decimal | None]) -> list[float]:
    """Return each amount over the largest."""
    largest = max((amount for amount in amounts if amount is not None), default=Decimal(0))
    return [float(amount / largest) if amount and largest else 0.0 for amount in amounts]


def _short(vocabulary: str) -> str:
    """Shorten a vocabulary's name for a column's head."""
    return vocabulary.removesuffix("_base")
