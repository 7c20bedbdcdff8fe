"""What git ignores: `.gitignore` files of a folder and those above it, and the repository's `.git/info/exclude`.

The one importer of pathspec. Owns which rule files apply and their precedence (the nearest file that says anything wins,
https://git-scm.com/docs/gitignore); a user's global ignore file is left out, so that a count is the same on every machine.
"""

from __future__ import annotations

import os
import re
import warnings
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathspec.pattern import RegexPattern

# (the folder its patterns are relative to, patterns: the last that hits decides), nearest file first
_Rules: TypeAlias = "tuple[tuple[Path, list[RegexPattern]], ...]"


class IgnoreRules:
    """The rules of every folder asked about, each file read once."""

    def __init__(self) -> None:
        self._rules: dict[Path, _Rules] = {}

    def start(self, folder: str) -> None:
        """Begin a walk at a folder: outside a repository, rule files above it do not count."""
        whole = _absolute(folder)
        if not any(map(_is_top, (whole, *whole.parents))):
            self._rules.setdefault(whole, _read(whole, ".gitignore"))

    def matches(self, path: str | Path, *, is_folder: bool) -> bool:
        """Return whether a rule leaves the path out, that of the folders above it taken for granted."""
        whole = _absolute(path)
        for base, patterns in self._of(whole.parent):
            relative = whole.relative_to(base).as_posix() + ("/" if is_folder else "")
            for pattern in reversed(patterns):
                if _hits(pattern, relative):
                    return bool(pattern.include)
        return False

    def is_ignored(self, path: str, *, is_folder: bool) -> bool:
        """Return whether a rule leaves out the path or a folder above it, up to the top of its repository."""
        whole = _absolute(path)
        folders = takewhile(lambda folder: not _is_top(folder), whole.parents)
        return self.matches(whole, is_folder=is_folder) or any(self.matches(one, is_folder=True) for one in folders)

    def _of(self, folder: Path) -> _Rules:
        """The rules for a folder's entries, nearest first."""
        unknown = list(takewhile(lambda one: one not in self._rules, (folder, *folder.parents)))
        for one in reversed(unknown):
            above = _read(one, ".git/info/exclude") if _is_top(one) else self._rules.get(one.parent, ())
            self._rules[one] = _read(one, ".gitignore") + above
        return self._rules[folder]


def _absolute(path: str | Path) -> Path:
    """The whole path without `..`, links kept as they are named."""
    return Path(os.path.abspath(path))  # noqa: PTH100  Path.resolve would follow links


def _is_top(folder: Path) -> bool:
    return os.path.lexists(folder / ".git")


def _read(folder: Path, name: str) -> _Rules:
    """One rule file; nothing where it is missing, cannot be read, or is not a file."""
    path = folder / name
    try:
        lines = path.read_text("utf-8-sig", "replace").split("\n") if path.is_file() else []
    except OSError:
        return ()
    return ((folder, _compile(lines)),) if lines else ()


def _compile(lines: list[str]) -> list[RegexPattern]:
    """Compile patterns; like git, pass over one that means nothing."""
    from pathspec import GitIgnoreSpec

    good: list[RegexPattern] = []
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # classes such as [[:alpha:]]
        for line in lines:
            try:
                good += [one for one in GitIgnoreSpec.from_lines([line]).patterns if one.include is not None]
            except (ValueError, re.error):
                continue
    return good


def _hits(pattern: RegexPattern, path: str) -> bool:
    """Return whether a pattern names the path itself; `path` ends in a slash where it is a folder.

    The library lets a pattern hit whatever is below what it names, also a negated one, where git asks at each level anew: there
    a match ends in the middle of the path, at the slash that the library's only group holds.
    """
    for match in pattern.regex.finditer(path) if pattern.regex else ():
        is_at_end = match.end() == len(path)
        if is_at_end if match.lastgroup else not (is_at_end and path.endswith("/")):
            return True
    return False
