"""The forms of a report by name; what writes each is imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepsel.bench.records import BenchReport
    from deepsel.show.screen import Screen

FORMATS = ("table", "json", "csv", "markdown", "junit", "html")


def write(report: BenchReport, form: str, screen: Screen) -> str:
    """Write a report in one of FORMATS; a table as wide as `screen`."""
    if form == "html":
        from deepsel.bench.export_html import page

        return page(report)
    if form in ("json", "csv"):
        from deepsel.bench.export_data import csv_text, record
        from deepsel.show.record import dump

        return dump(record(report)) if form == "json" else csv_text(report)
    from deepsel.bench import export_text

    if form == "table":
        return export_text.table(report, screen)
    return export_text.markdown(report) if form == "markdown" else export_text.junit(report)
