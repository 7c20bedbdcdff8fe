"""Typed look-ups in JSON that came from outside; owns no provider's field names.

A value of the wrong kind reads as absent: a provider's slip must not become a traceback of ours.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import MAX_TOKENS, Json, JsonObject

_DECODER = json.JSONDecoder()
_NEXT_OBJECT = re.compile(r"\s*\{")
_MOST_DIGITS = 4000
"""Python reads whole numbers of no more than 4,300."""


def load_object(document: str) -> JsonObject:
    """Parse one JSON object without white space around it; raises AttemptFailed (malformed) for anything else."""
    try:
        loaded, end = _decoded(document)
        if end != len(document):
            raise ValueError("something follows the document")
        return _object(loaded)
    except (ValueError, RecursionError) as error:
        raise AttemptFailed(ErrorClass.MALFORMED, "the answer is not valid JSON") from error


def end_of_document(text: str, start: int) -> int | None:
    """Return where the JSON object that begins at `start` ends; None where there is none, or it breaks off."""
    try:
        loaded, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return end if isinstance(loaded, dict) else None


def load_leading_objects(document: bytes) -> Iterator[JsonObject]:
    """Parse the JSON objects a body begins with: one, or a stream without event lines; raises as `load_object`.

    What follows them is no part of the answer.
    """
    try:
        body = document.decode("utf-8-sig").lstrip()
        loaded, end = _decoded(body)
    except (ValueError, RecursionError) as error:
        raise AttemptFailed(ErrorClass.MALFORMED, "the answer is not valid JSON") from error
    yield _object(loaded)
    while (follows := _NEXT_OBJECT.match(body, end)) is not None:
        at = follows.end() - 1
        try:
            loaded, end = _decoded(body, at)
        except (ValueError, RecursionError):
            return
        yield _object(loaded)


def load_leading_object(document: bytes) -> JsonObject:
    """Parse the JSON object a body begins with; what follows it is no part of the answer. Raises as `load_object`."""
    return next(load_leading_objects(document))


def _decoded(document: str, at: int = 0) -> tuple[Json, int]:
    """Parse what stands at a place, and return where it ends; a number too long to be read is infinite, and costs no answer."""
    try:
        loaded, end = _DECODER.raw_decode(document, at)
    except json.JSONDecodeError:
        raise
    except ValueError:
        lenient = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) < _MOST_DIGITS else math.inf)
        loaded, end = lenient.raw_decode(document, at)
    return loaded, end


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


_ALL_IS_WELL = frozenset({"", "0", "200", "null", "none", "nil", "ok", "success", "no error", "false"})


def says_nothing(value: Json) -> bool:
    """Tell whether a member that is there says no more than one that is not: null, empty, zero, that all is well, or made of such."""
    if isinstance(value, dict):
        return all(map(says_nothing, value.values()))
    if isinstance(value, str):
        return value.strip().lower() in _ALL_IS_WELL
    return not value or (value == 200 and value is not True)




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


def first_count(*values: Json) -> int | None:
    """Return the first that is a count: a zero is one, an absent field is not."""
    return next((found for found in map(count, values) if found is not None), None)
