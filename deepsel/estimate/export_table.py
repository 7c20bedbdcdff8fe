"""A report as aligned plain text within 80 columns, with bars; no colour, so a pipe and a terminal see the same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from deepsel.estimate.figures import clipped, cut, factor, growth, padded, signed_usd, size, tokens, usd, width, wrapped
from deepsel.estimate.premium import premiums
from deepsel.estimate.records import Change, CostRow, Report
from deepsel.values import Source

COLUMNS = 80
_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588"
_MOST_NOTES = 8
_MOST_REASONS = 2
_LEAST_BAR = 6
_LONGEST_NAME = 24


def table(report: Report, *, has_blocks: bool) -> str:
    """Return the report as text that ends in a line feed; without `has_blocks`, bars are made of `#`."""
    parts = [_heading(report)]
    if report.change is not None:
        parts.append(_change_lines(report.change, has_blocks=has_blocks))
    elif not report.rows:
        parts.append(["Nothing was counted."])
    elif report.by == "model":
        parts.append(_model_lines(report.rows, has_blocks=has_blocks))
    else:
        parts.append(_group_lines(report, has_blocks=has_blocks))
        parts.append(_best_lines(report))
    parts.append(_footer(report))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def bar(share: float, columns: int, *, has_blocks: bool) -> str:
    """Draw a bar over at most so many columns; what is not nothing shows."""
    share = min(1.0, max(0.0, share))
    if not has_blocks:
        return "#" * max(1, round(share * columns)) if share else ""
    eighths = max(1, round(share * columns * 8)) if share else 0
    return (_EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


# --- the parts --------------------------------------------------------------------------------------------------------


def _heading(report: Report) -> list[str]:
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
    return wrapped(", ".join(facts), COLUMNS)


def _model_lines(rows: Sequence[CostRow], *, has_blocks: bool) -> list[str]:
    """Set one line a model."""
    cells = [("MODEL", "TOTAL", "TOKENS", "BATCH")]
    cells += [
        (row.model, usd(row.total_usd), tokens(row), usd(row.batch_usd) if row.batch_usd is not None else "-") for row in rows
    ]
    marks = ["", *("  too large" if row.fits_window is False else "" for row in rows)]
    return _aligned(cells, ["", *_shares([row.total_usd for row in rows])], marks, has_blocks=has_blocks)


def _group_lines(report: Report, *, has_blocks: bool) -> list[str]:
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
    cells += [(row.group, usd(row.total_usd), tokens(row), cut(row.model, _LONGEST_NAME)) for row in best]
    lines = _aligned(cells, ["", *_shares([row.total_usd for row in best])], [""] * len(cells), has_blocks=has_blocks)
    return lines + (["", *_premium_lines(report)] if report.by == "language" else [])


def _premium_lines(report: Report) -> list[str]:
    """Set the premium of each language in each vocabulary, as many as fit."""
    table_ = premiums(report.reading)
    names = sorted({name for row in table_.values() for name in row})
    if not names:
        return []
    wide = [max(6, len(_short(name))) for name in names]
    while sum(wide) + 2 * len(wide) + 10 > COLUMNS:
        wide.pop()
    lines = ["Tokens for the same content, over English:", ""]
    lines.append("  ".join(["LANGUAGE", *(_short(name).rjust(w) for name, w in zip(names, wide, strict=False))]))
    for language, row in table_.items():
        values = [factor(row.get(name)).rjust(w) for name, w in zip(names, wide, strict=False)]
        lines.append("  ".join([padded(language, 8), *values]))
    return lines


def _best_lines(report: Report) -> list[str]:
    """Say what the whole costs on the cheapest model."""
    name = report.cheapest.get("")
    row = next((row for row in report.totals if row.model == name), None)
    return [] if row is None else [cut(f"All together, cheapest on {row.model}: {usd(row.total_usd)}", COLUMNS)]


def _change_lines(change: Change, *, has_blocks: bool) -> list[str]:
    """Set one line a changed file, largest growth first, and the sum."""
    if not change.files:
        return ["No changed text."]
    every = [*change.files, ("total", change.before_usd, change.after_usd)]
    cells = [("FILE", "BEFORE", "AFTER", "CHANGE", "")]
    cells += [
        (path, usd(before), usd(after), signed_usd(after - before), growth(before, after)) for path, before, after in every
    ]
    shares = _shares([abs(after - before) for _, before, after in change.files])
    return _aligned(cells, ["", *shares, ""], [""] * len(cells), has_blocks=has_blocks)


def _footer(report: Report) -> list[str]:
    """Write notes on rows, assumptions and prices."""
    notes = [] if report.change is not None else _row_notes(report)
    model = f" on {report.change.model}, text alone" if report.change is not None else ""
    notes.append(f"Prices in USD{model}, as of {report.prices_as_of or 'an unknown day'}, at {report.at:%Y-%m-%d %H:%M %Z}.")
    notes.append("Assumed: " + "; ".join(report.assumptions.values()) + ".")
    if any(row.source is Source.ESTIMATED for row in report.totals):
        notes.append(_estimates(report))
    if any(row.input_tokens_high is not None for row in report.totals):
        notes.append(_sampled(report))
    for skipped in report.reading.skipped[:_MOST_NOTES]:
        notes.append(f"Skipped {cut(skipped.path, 50)}: {skipped.reason}.")
    if len(report.reading.skipped) > _MOST_NOTES:
        notes.append(f"Skipped {len(report.reading.skipped) - _MOST_NOTES:,} more (--format json lists them).")
    return [line for note in notes for line in wrapped(note, COLUMNS, indent="  ")]


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
    cells: Sequence[tuple[str, ...]], shares: Sequence[float | str], marks: Sequence[str], *, has_blocks: bool
) -> list[str]:
    """Align columns: the first to the left and cut to fit, figures to the right, names to the left, then a bar."""
    widths = [max(width(line[column]) for line in cells) for column in range(1, len(cells[0]))]
    taken = sum(widths) + 2 * len(widths)
    first = min(max(width(line[0]) for line in cells), max(8, COLUMNS - taken - _LEAST_BAR - 2))
    room = COLUMNS - first - taken - 2
    lines = []
    for line, share, mark in zip(cells, shares, marks, strict=True):
        shown = [padded(cut(line[0], first), first)]
        for column, (text, columns) in enumerate(zip(line[1:], widths, strict=True), start=1):
            is_name = cells[0][column] == "CHEAPEST"
            shown.append(padded(text, columns) if is_name else text.rjust(columns))
        drawn = mark or ("" if isinstance(share, str) or room < 1 else "  " + bar(share, room, has_blocks=has_blocks))
        lines.append(clipped("  ".join(shown) + drawn, COLUMNS))
    return lines


def _shares(amounts: Sequence[Decimal | None]) -> list[float]:
    """Return each amount over the largest."""
    largest = max((amount for amount in amounts if amount is not None), default=Decimal(0))
    return [float(amount / largest) if amount and largest else 0.0 for amount in amounts]


def _short(vocabulary: str) -> str:
    """Shorten a vocabulary's name for a column's head."""
    return vocabulary.removesuffix("_base")
