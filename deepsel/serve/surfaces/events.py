"""Server-sent events and JSON as bytes."""

from __future__ import annotations

import json
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_bytes(value: Any) -> bytes:
    """Write JSON without blanks; half a surrogate pair, which has no form in UTF-8, as `?`."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


def event(data: str | bytes, name: str = "") -> bytes:
    """Write one event, whose data may have several lines."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
    if b"\n" in raw or b"\r" in raw:
        raw = b"\ndata: ".join(raw.splitlines())
    return b"event: %b\ndata: %b\n\n" % (name.encode(), raw) if name else b"data: %b\n\n" % raw
