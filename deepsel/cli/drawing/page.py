"""An answer in Markdown as rows, line by line: which rows are done for good, and which may still change.

Each line of the source stays a line of its own. Only a table, and the line that has not ended yet, wait for what follows.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from deepsel.cli.drawing import inline, table
from deepsel.cli.drawing.cells import Drawn, Row, Span, fold, row_width, wrap
from deepsel.cli.drawing.code import Coloured
from deepsel.cli.terminal.terminal import Window
from deepsel.records import NamedTuple

_ITEM = re.compile(r"([-*+]|\d{1,9}[.)])(?: +|$)")
_HEADING = re.compile(r"(#{1,6})(?: +|$)(.*?)(?: +#+)? *$")
_RULE = re.compile(r"(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$")
_FENCE = re.compile(r"(`{3,}|~{3,}) *([^\s`]*) *([^`]*)$")
_DIM = "2"
_DEEPEST = 3
"""Bars that are drawn beside a quote in quotes, so that room is left for it."""


class Page:
    """Takes an answer in pieces and gives its rows."""

    def __init__(self, *, has_colours: bool) -> None:
        """Take whether code is coloured by its language."""
        self._lines = _Lines(has_colours=has_colours)
        self._partial = ""

    def draw(self, text: str, window: Window, *, is_last: bool = False) -> Drawn:
        """Take more text, without controls; `is_last`: nothing follows, all is done."""
        *lines, self._partial = (self._partial + text).split("\n")
        done = self._lines.take(lines, window.columns)
        if is_last:
            done += self._lines.end(self._partial, window.columns)
            self._partial = ""
            return Drawn(done, [])
        return Drawn(done, self._open(done, window))

    def _open(self, done: list[Row], window: Window) -> list[Row]:
        """Draw what may still change; where it is too much, a part of it is done."""
        limit = max(1, window.rows - 1)
        while len(self._partial) > inline.LONGEST and not self._lines.is_code:
            done += self._lines.release(window.columns) + self._begin(window.columns)
        while True:
            rows = self._lines.preview(self._partial, window, limit)
            if len(rows) <= limit or self._lines.is_code:
                return rows[-limit:]
            released = self._lines.release(window.columns) or self._begin(window.columns)
            if not released:
                return rows[-limit:]
            done += released

    def _begin(self, columns: int) -> list[Row]:
        """Draw the first part of the line that has not ended for good."""
        at = inline.cut_at(self._partial, min(inline.LONGEST, max(1, 3 * len(self._partial) // 4)))
        start, self._partial = self._partial[:at], self._partial[at:]
        return self._lines.begin(start, columns)


class _Fence(NamedTuple):
    """A block of code that is open."""

    mark: str
    """What opened it; empty for one that is only indented."""
    depth: int
    indent: int
    code: Coloured


class _Lead(NamedTuple):
    """A line whose start is drawn: its last row, what stands before those that follow, and their style."""

    first: Row
    hang: Row
    style: str = ""


class _Lines:
    """Where in the Markdown a line stands. All fields are replaced, none is changed, so that a copy is a try."""

    def __init__(self, *, has_colours: bool) -> None:
        self._has_colours = has_colours
        self._kind = ""
        self._depth = 0
        self._is_after_blank = False
        self._is_in_list = False
        self._fence: _Fence | None = None
        self._table: table.Grid | None = None
        self._held: str | None = None
        self._bars: Row = []
        self._lead: _Lead | None = None

    @property
    def is_code(self) -> bool:
        """Whether a block of code is open."""
        return self._fence is not None

    def take(self, lines: Sequence[str], columns: int) -> list[Row]:
        """Return the rows that are done with these whole lines."""
        rows: list[Row] = []
        at = 0
        while at < len(lines):
            if self._fence:
                count, drawn = self._in_code(self._fence, lines[at:])
                at += count
            else:
                drawn = self._take(lines[at].expandtabs(4), columns)
                at += 1
            rows += drawn
        return rows

    def preview(self, partial: str, window: Window, limit: int) -> list[Row]:
        """Draw what is open, and a line that has not ended, as if it had."""
        trial = copy.copy(self)
        if not self._fence:
            rows = trial.end(partial, window.columns)
            if not trial.is_code:
                return rows
            return [part for row in rows for part in fold(row, window.columns, window.columns)][-limit:]
        shown = partial[-window.columns * (limit + 1) :].expandtabs(4)
        rows = trial.take([shown], window.columns) if shown else []
        return [part for row in rows for part in fold(row, window.columns, window.columns)]

    def end(self, partial: str, columns: int) -> list[Row]:
        """Draw a line that does not end, if there is one, and all that waits."""
        return self.take([partial] if partial or self._lead else [], columns) + self.release(columns)

    def release(self, columns: int) -> list[Row]:
        """Draw for good what waits for the lines after it; a table goes on with the same columns."""
        if self._held is not None:
            held, self._held = self._held, None
            return self._line(held, columns)
        if self._table is None or not self._table.rows:
            return []
        rows, self._table = self._table.draw(max(1, columns - row_width(self._bars)))
        return [[*self._bars, *row] for row in rows]

    def begin(self, start: str, columns: int) -> list[Row]:
        """Draw the start of a line for good, all but its last row, which goes on."""
        rows = self._take(start.expandtabs(4), columns, is_start=True)
        if self._lead is None:
            return rows
        self._lead = self._lead._replace(first=rows[-1])
        return rows[:-1]

    def _take(self, line: str, columns: int, *, is_start: bool = False) -> list[Row]:
        """Draw one line outside of code, or wait with it; `is_start`: the rest of it follows."""
        if self._lead:
            lead = self._lead
            self._lead = lead if is_start else None
            return self._text(line, lead, columns)
        if self._held is not None:
            held, self._held = self._held, None
            depth, content = _unquoted(held)
            self._table = table.begun(content, _unquoted(line)[1])
            if self._table and depth == _unquoted(line)[0]:
                return self._gap("table", depth)
            self._table = None
            return self._line(held, columns) + self._take(line, columns, is_start=is_start)
        depth, content = _unquoted(line)
        if self._table is not None:
            if "|" in content and depth == self._depth:
                self._table = self._table.add(content)
                return [] if self._table.widths is None else self.release(columns)
            rows, self._table = self.release(columns), None
            return rows + self._take(line, columns, is_start=is_start)
        if "|" in content and not is_start and not _ITEM.match(content.lstrip()) and not _FENCE.match(content.lstrip()):
            self._held = line
            return []
        return self._line(line, columns, is_start=is_start)

    def _line(self, line: str, columns: int, *, is_start: bool = False) -> list[Row]:
        """Draw one line that is no row of a table."""
        quoted, (depth, line) = line, _unquoted(line)
        content = line.strip()
        indent = len(line) - len(line.lstrip())
        if not content:
            self._is_after_blank = True
            return []
        if indent >= 4 and not self._is_in_list and (self._is_after_blank or self._kind in ("", "code")):
            rows = self._gap("code", depth)
            self._fence = _Fence("", depth, 4, Coloured(""))
            return rows + self._in_code(self._fence, [quoted])[1]
        item, heading = _ITEM.match(content), _HEADING.match(content)
        if _RULE.match(content) and not is_start:
            self._is_in_list = False
            return [*self._gap("rule", depth), [*self._bars, Span("─" * max(1, min(columns, 80) - row_width(self._bars)), _DIM)]]
        if (fence := _FENCE.match(content)) and not is_start:
            return self._open_fence(fence, depth, indent)
        if heading:
            self._is_in_list = False
            rows = self._gap("heading", depth)
            return rows + self._begun(heading[2], _Lead(self._bars, self._bars, inline.BOLD), columns, is_start=is_start)
        if item:
            return self._item(content, item, depth, indent, columns, is_start=is_start)
        self._is_in_list = self._is_in_list and (indent > 1 or not self._is_after_blank)
        rows = self._gap("text", depth)
        before = self._before(indent, columns)
        return rows + self._begun(content, _Lead(before, before), columns, is_start=is_start)

    def _item(
        self, content: str, item: re.Match[str], depth: int, indent: int, columns: int, *, is_start: bool
    ) -> list[Row]:
        """Draw the first line of a list's item, with the mark it came with."""
        rows = self._gap("item", depth)
        self._is_in_list = True
        first, hang = self._before(indent, columns), self._before(indent + len(item[1]) + 1, columns)
        text = content[item.end() :]
        if (fence := _FENCE.match(text)) and not is_start:
            rows.append([*first, Span(item[1])])
            return rows + self._open_fence(fence, depth, indent + item.end())
        lead = _Lead([*first, Span(f"{item[1]} " if text else item[1])], hang)
        return rows + self._begun(text, lead, columns, is_start=is_start)

    def _begun(self, text: str, lead: _Lead, columns: int, *, is_start: bool) -> list[Row]:
        """Draw the text of a line, and remember how it goes on where the rest of it follows."""
        if is_start:
            self._lead = lead
        return self._text(text, lead, columns)

    def _text(self, text: str, lead: _Lead, columns: int) -> list[Row]:
        """Draw text with its markup."""
        spans = inline.spans(text)
        if lead.style:
            spans = [Span(text, f"{lead.style};{style}" if style else lead.style) for text, style in spans]
        return wrap(spans, columns, lead.first, lead.hang)

    def _open_fence(self, fence: re.Match[str], depth: int, indent: int) -> list[Row]:
        """Begin a block of code; what is said beside its language is shown."""
        rows = self._gap("code", depth)
        language = fence[2].lower() if self._has_colours else ""
        self._fence = _Fence(fence[1], depth, indent, Coloured(language))
        self._is_in_list = self._is_in_list and indent > 1
        return [*rows, [*self._bars, Span(fence[3].strip(), _DIM)]] if fence[3].strip() else rows

    def _in_code(self, fence: _Fence, lines: Sequence[str]) -> tuple[int, list[Row]]:
        """Draw the lines of a block of code up to its end; also return how many lines were taken."""
        code: list[str] = []
        count = 0
        for line in lines:
            depth, inner = _unquoted(line, fence.depth)
            content = inner.strip()
            if depth < fence.depth or (not fence.mark and not inner.startswith("    ")):
                self._fence = None
                break
            count += 1
            if fence.mark and content.startswith(fence.mark) and not content.strip(fence.mark[0]):
                self._fence = None
                break
            spare = len(inner) - len(inner.lstrip(" "))
            code.append(inner[min(fence.indent, spare) :])
        rows, coloured = fence.code.add(code)
        if self._fence:
            self._fence = fence._replace(code=coloured)
        self._is_after_blank = False
        return count, [[*self._bars, *row] for row in rows]

    def _gap(self, kind: str, depth: int) -> list[Row]:
        """Begin a line of a kind: one empty row before a new block, none inside of a paragraph or a list without empty lines."""
        is_inside = self._kind in ("text", "item") and (kind == "text" or (kind == "item" and self._is_in_list))
        is_first = not self._kind
        shared = min(depth, self._depth)
        self._bars = [Span("│ " * min(depth, _DEEPEST), _DIM)] if depth else []
        is_tight = is_inside and not self._is_after_blank and depth == self._depth
        self._kind, self._depth, self._is_after_blank = kind, depth, False
        return [] if is_first or is_tight else [[Span("│ " * min(shared, _DEEPEST), _DIM)] if shared else []]

    def _before(self, indent: int, columns: int) -> Row:
        """What stands before a row of text: bars of quotes, and the spaces that it came with."""
        room = columns // 2 - row_width(self._bars)
        return [*self._bars, Span(" " * min(indent, room))] if indent and room > 0 else self._bars


def _unquoted(line: str, most: int = 99) -> tuple[int, str]:
    """Return how deep in quotes a line stands, `most` at most, and the rest of it."""
    depth = 0
    while depth < most and (mark := re.match(r" {0,3}> ?", line)):
        depth += 1
        line = line[mark.end() :]
    return depth, line
