"""The forms of a report by name; what writes each is imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepsel.estimate.records import Report
    from deepsel.show.screen import Screen

FORMATS = ("table", "json", "csv", "markdown", "html")


def write(report: Report, form: str, screen: Screen) -> str | Iterator[str]:
    """Write a report in one of FORMATS, or yield its parts; a table as wide as `screen`."""
    if form in ("json", "csv"):
        from deepsel.estimate.exports.data import csv_text, record
        from deepsel.show.record import dump_parts

        return dump_parts(record(report)) if form == "json" else csv_text(report)
    if form == "markdown":
        from deepsel.estimate.exports.markdown import markdown

        return markdown(report)
    if form == "html":
        from deepsel.estimate.exports.html import page

        return page(report)
    from deepsel.estimate.exports.table import table

    return table(report, screen)
