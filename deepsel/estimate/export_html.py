"""A report as one HTML page that needs nothing else: sortable tables and plots inline, light and dark, no reference out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from importlib.resources import files
from string import Template

from deepsel.estimate import plots
from deepsel.estimate.export_data import main_language
from deepsel.estimate.figures import factor, growth, signed_usd, size, tokens, usd
from deepsel.estimate.premium import premiums
from deepsel.estimate.records import Change, CostRow, Report

_MOST_BARS = 24
_LONG_CHARS = 24
_MOST_LANGUAGES = 60
_MOST_LINES = 2000
"""Of a table: a page with more is slow to open; JSON and CSV hold all."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell shows and what it is sorted by."""

    text: str
    key: object = None
    """None: the text; an empty string is sorted last."""
    kind: str = ""


def page(report: Report) -> str:
    """Return the report as an HTML page."""
    template = Template(files("deepsel.estimate").joinpath("data/page.html").read_text("utf-8"))
    title = "Prompt cost of a change" if report.change is not None else "Prompt cost estimate"
    parts = [_cards(report)]
    if report.change is not None:
        parts.append(_change(report.change))
    parts += [_cost_plot(report), _premium_plot(report)]
    if report.by != "model":
        parts.append(_groups(report))
    parts += [_models(report.totals), _inputs(report), _notes(report)]
    return template.substitute(title=title, subtitle=escape(_subtitle(report)), body="\n".join(filter(None, parts)))


def _subtitle(report: Report) -> str:
    inputs = report.reading.inputs
    pieces = [piece for one in inputs for piece in one.pieces]
    read = f"{len(inputs):,} input{'s' if len(inputs) != 1 else ''}, {size(sum(piece.size_bytes for piece in pieces))}"
    chars = f"{sum(piece.chars for piece in pieces):,} characters"
    return f"{read}, {chars} · prices as of {report.prices_as_of or 'an unknown day'} · {report.at:%Y-%m-%d %H:%M %Z}"


def _cards(report: Report) -> str:
    """Show the few figures that matter most."""
    cards: list[tuple[str, str]] = []
    if report.change is not None:
        change = report.change
        cards += [("before", usd(change.before_usd)), ("after", usd(change.after_usd))]
        cards.append(("change", signed_usd(change.delta_usd)))
        cards.append(("in percent", growth(change.before_usd, change.after_usd)))
        cards.append(("compared on", change.model))
    else:
        known = [row for row in report.totals if row.total_usd is not None]
        best = next((row for row in known if row.model == report.cheapest.get("")), None)
        if best is not None:
            cards += [("cheapest", usd(best.total_usd)), ("cheapest model", best.model)]
        if len(known) > 1:
            cards.append(("dearest", usd(max(row.total_usd for row in known if row.total_usd is not None))))
        counts = [row.input_tokens for row in report.totals]
        if counts:
            span = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
            cards.append(("input tokens", span))
    shown = "".join(f'<div class="card"><span class="soft">{escape(name)}</span><b>{escape(text)}</b></div>' for name, text in cards)
    return f'<div class="cards">{shown}</div>' if shown else ""


def _cost_plot(report: Report) -> str:
    """Plot the total of each model of known price, cheapest first."""
    known = [row for row in report.totals if row.total_usd is not None][:_MOST_BARS]
    if len(known) < 2:
        return ""
    rows = [(row.model, float(row.total_usd or 0), usd(row.total_usd)) for row in known]
    drawn = plots.bars(rows, title="Total cost by model", best=report.cheapest.get(""))
    count = sum(1 for row in report.totals if row.total_usd is not None)
    more = f", the {len(known)} cheapest of {count}" if len(known) < count else ""
    return _section("Cost by model", f"USD in all, at the price in force{more}", drawn)


def _premium_plot(report: Report) -> str:
    """Plot how dear each language is in each vocabulary."""
    table = premiums(report.reading)
    if not table:
        return ""
    series = sorted({name for row in table.values() for name in row})
    ordered = dict(list(table.items())[:_MOST_LANGUAGES])
    drawn = plots.legend(series) + plots.dots(ordered, series, title="Premium over English by language")
    return _section("Premium by language", "Tokens for the same content, over English in the same vocabulary", drawn)


def _models(rows: Sequence[CostRow]) -> str:
    """Show every model; a column that would be empty is left out."""
    columns: list[tuple[str, Callable[[CostRow], _Cell]]] = [
        ("Model", lambda row: _Cell(row.model)),
        ("Total", lambda row: _money(row.total_usd)),
        ("Input tokens", lambda row: _Cell(tokens(row), row.input_tokens, "n")),
    ]
    if any(row.output_tokens for row in rows):
        columns.append(("Input", lambda row: _money(row.input_usd)))
        columns.append(("Output", lambda row: _money(row.output_usd)))
    if any(row.peak_usd is not None for row in rows):
        columns.append(("Peak", lambda row: _money(row.peak_usd)))
        columns.append(("Off-peak", lambda row: _money(row.off_peak_usd)))
    columns += [
        ("Batch", lambda row: _money(row.batch_usd)),
        ("Per 1,000 chars", lambda row: _money(row.usd_per_1k_chars)),
        ("Provider", lambda row: _Cell(row.provider)),
        ("Price of", lambda row: _Cell(row.price_checked or "-")),
        ("Note", lambda row: _Cell(_remark(row), kind="note")),
    ]
    best = next((row.model for row in rows if row.total_usd is not None and row.fits_window is not False), None)
    lines = [tuple(cell(row) for _, cell in columns) for row in rows]
    marked = {place for place, row in enumerate(rows) if row.model == best}
    table = _table([head for head, _ in columns], lines, marked=marked)
    return _section("Models", "Cheapest first; a tilde marks an estimated count", table)


def _groups(report: Report) -> str:
    """Show each file or language on its cheapest model."""
    title = "File" if report.by == "file" else "Language"
    best = [row for row in report.rows if row.model == report.cheapest.get(row.group)]
    heads = (title, "Cost", "Cheapest", "Input tokens", "Tokens a char", "Per 1,000 chars", "Per sentence", "Over English")
    lines = [
        (
            _Cell(row.group),
            _money(row.total_usd),
            _Cell(row.model),
            _Cell(tokens(row), row.input_tokens, "n"),
            _Cell("-" if row.tokens_per_char is None else f"{row.tokens_per_char:.3f}", _key(row.tokens_per_char), "n"),
            _money(row.usd_per_1k_chars),
            _money(row.usd_per_sentence),
            _Cell(factor(row.premium_vs_english), _key(row.premium_vs_english), "n"),
        )
        for row in best
    ]
    return _section(f"{title}s", "Each on its cheapest model", _table(heads, lines))


def _inputs(report: Report) -> str:
    """Show what was read, with its count in each vocabulary."""
    inputs = report.reading.inputs
    if not inputs:
        return ""
    names = sorted({name for one in inputs for piece in one.pieces for name in piece.tokens})
    lines = []
    for one in inputs:
        language, script = main_language(one)
        sums = [sum(piece.tokens[name].tokens for piece in one.pieces if name in piece.tokens) for name in names]
        read = sum(piece.size_bytes for piece in one.pieces)
        chars = sum(piece.chars for piece in one.pieces)
        counts = [_Cell(f"{count:,}", count, "n") for count in sums]
        lines.append(
            (_Cell(one.path), _Cell(size(read), read, "n"), _Cell(f"{chars:,}", chars, "n"), _Cell(language), _Cell(script), *counts)
        )
    heads = ("Input", "Size", "Characters", "Language", "Script", *names)
    return _section("Inputs", "Tokens of the text in each vocabulary", _table(heads, lines))


def _change(change: Change) -> str:
    """Show each changed file."""
    lines = []
    for path, before, after in change.files:
        delta = after - before
        kind = "n up" if delta > 0 else "n down" if delta < 0 else "n"
        share = (after - before) / before if before else ""
        lines.append(
            (_Cell(path), _money(before), _money(after), _Cell(signed_usd(delta), delta, kind), _Cell(growth(before, after), share, kind))
        )
    heads = ("File", "Before", "After", "Change", "In percent")
    return _section("Changed files", f"The text alone, on {change.model}; largest growth first", _table(heads, lines))


def _notes(report: Report) -> str:
    """Write what was assumed, warned of and skipped."""
    lines = [f"Assumed: {text}." for text in report.assumptions.values()]
    lines += [f"Warning: {notice.message}." for notice in (*report.reading.notices, *report.notices)]
    lines += [f"Skipped {one.path}: {one.reason}." for one in report.reading.skipped[:_MOST_LINES]]
    sources = sorted({row.price_source for row in report.totals if row.price_source})
    lines += [f"Prices: {source}" for source in sources]
    return _section("Notes", "", f'<ul class="notes">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>')


def _remark(row: CostRow) -> str:
    """Say what stands out about a row."""
    remarks = [row.price_label] if row.price_label else []
    if row.fits_window is False:
        remarks.append("too large for its window")
    if row.error_pct is not None:
        remarks.append(f"count ± {row.error_pct:g} %")
    return "; ".join([*remarks, row.reason] if row.reason else remarks)


# --- HTML -------------------------------------------------------------------------------------------------------------


def _section(title: str, explanation: str, content: str) -> str:
    below = f'<p class="soft">{escape(explanation)}</p>' if explanation else ""
    return f"<section><h2>{escape(title)}</h2>{below}{content}</section>"


def _table(heads: Sequence[str], lines: Sequence[Sequence[_Cell]], *, marked: Iterable[int] = ()) -> str:
    """Write a table whose columns sort on a click; a column of figures is one whose first cell is a figure."""
    chosen = set(marked)
    is_number = ["n" in lines[0][column].kind.split() if lines else False for column in range(len(heads))]
    top = "".join(
        f'<th scope="col"{" class=n" if number else ""}><button type="button">{escape(head)}</button></th>'
        for head, number in zip(heads, is_number, strict=True)
    )
    rows = []
    for place, line in enumerate(lines[:_MOST_LINES]):
        cells = "".join(_cell(cell) for cell in line)
        rows.append(f"<tr{' class=is-best' if place in chosen else ''}>{cells}</tr>")
    more = f'<p class="soft">{len(lines) - _MOST_LINES:,} more lines are in the JSON and the CSV.</p>' if len(lines) > _MOST_LINES else ""
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>{more}'


def _cell(cell: _Cell) -> str:
    kind = f' class="{cell.kind}"' if cell.kind else ""
    key = "" if cell.key is None else f' data-v="{escape(str(cell.key))}"'
    tip = f' title="{escape(cell.text)}"' if len(cell.text) > _LONG_CHARS else ""
    return f"<td{kind}{key}{tip}>{escape(cell.text)}</td>"


def _money(amount: Decimal | None) -> _Cell:
    return _Cell("-", "", "n") if amount is None else _Cell(usd(amount), f"{amount:f}", "n")


def _key(value: float | None) -> object:
    return "" if value is None else value
