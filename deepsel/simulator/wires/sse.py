"""Writes server-sent events; reading them is the client's matter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deepsel.simulator.answers.tokens import pieces


def compact(body: Mapping[str, Any]) -> bytes:
    """Write JSON in UTF-8 without spaces; escaped where a lone surrogate from a prompt forbids UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


def event(body: Mapping[str, Any], name: str | None = None) -> bytes:
    """Write one event, with an event line where it has a name."""
    line = b"event: " + name.encode() + b"\n" if name else b""
    return line + b"data: " + compact(body) + b"\n\n"


def grouped(text: str, chunk_tokens: int) -> Iterator[tuple[str, int]]:
    """Cut a text into the parts of its events, each with its number of tokens."""
    tokens = pieces(text)
    for start in range(0, len(tokens), chunk_tokens):
        part = tokens[start : start + chunk_tokens]
        yield "".join(part), len(part)
