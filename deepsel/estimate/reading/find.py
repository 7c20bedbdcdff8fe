"""Which files the given paths name: folders walked, patterns expanded, what cannot be text left out with its reason.

Owns the order (as given, a folder's entries by name), links (never followed in a walk) and devices; not what is inside a
file, and not the ignore rules (ignore.py).
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from deepsel.errors import UsageError
from deepsel.estimate.reading.ignore import IgnoreRules
from deepsel.estimate.records import Skipped

STDIN = "-"
_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe; send its text to standard input instead (`-`)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One text to read."""

    path: str
    """As the system names it; `-` is standard input."""
    size_bytes: int | None
    """None: standard input, whose length is not known beforehand."""

    @property
    def label(self) -> str:
        """The path as it can be printed: bytes that are not UTF-8 replaced."""
        return label(self.path)


def label(path: str) -> str:
    """Return a path as it can be printed: bytes that are not UTF-8 replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def find(paths: Sequence[str]) -> tuple[list[Found], list[Skipped]]:
    """List every file that `paths` name, each once; raise UsageError for a path that is not there."""
    found: list[Found] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    real = lru_cache(maxsize=64)(os.path.realpath)
    for item in _walk_all(paths):
        identity = _identity(item, real)
        if identity in seen:
            continue
        seen.add(identity)
        if isinstance(item, Found):
            found.append(item)
        else:
            skipped.append(Skipped(label(item.path), item.reason))
    return found, skipped


def _identity(item: Found | Skipped, real: Callable[[str], str]) -> str:
    """A file is itself under every name; a link that is not followed is not its target."""
    if item.path == STDIN:
        return STDIN
    if isinstance(item, Found):
        # A walk meets thousands of files in few folders, and no links.
        folder, name = os.path.split(item.path)
        is_link = Path(item.path).is_symlink()
        return os.path.realpath(item.path) if is_link else os.path.join(real(folder), name)  # noqa: PTH118  strings are compared
    path = Path(item.path)
    return f"skipped {path.parent.resolve() / path.name}"


def _walk_all(paths: Sequence[str]) -> Iterator[Found | Skipped]:
    rules = IgnoreRules()
    for path in paths:
        if path == STDIN:
            yield Found(STDIN, None)
        elif os.path.lexists(path):
            yield from _named(path, rules)
        else:
            yield from _pattern(path, rules)


def _pattern(pattern: str, rules: IgnoreRules) -> Iterator[Found | Skipped]:
    """Expand a pattern the shell left alone; what git ignores is not matched, as nobody named it."""
    # Not Path.glob: it refuses absolute patterns.
    matches = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else []  # noqa: PTH207
    if not matches:
        raise _missing(pattern)
    rules.start(_literal_folder(pattern))
    kept = [path for path in matches if not rules.is_ignored(path, is_folder=Path(path).is_dir())]
    if not kept:
        raise UsageError(f"git ignores every file that matches `{label(pattern)}`", "name a file to read it all the same")
    for path in kept:
        yield from _named(path, rules)


def _literal_folder(pattern: str) -> str:
    """The deepest folder that stands in a pattern as it is."""
    parts = Path(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return str(Path(*parts[:fixed]))


def _missing(path: str) -> UsageError:
    if glob.has_magic(path):
        return UsageError(f"no file matches `{label(path)}`")
    folder = Path(path).parent
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names alone
    except (OSError, ValueError):  # it is not there either, may not be read, or no name is that long
        names = []
    near = get_close_matches(Path(path).name, names, n=1)
    hint = f"did you mean `{label(str(folder / near[0]))}`?" if near else ""
    return UsageError(f"`{label(path)}` does not exist", hint)


def _named(path: str, rules: IgnoreRules) -> Iterator[Found | Skipped]:
    """What was named is read even where git ignores it, and through a link."""
    try:
        state = Path(path).stat()
    except OSError as error:
        yield Skipped(path, _reason(error))
        return
    if stat.S_ISDIR(state.st_mode):
        rules.start(path)
        yield from _walk(path, rules)
    else:
        yield _entry(path, state)


def _walk(folder: str, rules: IgnoreRules) -> Iterator[Found | Skipped]:
    """A folder's files, depth first without recursion, so that no depth is too deep."""
    stack = [folder]
    while stack:
        path = stack.pop()
        try:
            state = Path(path).lstat() if path != folder else Path(path).stat()
            if stat.S_ISDIR(state.st_mode):
                stack += reversed(_children(path, rules))
                continue
        except OSError as error:
            yield Skipped(path, _reason(error))
            continue
        yield _entry(path, state)


def _children(folder: str, rules: IgnoreRules) -> list[str]:
    """A folder's entries by name, without `.git` and what git ignores."""
    with os.scandir(folder) as entries:
        kept = [
            os.path.normpath(entry.path) if folder == "." else entry.path
            for entry in entries
            if entry.name != ".git" and not rules.matches(entry.path, is_folder=entry.is_dir(follow_symlinks=False))
        ]
    return sorted(kept)


def _entry(path: str, state: os.stat_result) -> Found | Skipped:
    if stat.S_ISREG(state.st_mode):
        return Found(path, state.st_size)
    if stat.S_ISLNK(state.st_mode):
        return Skipped(path, "a symbolic link; name it to follow it")
    reasons = [reason for test, reason in _SPECIAL if test(state.st_mode)]
    return Skipped(path, reasons[0] if reasons else "not a regular file")


def _reason(error: OSError) -> str:
    """What the system says, in lower case without the path."""
    return (error.strerror or str(error)).lower()
