"""Files of a work tree as git would store them, without any program that the repository names: line ends and encodings by rules.

Owns what the attributes of a path mean (https://git-scm.com/docs/gitattributes); asks git nothing itself.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

ATTRIBUTES = ("filter", "text", "crlf", "eol", "working-tree-encoding")
"""Those that decide what of a file on disk git would store."""
_UNSET = ("unset", "unspecified")
_LONE_CR = re.compile(rb"\r(?!\n)")


def filter_of(attributes: Mapping[str, str]) -> str:
    """Name the filter that stands between a file on disk and what git stores; empty where there is none."""
    name = attributes.get("filter", "unspecified")
    return "" if name in (*_UNSET, "set") else name


def as_stored(
    raw: bytes, attributes: Mapping[str, str], *, autocrlf: bool, indexed: Callable[[], bytes | None]
) -> bytes:
    """Return the bytes that git would store for those of a file; `indexed` gives what it has stored, if anything."""
    encoding = attributes.get("working-tree-encoding", "unspecified")
    if encoding not in (*_UNSET, "set"):
        raw = _as_utf8(raw, encoding)
    kind = _line_ends(attributes, autocrlf=autocrlf)
    if kind == "kept" or b"\r\n" not in raw:
        return raw
    if kind == "guessed" and (b"\0" in raw or _LONE_CR.search(raw) or b"\r\n" in (indexed() or b"")):
        return raw
    return raw.replace(b"\r\n", b"\n")


def _line_ends(attributes: Mapping[str, str], *, autocrlf: bool) -> str:
    """Say whether line ends are `kept`, `changed`, or changed where the file is `guessed` to be text."""
    text = attributes.get("text", "unspecified")
    if text == "unspecified":
        text = attributes.get("crlf", "unspecified")  # its name before 2010; `input` said what `eol=lf` says
    if text == "unset":
        return "kept"
    if text in ("set", "input"):
        return "changed"
    if text == "auto":
        return "guessed"
    if attributes.get("eol") in ("lf", "crlf"):
        return "changed"
    return "guessed" if autocrlf else "kept"


def _as_utf8(raw: bytes, encoding: str) -> bytes:
    """Return a text in the encoding that git stores; as it is where it is not in the one that is named."""
    try:
        return raw.decode(encoding).encode()
    except (LookupError, ValueError):
        return raw


def read_regular(path: Path, most_bytes: int) -> bytes | None:
    """Return a file of the work tree; None where it is none, or too large."""
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most_bytes:
            return None
        return path.read_bytes()
    except OSError:
        return None
