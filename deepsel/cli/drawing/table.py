"""A table: cells are folded to the window, never cut; its columns stay as they are once a part of it has been drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepsel.cli.drawing.cells import Row, Span, row_width, wrap
from deepsel.cli.drawing.inline import BOLD, spans
from deepsel.records import NamedTuple

_PIPE = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_BETWEEN, _NARROWEST = Span(" │ ", "2"), 3


class Grid(NamedTuple):
    """A table as far as it has come."""

    aligns: tuple[str, ...]
    """For each column `left`, `right` or `middle`."""
    rows: tuple[tuple[Row, ...], ...]
    """Cells that have not been drawn for good."""
    has_head: bool = True
    """Whether the first of the rows is the head."""
    widths: tuple[int, ...] | None = None
    """What a part was drawn with; None as long as none was."""

    def add(self, line: str) -> Grid:
        """Return the table with one more line."""
        return self._replace(rows=(*self.rows, _cells(line, len(self.aligns))))

    def draw(self, columns: int) -> tuple[list[Row], Grid]:
        """Return the rows, and the table that goes on after them."""
        widths = self.widths if self.widths is not None else _widths(self.rows, columns)
        drawn: list[Row] = []
        for number, cells in enumerate(self.rows):
            is_head = self.has_head and not number
            styled = [[Span(text, f"{style};{BOLD}" if style else BOLD) for text, style in cell] for cell in cells] if is_head else cells
            drawn += _draw(styled, widths, self.aligns) if widths else wrap(_joined(styled), columns)
            if is_head:
                drawn.append([Span("─┼─".join("─" * one for one in widths) or "─" * min(columns, 9), "2")])
        return drawn, self._replace(rows=(), has_head=False, widths=widths)


def begun(head: str, rule: str) -> Grid | None:
    """Return the table that a line and the one below it begin; None where they are none."""
    if "|" not in head or not _RULE.match(rule):
        return None
    aligns = tuple(_align(cell.strip()) for cell in split(rule))
    return Grid(aligns, (_cells(head, len(aligns)),)) if len(split(head)) == len(aligns) else None


def split(line: str) -> list[str]:
    """Return the cells of a line."""
    cells = _PIPE.split(line.strip())
    if cells and not cells[0].strip():
        del cells[0]
    if cells and not cells[-1].strip():
        del cells[-1]
    return cells


def _cells(line: str, count: int) -> tuple[Row, ...]:
    """Read the cells of a line; what is too much stays in the last one."""
    cells = split(line)
    cells = [*cells[: count - 1], "|".join(cells[count - 1 :])] if len(cells) > count else cells
    return tuple(spans(cell.strip().replace("\\|", "|")) for cell in [*cells, *[""] * (count - len(cells))])


def _align(rule: str) -> str:
    if not rule.endswith(":"):
        return "left"
    return "middle" if rule.startswith(":") else "right"


def _widths(rows: Sequence[Sequence[Row]], columns: int) -> tuple[int, ...]:
    """Give each column what it needs, the wide ones as much as there is; nothing where no table fits."""
    widths = [max(1, *(row_width(cell) for cell in column)) for column in zip(*rows, strict=True)]
    room = columns - 3 * (len(widths) - 1)
    if room < _NARROWEST * len(widths):
        return ()
    return tuple(_shared(widths, room))


def _shared(widths: Sequence[int], room: int) -> list[int]:
    """Narrow the widest columns to one width, so that all fit."""
    given, left = list(widths), room
    order = sorted(range(len(widths)), key=lambda at: widths[at])
    for done, at in enumerate(order):
        given[at] = min(widths[at], left // (len(order) - done))
        left -= given[at]
    return given


def _draw(cells: Sequence[Row], widths: Sequence[int], aligns: Sequence[str]) -> list[Row]:
    """Draw one row of the table, as high as its highest cell."""
    folded = [wrap(cell, size) for cell, size in zip(cells, widths, strict=True)]
    drawn = []
    for height in range(max(map(len, folded))):
        row = Row()
        for at, cell in enumerate(folded):
            part = cell[height] if height < len(cell) else []
            row += [_BETWEEN] if at else []
            row += _aligned(part, widths[at], aligns[at], is_last=at == len(folded) - 1)
        drawn.append(row)
    return drawn


def _aligned(part: Row, size: int, align: str, *, is_last: bool) -> Row:
    """Fill a part of a cell up with spaces; nothing follows the last one."""
    spare = max(0, size - row_width(part))
    left = {"left": 0, "right": spare, "middle": spare // 2}[align]
    return [Span(" " * left), *part, Span("" if is_last else " " * (spare - left))]


def _joined(cells: Sequence[Row]) -> Row:
    """Put cells into one line, for a window that is too narrow."""
    return [span for at, cell in enumerate(cells) for span in ([_BETWEEN, *cell] if at else cell)]
