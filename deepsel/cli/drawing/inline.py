"""What a line of Markdown looks like: bold, italic, code and links; the only importer of markdown-it-py.

Its rules are kept stricter than CommonMark's where that would make characters disappear which were meant: `2*3*4`, `__init__`,
`C:\\new\\*.txt`, `handlers[i](event)`. What is no markup beyond doubt is shown as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, autolink, image, link, strikethrough
from markdown_it.rules_inline.emphasis import tokenize as emphasis

from deepsel.cli.drawing.cells import Span

LONGEST = 4096
"""Characters that are read at once: brackets and stars without end must not make it slow."""

BOLD, ITALIC, STRUCK, CODE, LINK = "1", "3", "9", "36", "4"
_STYLES = {"strong_open": BOLD, "em_open": ITALIC, "s_open": STRUCK}
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
# What may stand outside of the stars that open and close, and inside of those that open.
_BEFORE, _AFTER, _INSIDE = " \t([{\"'*~_|:,;", " \t)]}\"'.,;:!?*~_|-/<", "([{\"'`$~_<\\"


def spans(text: str) -> list[Span]:
    """Return one line of text in styles; nothing but markup is left out."""
    found: list[Span] = []
    while len(text) > LONGEST:
        at = cut_at(text, LONGEST)
        found += _spans(text[:at])
        text = text[at:]
    return [*found, *_spans(text)]


def cut_at(text: str, end: int) -> int:
    """Return where to cut a text before `end`: at a space that is not inside of code, if one is near."""
    space, first = text.rfind(" ", 1, end), -1
    for _ in range(40):
        if space < end // 4:
            break
        if text.count("`", 0, space) % 2 == 0 and text.count("**", 0, space) % 2 == 0:
            return space
        first = max(first, space)
        space = text.rfind(" ", 1, space)
    return first if first > 0 else end


def _spans(text: str) -> Iterator[Span]:
    """Read one piece."""
    styles: list[str] = []
    for token in _parser().parseInline(text)[0].children or ():
        if token.nesting > 0:
            styles.append(_STYLES[token.type])
        elif token.nesting < 0:
            styles.pop()
        elif token.content:
            own = {"code_inline": CODE, "link": LINK}.get(token.type)
            yield Span(token.content, ";".join([*styles, own] if own else styles))


@cache
def _parser() -> MarkdownIt:
    """The parser with its rules for escapes, emphasis and links replaced by ours."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").disable("entity")
    rules = parser.inline.ruler
    rules.at("escape", _escape)
    for name, pairs in (("emphasis", emphasis), ("strikethrough", strikethrough.tokenize)):
        rules.at(name, _Strict(pairs))
    for name, address in (("link", link), ("image", image), ("autolink", autolink)):
        rules.at(name, _AsItCame(address))
    return parser


def _escape(state: StateInline, silent: bool) -> bool:
    """Take the meaning from the character after a backslash, and show both: most backslashes are part of a path or a pattern."""
    two = state.src[state.pos : state.pos + 2]
    if two[0] != "\\" or len(two) < 2 or two[1] not in _PUNCTUATION:
        return False
    if not silent:
        state.pending += two
    state.pos += 2
    return True


class _Strict:
    """A rule for markup in pairs that takes only what cannot be anything else."""

    def __init__(self, rule: Callable[[StateInline, bool], bool]) -> None:
        self._rule = rule

    def __call__(self, state: StateInline, silent: bool) -> bool:
        start, known = state.pos, len(state.delimiters)
        if state.src[start] == "_" or not self._rule(state, silent):
            return False
        before = state.src[start - 1] if start else " "
        after = state.src[state.pos] if state.pos < len(state.src) else " "
        opens = (not before.isascii() or before in _BEFORE) and (not after.isascii() or after.isalnum() or after in _INSIDE)
        closes = (not after.isascii() or after in _AFTER) and before != "/"
        for one in state.delimiters[known:]:
            one.open, one.close = one.open and opens, one.close and closes
        return True


class _AsItCame:
    """A rule for links whose text is shown as it was written, address and all."""

    def __init__(self, rule: Callable[[StateInline, bool], bool]) -> None:
        self._rule = rule

    def __call__(self, state: StateInline, silent: bool) -> bool:
        start = state.pos
        if not self._rule(state, True):
            return False
        if not silent:
            state.push("link", "", 0).content = state.src[start : state.pos]
        return True
