"""Styled text in cells of a terminal: how wide it is, and how it is broken into rows without losing a character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from deepsel.cli.terminal.terminal import Look
from deepsel.records import NamedTuple


class Span(NamedTuple):
    """A piece of text in one style: parameters of a terminal's SGR sequence, such as `1;36`; empty for none."""

    text: str
    style: str = ""


Row = list[Span]


class Drawn(NamedTuple):
    """What a text looks like."""

    done: list[Row]
    """Rows that are new and will not change. One of code may be longer than the window: so it can be copied as one line."""
    open: list[Row]
    """Rows after them that may change, fewer than the window is high."""


# A break may stand before and after each of these: scripts without spaces. What closes or combines stays with what it follows.
_WIDE = "\u1100-\u115f\u2e80-\u3000\u3005-\u3007\u3021-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003fffd"
_STAYS = "\u0300-\u036f\u3099\u309a\ufe00-\ufe0f、。，．：；！？）」』】》〉”’…"
_PIECE = re.compile(f"([ \t]+)|([{_WIDE}][{_STAYS}]*)|[^ \t{_WIDE}]+")
# One character as it is seen: with its accents and shades, and what is joined to it.
_SEEN = re.compile("(?s).(?:[\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]|\u200d.){0,12}")


@lru_cache(maxsize=4096)
def _cells(char: str) -> int:
    """The columns of one character, rather one too many than one too few: a row must never be longer than the window."""
    if char == "\ufe0f":
        return 1  # makes an emoji of a sign that is one column wide
    kind = unicodedata.category(char)
    if kind in ("Mn", "Me") or (kind == "Cf" and char > "\u2000"):
        return 0
    is_emoji = "\U0001f300" <= char <= "\U0001faff"  # newer ones are not in Python's tables yet
    return 2 if is_emoji or unicodedata.east_asian_width(char) in "WF" else 1


def width(text: str) -> int:
    """Return the columns that a text without line feeds and tabs takes at most."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def row_width(row: Iterable[Span]) -> int:
    """Return the columns that a row takes at most."""
    return sum(width(span.text) for span in row)


def wrap(spans: Iterable[Span], columns: int, first: Row | None = None, hang: Row | None = None) -> list[Row]:
    """Break spans into rows of at most `columns`, at spaces and between wide characters; a longer word is folded.

    `first` stands before the first row, `hang` before each other one. Always gives at least one row.
    """
    rows, hang = [list(first or [])], hang or []
    at, hang_width = row_width(rows[0]), row_width(hang)
    start = min(at, hang_width)
    for space, word in _words(spans):
        size = row_width(word)
        if at + width(space.text) + size <= columns:
            rows[-1] += [space, *word] if space.text else word
            at += width(space.text) + size
            continue
        if at > start:
            rows.append(list(hang))
            at = start = hang_width
        if at + size <= columns:
            rows[-1] += word
            at += size
            continue
        head, *others = fold(word, columns - at, columns - hang_width)
        rows[-1] += head
        rows += [[*hang, *other] for other in others]
        at, start = row_width(rows[-1]), hang_width
    return rows


def _words(spans: Iterable[Span]) -> Iterator[tuple[Span, Row]]:
    """Yield what must stay together, each with the space before it; a word may change its style inside."""
    space, word = Span(""), Row()
    for span in spans:
        for piece in _PIECE.finditer(span.text):
            if word and (piece[1] or piece[2]):
                yield space, word
                space, word = Span(""), Row()
            if piece[1]:
                space = Span(space.text + piece[0].replace("\t", "    "), span.style)
            elif piece[2]:
                yield space, [Span(piece[0], span.style)]
                space = Span("")
            else:
                word.append(Span(piece[0], span.style))
    if word:
        yield space, word


def fold(row: Iterable[Span], first: int, columns: int) -> list[Row]:
    """Cut a row into pieces of at most `columns`, the first of at most `first`, never inside of one character as it is seen."""
    rows, room = [Row()], max(first, 1)
    for text, style in row:
        start = 0
        for seen in _SEEN.finditer(text):
            size = width(seen[0])
            if size > room and (rows[-1] or seen.start() > start or (len(rows) == 1 and first < size)):
                if seen.start() > start:
                    rows[-1].append(Span(text[start : seen.start()], style))
                rows.append(Row())
                start, room = seen.start(), max(columns, 1)
            room -= size
        rows[-1].append(Span(text[start:], style))
    return rows


def styled(row: Row, look: Look) -> str:
    """Return a row with the escape sequences of its styles, as far as they are wanted; it ends in none."""
    text, style = "", ""
    for span in row:
        wanted = _wanted(span.style, look)
        if wanted != style and span.text:
            text += ("\x1b[0m" if style else "") + (f"\x1b[{wanted}m" if wanted else "")
            style = wanted
        text += span.text
    return text + ("\x1b[0m" if style else "")


def _wanted(style: str, look: Look) -> str:
    """Leave out of a style what the terminal shall not show."""
    if not style or not look.has_styles:
        return ""
    return style if look.has_colours else ";".join(one for one in style.split(";") if len(one) == 1)
