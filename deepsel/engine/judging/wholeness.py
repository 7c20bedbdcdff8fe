"""Recognises text that stops too early although its provider calls it whole; pure."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_JSON_START = re.compile(r"\A\s*(?:```[A-Za-z]*\s*\n\s*)?([{\[])\s*[\"{\[\]}\d-]")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?:\s|\Z)|[。！？।؟]")
_LEAST_SENTENCES = 3
"""Prose shorter than that may end without a full stop."""


def stops_inside(text: str) -> str | None:
    """Name what `text` stops inside of: a code fence or a JSON document; None where neither is open."""
    if _is_open_json(text):
        return "a JSON document"
    if _has_open_fence(text):
        return "a code fence"
    return None


def stops_in_sentence(text: str) -> bool:
    """Tell whether running prose breaks off in a word or sentence; a suspicion, since titles and lists end so too."""
    line = text.rstrip().rpartition("\n")[2]
    if not text.strip() or not line[-1:].isalpha() or len(line) < 40 or line.lstrip()[:1] in "-*+#|>`0123456789":
        return False
    return len(_SENTENCE_END.findall(text)) >= _LEAST_SENTENCES


def _has_open_fence(text: str) -> bool:
    """Tell whether the last code fence is not closed (CommonMark 0.31, section 4.5).

    Where the fences are even in number the text is taken for whole: models nest them without lengthening the outer one.
    """
    opened, marks = "", _FENCE.findall(text)
    if len(marks) % 2 == 0:
        return False
    for mark, info in marks:
        if not opened:
            opened = mark
        elif mark.startswith(opened) and not info.strip():
            opened = ""
    return bool(opened)


def _is_open_json(text: str) -> bool:
    """Tell whether text that begins as a JSON document ends with a bracket or a string still open."""
    start = _JSON_START.match(text)
    if start is None:
        return False
    depth, in_string, escaped = 0, False, False
    for char in text[start.start(1) :]:
        if in_string:
            escaped, in_string = char == "\\" and not escaped, char != '"' or escaped
        elif char == '"':
            in_string = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return False
    return depth > 0
