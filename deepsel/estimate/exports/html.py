"""A report as one HTML page: cards, plots, a table of models, of groups, of inputs and of changed files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepsel.estimate.exports.data import main_language
from deepsel.estimate.exports.figures import bound, cost, factor, growth, marks, remark, tokens
from deepsel.estimate.pricing.premium import premiums
from deepsel.estimate.records import Change, CostRow, Report
from deepsel.show import html, svg
from deepsel.show.html import Cell
from deepsel.show.money import signed_usd, usd
from deepsel.show.numbers import size

_MOST_BARS = 24
_MOST_LANGUAGES = 60
_MOST_SKIPPED = 2000


def page(report: Report) -> str:
    """Return the report as an HTML page."""
    title = "Prompt cost of a change" if report.change is not None else "Prompt cost estimate"
    parts = [_cards(report)]
    if report.change is not None:
        parts.append(_change(report.change))
    parts += [_cost_plot(report), _premium_plot(report)]
    if report.by != "model":
        parts.append(_groups(report))
    parts += [_models(report.totals), _inputs(report), _notes(report)]
    return html.page(title, _subtitle(report), parts)


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
            cards += [("cheapest", cost(best)), ("cheapest model", best.model)]
        if len(known) > 1:
            cards.append(("dearest", usd(max(row.total_usd for row in known if row.total_usd is not None))))
        counts = [row.input_tokens for row in report.totals]
        if counts:
            span = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
            cards.append(("input tokens", span))
    return html.cards(cards)


def _cost_plot(report: Report) -> str:
    """Plot the total of each model of known price, cheapest first."""
    known = [row for row in report.totals if row.total_usd is not None][:_MOST_BARS]
    if len(known) < 2:
        return ""
    rows = [(row.model, float(row.total_usd or 0), usd(row.total_usd)) for row in known]
    drawn = svg.bars(rows, title="Total cost by model", best=report.cheapest.get(""))
    count = sum(1 for row in report.totals if row.total_usd is not None)
    more = f", the {len(known)} cheapest of {count}" if len(known) < count else ""
    return html.section("Cost by model", f"USD in all, at the price in force{more}", drawn)


def _premium_plot(report: Report) -> str:
    """Plot how dear each language is in each vocabulary."""
    table = premiums(report.reading)
    if not table:
        return ""
    series = sorted({name for row in table.values() for name in row})
    ordered = dict(list(table.items())[:_MOST_LANGUAGES])
    drawn = svg.legend(series) + svg.dots(ordered, series, title="Premium over English by language")
    return html.section("Premium by language", "Tokens for the same content, over English in the same vocabulary", drawn)


def _models(rows: Sequence[CostRow]) -> str:
    """Show every model; a column that would be empty is left out."""
    columns: list[tuple[str, Callable[[CostRow], Cell]]] = [
        ("Model", lambda row: Cell(row.model)),
        ("Total", lambda row: html.money(row.total_usd, bound(row))),
        ("Input tokens", lambda row: html.figure(tokens(row), row.input_tokens)),
    ]
    if any(row.output_tokens for row in rows):
        columns.append(("Input", lambda row: html.money(row.input_usd)))
        columns.append(("Output", lambda row: html.money(row.output_usd)))
    if any(row.peak_usd is not None for row in rows):
        columns.append(("Peak", lambda row: html.money(row.peak_usd)))
        columns.append(("Off-peak", lambda row: html.money(row.off_peak_usd)))
    columns += [
        ("Batch", lambda row: html.money(row.batch_usd)),
        ("Per 1,000 chars", lambda row: html.money(row.usd_per_1k_chars)),
        ("Provider", lambda row: Cell(row.provider)),
        ("Price of", lambda row: Cell(row.price_checked or "-")),
        ("Note", lambda row: Cell(_remark(row), kind="note")),
    ]
    best = next((row.model for row in rows if row.total_usd is not None and row.fits_window is not False), None)
    lines = [tuple(cell(row) for _, cell in columns) for row in rows]
    marked = {place for place, row in enumerate(rows) if row.model == best}
    table = html.table([head for head, _ in columns], lines, marked=marked)
    return html.section("Models", "Cheapest first; a tilde marks an estimated count", table)


def _groups(report: Report) -> str:
    """Show each file or language on its cheapest model."""
    title = "File" if report.by == "file" else "Language"
    best = [row for row in report.rows if row.model == report.cheapest.get(row.group)]
    heads = (title, "Cost", "Cheapest", "Input tokens", "Tokens a char", "Per 1,000 chars", "Per sentence", "Over English")
    lines = [
        (
            Cell(row.group),
            html.money(row.total_usd, bound(row)),
            Cell(row.model),
            html.figure(tokens(row), row.input_tokens),
            html.figure("-" if row.tokens_per_char is None else f"{row.tokens_per_char:.3f}", row.tokens_per_char),
            html.money(row.usd_per_1k_chars),
            html.money(row.usd_per_sentence),
            html.figure(factor(row.premium_vs_english), row.premium_vs_english),
        )
        for row in best
    ]
    return html.section(f"{title}s", "Each on its cheapest model", html.table(heads, lines))


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
        counts = [html.figure(f"{count:,}", count) for count in sums]
        lines.append(
            (Cell(one.path), html.figure(size(read), read), html.figure(f"{chars:,}", chars), Cell(language), Cell(script), *counts)
        )
    heads = ("Input", "Size", "Characters", "Language", "Script", *names)
    return html.section("Inputs", "Tokens of the text in each vocabulary", html.table(heads, lines))


def _change(change: Change) -> str:
    """Show each changed file."""
    lines = []
    for path, before, after in change.files:
        delta = after - before
        kind = "n up" if delta > 0 else "n down" if delta < 0 else "n"
        share = delta / before if before else ""
        lines.append(
            (
                Cell(path),
                html.money(before),
                html.money(after),
                Cell(signed_usd(delta), delta, kind),
                Cell(growth(before, after), share, kind),
            )
        )
    heads = ("File", "Before", "After", "Change", "In percent")
    return html.section("Changed files", f"Text and pictures alone, on {change.model}; largest growth first", html.table(heads, lines))


def _notes(report: Report) -> str:
    """Write what was assumed, warned of and skipped."""
    lines = [f"Assumed: {text}." for text in report.assumptions.values()]
    lines += [f"Warning: {notice.message}." for notice in (*report.reading.notices, *report.notices)]
    lines += [f"Skipped {one.path}: {one.reason}." for one in report.reading.skipped[:_MOST_SKIPPED]]
    lines += marks(report)
    sources = sorted({row.price_source for row in report.totals if row.price_source})
    lines += [f"Prices: {source}" for source in sources]
    return html.section("Notes", "", html.notes(lines))


def _remark(row: CostRow) -> str:
    """Say what stands out about a row."""
    notes = remark(row)
    if row.error_pct is not None:
        notes.insert(len(notes) - bool(row.reason), f"count ± {row.error_pct:g} %")
    return "; ".join(notes)
