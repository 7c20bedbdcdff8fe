"""The blocks of code that stand between fences in a Markdown text; pure.

Rules: CommonMark 0.31, section 4.5: three or more backticks or tildes, indented by three spaces at most, closed by as many.
"""

from __future__ import annotations

import re

from deepsel.records import NamedTuple

_OPENING = re.compile(r"( {0,3})(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$")
_ALIKE = (
    {"py", "python", "python3"}, {"js", "javascript", "node"}, {"ts", "typescript"}, {"sh", "bash", "shell", "zsh", "console"},
    {"yml", "yaml"}, {"md", "markdown"}, {"json", "jsonc"}, {"c++", "cpp"}, {"rb", "ruby"}, {"rs", "rust"}, {"go", "golang"},
)  # fmt: skip


class Fenced(NamedTuple):
    """One block."""

    language: str
    """In lower case; empty where none is named."""
    code: str


def fenced_blocks(text: str) -> list[Fenced]:
    """Return the blocks of a text in order; one that nothing closes goes to the end."""
    found: list[Fenced] = []
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        opening = _OPENING.match(line.rstrip("\r\n"))
        if opening is None:
            continue
        indent, fence = len(opening[1]), opening[2]
        code = []
        for inner in lines:
            bare = inner.strip()
            if len(bare) >= len(fence) and set(bare) == {fence[0]} and len(inner) - len(inner.lstrip(" ")) <= 3:
                break
            code.append(inner[min(indent, len(inner) - len(inner.lstrip(" "))) :])
        found.append(Fenced(opening[3].lower(), "".join(code)))
    return found


def last_block(text: str, language: str = "") -> str | None:
    """Return the code of the last block, or of the last one in a language; None where there is none."""
    names = next((alike for alike in _ALIKE if language.lower() in alike), {language.lower()})
    blocks = [one.code for one in fenced_blocks(text) if not language or one.language in names]
    return blocks[-1] if blocks else None
