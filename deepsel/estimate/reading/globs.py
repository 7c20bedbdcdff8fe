"""Patterns of git's ignore files, matched in time that grows with the path and the pattern alone.

A pattern becomes a regular expression in which what follows a star is looked for once, at the first place where it is (an atomic
group), never again further on: a later place cannot help, since the star before it takes whatever is left. The rules are those of
git's `dir.c` and `wildmatch.c` (https://git-scm.com/docs/gitignore), which knows bytes and no characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

_CLASSES = {
    name: re.compile(rb"[" + members + rb"]")
    for name, members in {
        b"alnum": rb"0-9A-Za-z", b"alpha": rb"A-Za-z", b"blank": rb" \t", b"cntrl": rb"\x00-\x1f\x7f", b"digit": rb"0-9",
        b"graph": rb"!-~", b"lower": rb"a-z", b"print": rb" -~", b"punct": rb"!-/:-@\[-`{-~", b"space": rb" \t-\r",
        b"upper": rb"A-Z", b"xdigit": rb"0-9A-Fa-f",
    }.items()
}  # fmt: skip
_NEVER = rb"(?!)"
_NAMED = re.compile(rb"\[:([^\]]*):\]")
_STARS = re.compile(rb"\*+")
_SPECIAL = re.compile(rb"[*?\[\\]")
_SPACES = re.compile(rb"((?:[^\\]|\\.)*?) *\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Glob:
    """One line of an ignore file."""

    regex: re.Pattern[bytes]
    is_negative: bool
    """It takes back what a line before it ignores."""
    needs_folder: bool
    is_of_name: bool
    """It is held against the last part of a path alone."""

    def hits(self, path: bytes, *, is_folder: bool) -> bool:
        """Tell whether it names a path, relative to the folder of its file, itself; not whether it names one above it."""
        if self.needs_folder and not is_folder:
            return False
        return self.regex.fullmatch(path.rpartition(b"/")[2] if self.is_of_name else path) is not None


def parse(line: bytes) -> Glob | None:
    """Read a line without its line feed; None where it says nothing."""
    text = line.removesuffix(b"\r").partition(b"\0")[0]
    if text.startswith(b"#"):
        return None
    found = _SPACES.match(text)
    text = found[1] if found else text
    is_negative = text.startswith(b"!")
    text = text[is_negative:]
    needs_folder = text.endswith(b"/")
    text = text.removesuffix(b"/")
    if not text:
        return None
    is_of_name = b"/" not in text
    return Glob(re.compile(_regex(text.removeprefix(b"/"), is_of_name=is_of_name), re.DOTALL), is_negative, needs_folder, is_of_name)


# --- from pattern to expression ---------------------------------------------------------------------------------------


class _Star(Enum):
    """What stands for any number of bytes."""

    ONE = "one"
    """Within one part of the path."""
    DEEP = "deep"
    """Across parts."""
    FOLDERS = "folders"
    """Any number of whole parts, none too, with the slash behind them."""


_Items: TypeAlias = "list[bytes | _Star]"


def _regex(pattern: bytes, *, is_of_name: bool) -> bytes:
    """Write a pattern as an expression for the whole of a path; one that git takes for malformed matches nothing."""
    items = _items(pattern, is_of_name=is_of_name)
    if items is None:
        return _NEVER
    deep = [place for place, item in enumerate(items) if item in (_Star.DEEP, _Star.FOLDERS)]
    texts = [_within(items[: deep[0]] if deep else items, is_last=not deep)]
    for start, end in zip(deep, [*deep[1:], len(items)], strict=True) if deep else ():
        is_last = end == len(items)
        inside = _within(items[start + 1 : end], is_last=is_last)
        if is_last:
            texts += [rb".*" if items[start] is _Star.DEEP else rb"(?:|.*/)", inside]
        else:
            texts += [rb"(?>", rb".*?" if items[start] is _Star.DEEP else rb"(?:|.*?/)", inside, rb")"]
    return b"".join(texts)


def _within(items: _Items, *, is_last: bool) -> bytes:
    """Write what stands between stars that cross parts; only the last star of all may have to look for the end of the path."""
    stars = [place for place, item in enumerate(items) if item is _Star.ONE]
    ends = [*stars[1:], len(items)]
    texts: list[bytes | _Star] = [*items[: stars[0] if stars else len(items)]]
    for start, end in zip(stars, ends, strict=False):
        piece = items[start + 1 : end]
        texts += [rb"[^/]*", *piece] if is_last and end == len(items) else [rb"(?>[^/]*?", *piece, rb")"]
    return b"".join(one for one in texts if isinstance(one, bytes))


def _items(pattern: bytes, *, is_of_name: bool) -> _Items | None:
    """Cut a pattern into expressions of one byte and stars; None where it is malformed."""
    items: _Items = []
    first = _SPECIAL.search(pattern)
    at = 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if stars := _STARS.match(pattern, at):
            end = stars.end()
            # What stands before its first special byte git compares by itself, and takes the rest for a pattern of its own.
            is_free = at == 0 or pattern[at - 1 : at] == b"/" or (first is not None and at == first.start())
            is_deep = end - at > 1 and is_free and not is_of_name
            star, at = _star(pattern, end) if is_deep else (_Star.ONE, end)
            items.append(star)
            continue
        if byte == b"[":
            found = _class(pattern, at + 1)
            if found is None:
                return None
            item, at = found
        elif byte == b"\\":
            item, at = re.escape(pattern[at + 1 : at + 2]), at + 2
            if not item:
                return None
        else:
            item, at = rb"[^/]" if byte == b"?" else re.escape(byte), at + 1
        items.append(item)
    return items


def _star(pattern: bytes, end: int) -> tuple[_Star, int]:
    """Say what several stars mean that begin a part, and where what follows begins."""
    if pattern[end : end + 1] == b"/":
        return _Star.FOLDERS, end + 1
    return (_Star.DEEP if end == len(pattern) or pattern[end : end + 2] == b"\\/" else _Star.ONE), end


def _class(pattern: bytes, at: int) -> tuple[bytes, int] | None:
    """Read a class from behind its bracket: its expression, and where what follows begins; None where it is malformed."""
    is_negative = pattern[at : at + 1] in (b"!", b"^")
    at += is_negative
    members: set[int] = set()
    start, before = at, 0
    while at < len(pattern) and (at == start or pattern[at] != ord("]")):
        named = _NAMED.match(pattern, at)
        if named:
            if named[1] not in _CLASSES:
                return None
            members.update(byte for byte in range(256) if _CLASSES[named[1]].match(bytes([byte])))
            at, before = named.end(), 0
            continue
        is_range = bool(before) and pattern[at] == ord("-") and pattern[at + 1 : at + 2] not in (b"", b"]")
        at += is_range
        at += pattern[at : at + 1] == b"\\"
        if at >= len(pattern):
            return None
        members.update(range(before if is_range else pattern[at], pattern[at] + 1))
        at, before = at + 1, 0 if is_range else pattern[at]
    taken = (set(range(256)) - members if is_negative else members) - {ord("/")}
    listed = b"".join(b"\\x%02x" % one for one in sorted(taken))
    return None if at >= len(pattern) else (b"[" + listed + b"]" if listed else _NEVER, at + 1)
