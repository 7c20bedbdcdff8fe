"""A report for programs: the record behind `--format json` (a contract), and CSV. Money stays Decimal until it is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

from deepsel.estimate.pricing.premium import premiums
from deepsel.estimate.records import Change, CostRow, Input, Report
from deepsel.show import csv
from deepsel.show.record import SCHEMA_VERSION

COLUMNS = (
    "group",
    "model",
    "provider",
    "vocabulary",
    "source",
    "error_pct",
    "input_tokens",
    "output_tokens",
    "input_usd",
    "output_usd",
    "total_usd",
    "usd_per_1k_chars",
    "usd_per_sentence",
    "tokens_per_char",
    "premium_vs_english",
    "fits_window",
    "price_label",
    "peak_usd",
    "off_peak_usd",
    "batch_usd",
    "price_source",
    "price_checked",
    "reason",
    "input_tokens_low",
    "input_tokens_high",
)
_MEMBERS = [one.name for one in fields(CostRow) if one.name not in ("price_source", "price_checked")]
CHANGE_COLUMNS = ("path", "model", "before_usd", "after_usd", "delta_usd")


def record(report: Report) -> dict[str, Any]:
    """Return the JSON record; unknown is null, and so is a group of everything. Its long lists are iterators, for `dump_parts`."""
    notices = (*report.reading.notices, *report.notices)
    return {
        "schema": SCHEMA_VERSION,
        "prices_as_of": report.prices_as_of,
        "at": report.at,
        "by": report.by,
        "assumptions": dict(report.assumptions),
        "inputs": map(_input, report.reading.inputs),
        "skipped": [{"path": one.path, "reason": one.reason} for one in report.reading.skipped],
        "rows": map(_row, report.rows),
        "totals": [_row(row) for row in report.totals] if report.by != "model" else [],
        "cheapest": report.cheapest.get(""),
        "cheapest_by": {group: model for group, model in report.cheapest.items() if group},
        "premium_vs_english": {language: dict(row) for language, row in premiums(report.reading).items()},
        "change": None if report.change is None else _change(report.change),
        "warnings": [{"code": notice.code, "message": notice.message} for notice in notices],
    }


def csv_text(report: Report) -> str:
    """Return the rows as CSV with one header line; of a change, its files instead. Unknown is an empty field."""
    change = report.change
    if change is None:
        return csv.csv_text(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in report.rows))
    return csv.csv_text(
        CHANGE_COLUMNS, ((path, change.model, before, after, after - before) for path, before, after in change.files)
    )


def main_language(one: Input) -> tuple[str, str]:
    """Return the language and the script that most of an input's characters are in."""
    counts: Counter[tuple[str, str]] = Counter()
    for piece in one.pieces:
        counts[piece.language, piece.script] += piece.chars
    return counts.most_common(1)[0][0]


def _input(one: Input) -> dict[str, Any]:
    """Build one member of `inputs`: sums over the pieces."""
    language, script = main_language(one)
    names = sorted({name for piece in one.pieces for name in piece.tokens})
    return {
        "path": one.path,
        "bytes": sum(piece.size_bytes for piece in one.pieces),
        "chars": sum(piece.chars for piece in one.pieces),
        "sentences": sum(piece.sentences for piece in one.pieces),
        "language": language,
        "script": script,
        "tokens": {name: sum(piece.tokens[name].tokens for piece in one.pieces if name in piece.tokens) for name in names},
        "requests": one.requests,
        "pictures": sum(one.media.pictures.values()),
        "encoding": one.encoding,
        "read_share": one.read_share,
        "intervals": {name: list(ends) for name, ends in one.intervals.items()},
    }


def _row(row: CostRow) -> dict[str, Any]:
    """Build one member of `rows`."""
    member = {name: getattr(row, name) for name in _MEMBERS}
    price = {"source": row.price_source or None, "checked": row.price_checked or None, "label": row.price_label or None}
    return {**member, "group": row.group or None, "reason": row.reason or None, "price_label": row.price_label or None, "price": price}


def _change(change: Change) -> dict[str, Any]:
    """Build the `change` member."""
    return {
        "model": change.model,
        "before_usd": change.before_usd,
        "after_usd": change.after_usd,
        "delta_usd": change.delta_usd,
        "reason": change.reason or None,
        "files": [
            {"path": path, "before_usd": before, "after_usd": after, "delta_usd": after - before}
            for path, before, after in change.files
        ],
    }
