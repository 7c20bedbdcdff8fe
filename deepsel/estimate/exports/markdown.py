"""A report as Markdown: a table for a README, or the comment on a pull request where it is of a change."""

from __future__ import annotations

from collections.abc import Sequence

from deepsel.estimate.exports.figures import cost, factor, growth, marks, remark, tokens
from deepsel.estimate.records import Change, CostRow, Report
from deepsel.show.markdown import code, escape, table
from deepsel.show.money import signed_usd, usd

_MOST_LINES = 100
"""Of one table: a comment on GitHub holds 65,536 characters."""
_NAMES = ("Note", "Cheapest")
"""Columns of words."""


def markdown(report: Report) -> str:
    """Return the report as GitHub-flavoured Markdown that ends in a line feed."""
    blocks = [_change(report.change) if report.change is not None else _costs(report), _notes(report)]
    return "\n\n".join(blocks) + "\n"


def _change(change: Change) -> str:
    """Write the headline of a change and a line for each file."""
    if not change.files:
        return "**Prompt cost: no changed text**"
    total = growth(change.before_usd, change.after_usd)
    head = f"**Prompt cost: {signed_usd(change.delta_usd)} ({total}) on {escape(change.model)}**"
    rows = [
        (code(path), usd(before), usd(after), signed_usd(after - before), growth(before, after))
        for path, before, after in change.files
    ]
    last = ("**total**", usd(change.before_usd), usd(change.after_usd), signed_usd(change.delta_usd), total)
    return f"{head}\n\n{_table(('File', 'Before', 'After', 'Change', ''), rows, last=last)}"


def _costs(report: Report) -> str:
    """Write a line for each model; for each group on its cheapest model where the rows are grouped."""
    if report.by == "model":
        rows = [
            (code(row.model), cost(row), tokens(row), usd(row.input_usd), usd(row.output_usd), _remark(row))
            for row in report.rows
        ]
        return _table(("Model", "Total", "Input tokens", "Input", "Output", "Note"), rows)
    best = [row for row in report.rows if row.model == report.cheapest.get(row.group)]
    rows_ = [
        (code(row.group), cost(row), tokens(row), factor(row.premium_vs_english), code(row.model)) for row in best
    ]
    title = "File" if report.by == "file" else "Language"
    return _table((title, "Cost", "Input tokens", "Over English", "Cheapest"), rows_)


def _remark(row: CostRow) -> str:
    """Say what stands out about a row."""
    notes = remark(row)
    if row.peak_usd is not None:
        notes.insert(1 if row.price_label else 0, f"{usd(row.peak_usd)} at peak hours, {usd(row.off_peak_usd)} off peak")
    return escape("; ".join(notes))


def _notes(report: Report) -> str:
    """Write what was assumed and what was skipped, folded away."""
    lines = [
        f"Prices in USD as of {report.prices_as_of or 'an unknown day'}, at {report.at:%Y-%m-%d %H:%M %Z}.",
        "Assumed: " + "; ".join(report.assumptions.values()) + ".",
    ]
    if report.change is not None:
        lines.append("A change compares text and pictures, without what a provider adds around a request.")
    lines += [escape(line) for line in marks(report)]
    lines += [f"Skipped {code(one.path)}: {escape(one.reason)}." for one in report.reading.skipped[:_MOST_LINES]]
    body = "\n".join(f"- {line}" for line in lines)
    return f"<details><summary>Assumptions and prices</summary>\n\n{body}\n\n</details>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], last: Sequence[str] | None = None) -> str:
    """Write a table of at most so many lines; names are left-aligned and figures right-aligned."""
    shown = list(rows[:_MOST_LINES])
    if len(rows) > _MOST_LINES:
        shown.append([f"{len(rows) - _MOST_LINES:,} more", *[""] * (len(head) - 1)])
    if last:
        shown.append(last)
    return table(head, shown, left=[place for place, title in enumerate(head) if not place or title in _NAMES])
