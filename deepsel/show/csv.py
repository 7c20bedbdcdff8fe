"""Tables as CSV that a spreadsheet may open: text from outside cannot become a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from deepsel.show.money import decimal_text

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return CSV with one header line; None is an empty field, money has every digit and no exponent."""
    return "".join([_line(heads), *map(_line, rows)])


def _line(cells: Sequence[object]) -> str:
    """Write one line; with this end the library also quotes a carriage return, at which a spreadsheet would break the line."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow([_field(cell) for cell in cells])
    return file.getvalue().removesuffix("\r\n") + "\n"


def _field(cell: object) -> object:
    """Write one field; text that a spreadsheet would calculate gets an apostrophe before it, a number stays one."""
    if isinstance(cell, Decimal):
        return decimal_text(cell)
    if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return "" if cell is None else cell
