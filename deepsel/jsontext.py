"""JSON as its standard has it: no NaN, no Infinity, no number that Python would write as one, no depth that ends in a crash."""

from __future__ import annotations

import json
from math import isinf
from typing import Any


def loads(text: str | bytes) -> Any:
    """Parse one document; raises ValueError, also where it is nested too deeply."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_number)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def is_json(text: str) -> bool:
    """Tell whether a text is one document."""
    try:
        loads(text)
    except ValueError:
        return False
    return True


def load_at(text: str, start: int) -> tuple[Any, int]:
    """Parse the document that begins at `start`, and return it and where it ends; raises like `loads`."""
    try:
        return json.JSONDecoder(parse_constant=_no_number, parse_float=_number).raw_decode(text, start)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _no_number(word: str) -> float:
    """Refuse what Python takes for a number."""
    raise ValueError(f"`{word}` is no number of JSON")


def _number(digits: str) -> float:
    """Read a fraction or a power."""
    value = float(digits)
    if isinf(value):
        raise ValueError(f"`{digits[:40]}` is too large a number")
    return value
