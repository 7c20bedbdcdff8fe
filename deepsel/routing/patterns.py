"""Patterns that are compiled when they are first used: a prompt needs few of those there are, and some take milliseconds."""

from __future__ import annotations

import re
from typing import Any, cast

_VERBS = ("search", "match", "fullmatch", "findall", "finditer", "sub", "split")


class _LatePattern:
    """Stands for a pattern; from its first use on its verbs are the pattern's own."""

    def __init__(self, text: str, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        if name not in _VERBS:
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        for verb in _VERBS:
            setattr(self, verb, getattr(compiled, verb))
        return getattr(compiled, name)


def late(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that takes nothing until it is used."""
    return cast("re.Pattern[str]", _LatePattern(text, flags))
