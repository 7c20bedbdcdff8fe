"""Sets rows in aligned columns by the width that characters have on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from deepsel.show.lines import clipped, cut, padded, padded_left, width

_GAP = "  "
_LEAST = 8
"""What is left of a column that is cut."""


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    columns: int | None = None,
    flexible: int | None = None,
    spare: int = 0,
) -> list[str]:
    """Return one line a row, all of one width: the columns in `right` to the right, the others to the left.

    Where a line would take more than `columns` less `spare`, the `flexible` column is cut, keeping its ends; what then
    stands beyond `columns` is dropped. `columns` None: nothing is cut.
    """
    widths = [max(map(width, cells)) for cells in zip(*rows, strict=True)]
    if columns is not None and flexible is not None:
        others = sum(widths) - widths[flexible] + len(_GAP) * (len(widths) - 1)
        widths[flexible] = min(widths[flexible], max(_LEAST, columns - spare - others))
    lines = [_GAP.join(_cells(row, widths, right)) for row in rows]
    return lines if columns is None else _fitted(lines, columns)


def text_table(rows: Sequence[Sequence[str]], *, right: Collection[int] = (), columns: int | None = None) -> str:
    """Return aligned rows as text that ends in a line feed, without spaces at the ends of lines."""
    lines = aligned(rows, right=right, columns=columns)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _cells(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> list[str]:
    """Fill each cell of a row up to its column's width."""
    return [
        (padded_left if place in right else padded)(text if width(text) <= room else cut(text, room), room)
        for place, (text, room) in enumerate(zip(row, widths, strict=True))
    ]


def _fitted(lines: Sequence[str], columns: int) -> list[str]:
    """Drop what stands beyond so many columns, and keep the lines of one width."""
    if not lines or width(lines[0]) <= columns:
        return list(lines)
    return [padded(clipped(line, columns), columns) for line in lines]
