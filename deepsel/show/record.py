"""What all JSON records have in common: their version, how they are written, and the members that several of them have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from deepsel.errors import DeepselError
from deepsel.values import Usage

SCHEMA_VERSION = 1
_BATCH = 256


def dump(record: Any) -> str:
    """Write one record on one line; text that is no valid Unicode is escaped."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_plain)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = json.dumps(record, separators=(",", ":"), default=_plain)
    return text + "\n"


def dump_parts(record: Mapping[str, Any]) -> Iterator[str]:
    """Write one record on one line, part by part: members that are iterators become lists that are never whole in memory."""
    mark = "{"
    for name, value in record.items():
        yield f"{mark}{dump(name)[:-1]}:"
        if isinstance(value, Iterator):
            yield "["
            comma = ""
            while batch := list(islice(value, _BATCH)):
                yield comma + dump(batch)[1:-2]  # without the brackets
                comma = ","
            yield "]"
        else:
            yield dump(value)[:-1]
        mark = ","
    yield "}\n"


def _plain(value: Any) -> Any:
    """Turn what JSON has no form for into text."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def error_member(error: DeepselError) -> dict[str, str]:
    """Build the member `error`: the kind of error, and what was said."""
    return {"class": error.kind, "message": error.message}


def failed_record(error: DeepselError) -> dict[str, Any]:
    """Build the record of a command that ended before it had one of its own."""
    return {"schema": SCHEMA_VERSION, "error": error_member(error)}


def usage_member(usage: Usage) -> dict[str, Any]:
    """Build the usage member: totals that contain their parts, as people compare them with bills."""
    return {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.output_reasoning,
        "source": usage.source if (usage.input_tokens, usage.output_tokens) != (None, None) else None,
    }


def price_member(*, source: str, as_of: date | None, rule: str) -> dict[str, Any]:
    """Say where a price came from, when it was looked up there, and which of a model's prices it is; unknown is null."""
    return {"source": source or None, "as_of": as_of.isoformat() if as_of else None, "rule": rule or None}
