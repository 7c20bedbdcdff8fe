"""Pages that need nothing else: sections, cards, lists, tables that sort on a click; light and dark, no reference out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from importlib.resources import files
from string import Template

from deepsel.records import NamedTuple
from deepsel.show.money import decimal_text, usd
from deepsel.show.plain import plain

_LONG_CHARS = 24
_MOST_LINES = 2000
"""Of a table: a page with more is slow to open."""
_SORTS = '<button type="button">'


class Cell(NamedTuple):
    """What a cell of a table shows and what it is sorted by."""

    text: str
    key: object = None
    """None: the text; an empty string is sorted last."""
    kind: str = ""
    """Classes of page.html; `n` is a figure."""


def page(title: str, subtitle: str, parts: Iterable[str]) -> str:
    """Return a whole page of parts that are HTML; empty ones are left out, the script where no table sorts.

    What a browser or a terminal would obey unseen is shown.
    """
    room = files("deepsel.show")
    body = "\n".join(filter(None, parts))
    script, policy = "", ""
    if _SORTS in body:
        script, policy = f"<script>\n{room.joinpath('sort.js').read_text('utf-8')}</script>\n", " script-src 'unsafe-inline';"
    template = Template(room.joinpath("page.html").read_text("utf-8"))
    return plain(template.substitute(title=escape(title), subtitle=escape(subtitle), body=body, script=script, policy=policy))


def section(title: str, explanation: str, content: str) -> str:
    """Return a section, with a line of explanation below its title where there is one."""
    below = f'<p class="soft">{escape(explanation)}</p>' if explanation else ""
    return f"<section><h2>{escape(title)}</h2>{below}{content}</section>"


def cards(figures: Iterable[tuple[str, str]]) -> str:
    """Show the few figures that matter most, as (name, text)."""
    shown = "".join(f'<div class="card"><span class="soft">{escape(name)}</span><b>{escape(text)}</b></div>' for name, text in figures)
    return f'<div class="cards">{shown}</div>' if shown else ""


def notes(lines: Iterable[str]) -> str:
    """List lines of text."""
    shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="notes">{shown}</ul>' if shown else ""


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], *, marked: Iterable[int] = (), sorts: bool = True) -> str:
    """Return a table whose columns sort on a click; a column of figures is one whose first cell is a figure."""
    chosen = set(marked)
    is_number = ["n" in rows[0][column].kind.split() if rows else False for column in range(len(heads))]
    top = "".join(_head(head, number, sorts=sorts) for head, number in zip(heads, is_number, strict=True))
    lines = []
    for place, row in enumerate(rows[:_MOST_LINES]):
        lines.append(f"<tr{' class=is-best' if place in chosen else ''}>{''.join(map(_cell, row))}</tr>")
    more = f'<p class="soft">{len(rows) - _MOST_LINES:,} more lines are in the JSON and the CSV.</p>' if len(rows) > _MOST_LINES else ""
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>{more}'


def figure(text: str, key: object) -> Cell:
    """Make a cell of a number; one whose key is None is sorted last."""
    return Cell(text, "" if key is None else key, "n")


def money(amount: Decimal | None, mark: str = "") -> Cell:
    """Make a cell of an amount with a mark before it; a dash for None."""
    return Cell("-" if amount is None else mark + usd(amount), decimal_text(amount), "n")


def _head(text: str, is_number: bool, *, sorts: bool) -> str:
    kind = " class=n" if is_number else ""
    return f'<th scope="col"{kind}>{f"{_SORTS}{escape(text)}</button>" if sorts else escape(text)}</th>'


def _cell(cell: Cell) -> str:
    kind = f' class="{cell.kind}"' if cell.kind else ""
    key = "" if cell.key is None else f' data-v="{escape(str(cell.key))}"'
    tip = f' title="{escape(cell.text)}"' if len(cell.text) > _LONG_CHARS else ""
    return f"<td{kind}{key}{tip}>{escape(cell.text)}</td>"
