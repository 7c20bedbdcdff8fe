"""Markdown as GitHub reads it: tables, and text from outside that cannot become markup."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def escape(text: str) -> str:
    """Return text on one line in which nothing is Markdown or HTML."""
    text = _printable(" ".join(text.split()))
    for char in "\\`*_<>|[]&~":
        text = text.replace(char, "\\" + char)
    return text


def code(text: str) -> str:
    """Quote a name so that nothing in it is Markdown or HTML."""
    text = _printable(text).replace("|", "\\|")
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int] = (0,)) -> str:
    """Return a table of cells that are Markdown already; the columns in `left` to the left, the others to the right."""
    rule = ["---" if place in left else "---:" for place in range(len(heads))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
