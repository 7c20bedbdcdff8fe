"""Patterns of a JSON Schema, which are JavaScript's, searched for in bounded time; the only importer of regex.

That engine knows the Unicode properties (`\\p{L}`) that Python's has not, and gives up after a time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from deepsel.engine.checks.time_left import OutOfTime

_MOST_S = 1.0
"""Of computing, for one search: what takes longer takes without end."""
MOST_CHARS = 10_000
"""Longer patterns take long to compile, which nothing can stop."""
_TOKEN = re.compile(r"\\u\{([0-9A-Fa-f]{1,6})\}|\\c([A-Za-z])|\\k<(\w+)>|\\.|\[\^?(?:\\u\{[0-9A-Fa-f]{1,6}\}|\\.|[^\]\\])*\]|\$", re.DOTALL)
_IN_CLASS = re.compile(r"\\u\{([0-9A-Fa-f]{1,6})\}|\\c([A-Za-z])|\\.|\[", re.DOTALL)


class BadPattern(ValueError):
    """A pattern that cannot be used; the message says why, in words that follow its name."""


def check_pattern(pattern: str) -> None:
    """Raise BadPattern where a pattern is none that can be searched for."""
    _compiled(pattern)


def finds(pattern: str, text: str, *, within_s: float) -> bool:
    """Tell whether a pattern is found anywhere in a text; raises BadPattern, or OutOfTime after a second of computing."""
    try:
        return _compiled(pattern).search(text, timeout=min(within_s, _MOST_S)) is not None
    except TimeoutError as error:
        raise OutOfTime from error


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    import regex

    if len(pattern) > MOST_CHARS:
        raise BadPattern(f"is longer than {MOST_CHARS:,} characters")
    try:
        return regex.compile(_TOKEN.sub(_translated, pattern), regex.VERSION0)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise BadPattern(f"cannot be read ({str(error)[:100]})") from error


def _translated(token: re.Match[str]) -> str:
    """Write in the engine's words what JavaScript writes otherwise; all else stays, `\\d` and `\\w` of any script too."""
    text = token[0]
    if text.startswith("["):
        head = "[^" if text.startswith("[^") else "["
        return head + _IN_CLASS.sub(_character, text[len(head) : -1]) + "]"
    if token[3]:
        return f"(?P={token[3]})"
    return r"\Z" if text == "$" else _character(token)


def _character(token: re.Match[str]) -> str:
    """Translate what stands for one character."""
    if token[1]:
        return re.escape(chr(min(int(token[1], 16), 0x10FFFF)))
    if token[2]:
        return re.escape(chr(ord(token[2]) % 32))
    return r"\[" if token[0] == "[" else token[0]
