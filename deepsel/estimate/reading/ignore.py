"""What git ignores: `.gitignore` files of a folder and those above it, and the repository's `.git/info/exclude`.

Owns which rule files apply and their precedence (the nearest file that says anything wins,
https://git-scm.com/docs/gitignore), not what a pattern means (globs.py); a user's global ignore file is left out, so that a count
is the same on every machine.
"""

from __future__ import annotations

import errno
import os
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

from deepsel.errors import UsageError
from deepsel.estimate.reading.globs import Glob, parse
from deepsel.reads import read_file

_MOST_BYTES = 1 << 18
"""Of a rule file: each of its lines is held against each path."""
# (the folder its patterns are relative to, patterns: the last that hits decides), nearest file first
_Rules: TypeAlias = "tuple[tuple[Path, list[Glob]], ...]"


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
            relative = os.fsencode(whole.relative_to(base))
            for pattern in reversed(patterns):
                if pattern.hits(relative, is_folder=is_folder):
                    return not pattern.is_negative
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
    """One rule file; nothing where it is missing, cannot be read, or is not a file. UsageError where it is too large to be one."""
    path = folder / name
    try:
        raw = read_file(path, most_bytes=_MOST_BYTES) if path.is_file() else b""
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise UsageError(f"`{path}` is {error.strerror}, which no list of patterns is") from error
        return ()
    patterns = [glob for line in raw.removeprefix(b"\xef\xbb\xbf").split(b"\n") if (glob := parse(line)) is not None]
    return ((folder, patterns),) if patterns else ()
