"""Lines of plain text by the columns they take on a terminal: wide characters take two, combining ones none."""

from __future__ import annotations

import unicodedata

_ELLIPSIS = "\u2026"


def width(text: str) -> int:
    """Return the columns a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def cut(text: str, columns: int) -> str:
    """Shorten a text to so many columns, keeping its end: a path's end tells more. What is not printable is replaced."""
    text = printable(text)
    if width(text) <= columns:
        return text
    room = columns - 1
    start = len(text)
    while start and (room := room - _columns_of(text[start - 1])) >= 0:
        start -= 1
    return _ELLIPSIS + text[start:] if columns > 0 else ""


def clipped(text: str, columns: int) -> str:
    """Drop what stands beyond so many columns."""
    if width(text) <= columns:
        return text.rstrip()
    taken = 0
    for place, char in enumerate(text):
        taken += _columns_of(char)
        if taken > columns:
            return text[:place].rstrip()
    return text.rstrip()


def padded(text: str, columns: int) -> str:
    """Fill a text up with spaces on its right."""
    return text + " " * (columns - width(text))


def padded_left(text: str, columns: int) -> str:
    """Fill a text up with spaces on its left."""
    return " " * (columns - width(text)) + text


def wrapped(text: str, columns: int, *, indent: str = "", first: str = "") -> list[str]:
    """Break a text at spaces into lines of at most so many columns; a longer word is cut.

    The first line begins with `first`, each further one with `indent`.
    """
    room = columns - max(width(first), width(indent))
    lines, is_begun = [first], False
    for word in text.split():
        word = cut(word, room) if width(word) > room else word
        if is_begun and width(lines[-1]) + 1 + width(word) > columns:
            lines.append(indent)
            is_begun = False
        lines[-1] += f" {word}" if is_begun else word
        is_begun = True
    return lines


def _columns_of(char: str) -> int:
    """Return the columns one character takes."""
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def printable(text: str) -> str:
    """Show a line break as its picture, a tab as a space, and what else has no form as the replacement character."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else "\u2424" if char == "\n" else " " if char == "\t" else "\ufffd" for char in text
    )
