"""Code in colours, without a background and as it came; the only importer of pygments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from deepsel.cli.drawing.cells import Row, Span
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_LONGEST = 1024
"""Characters that are read again with each new line; more is read without what stands before it."""

# The first of these that a token is a kind of.
_STYLES = (
    ("Comment", "2"),
    ("Literal.String", "32"),
    ("Literal.Number", "36"),
    ("Keyword", "35"),
    ("Name.Function", "94"),
    ("Name.Class", "94"),
    ("Name.Tag", "94"),
    ("Name.Decorator", "33"),
    ("Name.Attribute", "33"),
    ("Name.Builtin", "36"),
    ("Generic.Deleted", "31"),
    ("Generic.Inserted", "32"),
    ("Generic.Heading", "1"),
)


class Coloured(NamedTuple):
    """A block of code as far as it has come: its language, and the lines that the next one may depend on."""

    language: str
    before: str = ""

    def add(self, lines: Sequence[str]) -> tuple[list[Row], Coloured]:
        """Return the rows of more lines, and the block with them."""
        text = "".join(f"{line}\n" for line in lines)
        lexer = _lexer(self.language)
        if lexer is None or not lines:
            return [[Span(line)] if line else [] for line in lines], self
        rows, start = [Row()], 0
        for piece in _read(lexer, self.before + text):
            for at, part in enumerate(piece.text.split("\n")):
                if at:
                    rows.append(Row())
                    if not piece.style and not rows[-2]:
                        start = len(rows) - 1  # an empty line outside of strings and comments
                if part:
                    rows[-1].append(Span(part, piece.style))
        known = (self.before + text).split("\n")
        before = "\n".join(known[start:])
        return rows[len(rows) - 1 - len(lines) : -1], Coloured(self.language, before if len(before) <= _LONGEST else "")


def _read(lexer: Lexer, text: str) -> list[Span]:
    """Colour a text in pieces of a bounded size: a lexer may take quadratic time."""
    found: list[Span] = []
    while text:
        end = text.rfind("\n", 0, 4 * _LONGEST) + 1 if len(text) > 4 * _LONGEST else len(text)
        piece, text = (text[:end], text[end:]) if end else (text[: 4 * _LONGEST], text[4 * _LONGEST :])
        spans = [Span(part, _style(str(kind))) for kind, part in lexer.get_tokens(piece)]
        found += spans if "".join(span.text for span in spans) == piece else [Span(piece)]
    return found


@cache
def _style(kind: str) -> str:
    """The style of a kind of token, such as `Token.Literal.String.Doc`."""
    return next((style for name, style in _STYLES if f"{kind}.".startswith(f"Token.{name}.")), "")


@cache
def _lexer(language: str) -> Lexer | None:
    """What reads a language; None for one that nobody knows."""
    if not language:
        return None
    from pygments.lexers import get_all_lexers, get_lexer_by_name

    if not any(language in aliases for _, aliases, _, _ in get_all_lexers(plugins=False)):
        return None
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)
