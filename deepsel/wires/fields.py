"""Typed look-ups in JSON that came from outside; owns no provider's field names.

A value of the wrong kind reads as absent: a provider's slip must not become a traceback of ours.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Json, JsonObject

_DECODER = json.JSONDecoder()
_NEXT_OBJECT = re.compile(r"\s*\{")
_MONEY = re.compile(r"\$?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def load_object(document: str) -> JsonObject:
    """Parse one JSON object without white space around it; raises AttemptFailed (malformed) for anything else."""
    try:
        loaded, end = _DECODER.raw_decode(document)
        if end != len(document):
            raise ValueError("something follows the document")
        return _object(loaded)
    except (ValueError, RecursionError) as error:
        raise AttemptFailed(ErrorClass.MALFORMED, "the answer is not valid JSON") from error


def load_leading_objects(document: bytes) -> Iterator[JsonObject]:
    """Parse the JSON objects a body begins with: one, or a stream without event lines; raises as `load_object`.

    What follows them is no part of the answer.
    """
    try:
        body = document.decode("utf-8-sig").lstrip()
        loaded, end = _DECODER.raw_decode(body)
    except (ValueError, RecursionError) as error:
        raise AttemptFailed(ErrorClass.MALFORMED, "the answer is not valid JSON") from error
    yield _object(loaded)
    while (follows := _NEXT_OBJECT.match(body, end)) is not None:
        at = follows.end() - 1
        try:
            loaded, end = _DECODER.raw_decode(body, at)
        except (ValueError, RecursionError):
            return
        yield _object(loaded)


def load_leading_object(document: bytes) -> JsonObject:
    """Parse the JSON object a body begins with; what follows it is no part of the answer. Raises as `load_object`."""
    return next(load_leading_objects(document))


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


def says_nothing(value: Json) -> bool:
    """Tell whether a member that is there says no more than one that is not: null, empty, zero, or made of such."""
    if isinstance(value, dict):
        return all(map(says_nothing, value.values()))
    return not value or (isinstance(value, str) and value.strip().lower() in ("", "null", "none"))


MAX_TOKENS = 10**12
"""No call has more; a larger number is a mistake."""
MAX_USD = 10**6
"""No call costs more; a larger amount is a mistake."""
_SMALLEST_USD = Decimal("1e-12")
_LONGEST_AMOUNT = 40


def count(value: Json) -> int | None:
    """Return a number of tokens; None where it is absent, negative or no whole number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        return None
    return int(value) if 0 <= value <= MAX_TOKENS else None


def is_no_count(value: Json) -> bool:
    """Tell whether something stands where a number of tokens should, and is none."""
    return value is not None and count(value) is None


def amount(value: Json) -> Decimal | None:
    """Return a sum of money; None where it is absent, negative, no number, or more than a call can cost.

    Text is read too: headers carry it. Rounded to a millionth of a millionth, and to the digits a float has right.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int):
        return Decimal(value) if 0 <= value <= MAX_USD else None
    written = repr(value) if isinstance(value, float) else value.strip()
    if len(written) > _LONGEST_AMOUNT or not _MONEY.fullmatch(written):
        return None
    money = Decimal(written.removeprefix("$"))
    if money > MAX_USD:
        return None
    return _rounded(money) if money >= _SMALLEST_USD else Decimal(0)


def _rounded(money: Decimal) -> Decimal:
    """Drop what binary fractions add beyond the 15 digits they have right: hosts state 0.0000123 as 1.2300000000000002e-05."""
    rounded = Decimal(f"{money:.15g}").quantize(_SMALLEST_USD)
    return money if rounded == money else rounded.normalize()


def first_count(*values: Json) -> int | None:
    """Return the first that is a count: a zero is one, an absent field is not."""
    return next((found for found in map(count, values) if found is not None), None)
