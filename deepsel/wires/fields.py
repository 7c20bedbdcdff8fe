"""Typed look-ups in JSON that came from outside; owns no provider's field names.

A value of the wrong kind reads as absent: a provider's slip must not become a traceback of ours.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal, InvalidOperation

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Json, JsonObject

_DECODER = json.JSONDecoder()


def load_object(document: str) -> JsonObject:
    """Parse one JSON object without white space around it; raises AttemptFailed (malformed) for anything else."""
    try:
        loaded, end = _DECODER.raw_decode(document)
        if end != len(document):
            raise ValueError("something follows the document")
        return _object(loaded)
    except (ValueError, RecursionError) as error:
        raise AttemptFailed(ErrorClass.MALFORMED, "the answer is not valid JSON") from error


def load_leading_object(document: bytes) -> JsonObject:
    """Parse the JSON object a body begins with; what follows it is no part of the answer. Raises as `load_object`."""
    try:
        loaded, _ = _DECODER.raw_decode(document.decode("utf-8-sig").lstrip())
        return _object(loaded)
    except (ValueError, RecursionError) as error:
        raise AttemptFailed(ErrorClass.MALFORMED, "the answer is not valid JSON") from error


def _object(loaded: Json) -> JsonObject:
    if not isinstance(loaded, dict):
        raise AttemptFailed(ErrorClass.MALFORMED, "the answer is JSON, but not an object")
    return loaded


def child(value: Json, name: str) -> JsonObject:
    """Return the member that is an object; empty where it is not there."""
    member = value.get(name) if isinstance(value, dict) else None
    return member if isinstance(member, dict) else {}


def items(value: Json) -> list[Json]:
    """Return the list, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str:
    """Return the text, or an empty one."""
    return value if isinstance(value, str) else ""


MAX_TOKENS = 10**12
"""No call has more; a larger number is a mistake."""


def count(value: Json) -> int | None:
    """Return a number of tokens; None where it is absent, negative or no whole number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 <= value <= MAX_TOKENS or value != int(value):
        return None
    return int(value)


def amount(value: Json) -> Decimal | None:
    """Return a sum of money; None where it is absent, negative or no number. Text is read too: headers carry it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        money = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return money if money.is_finite() and money >= 0 else None


def first_count(*values: Json) -> int | None:
    """Return the first that is a count: a zero is one, an absent field is not."""
    return next((found for found in map(count, values) if found is not None), None)
