"""JSON from outside, with half characters replaced: the one place where they are, for all that is read as messages."""

from __future__ import annotations

import re

from deepsel.jsontext import loads
from deepsel.records import NamedTuple
from deepsel.surrogates import without_surrogates
from deepsel.values import Json, JsonObject

_MAY_HALVE = re.compile(r"\\u[dD][89a-fA-F]")


class Loaded(NamedTuple):
    """A JSON value."""

    value: Json
    has_lone_surrogates: bool
    """Whether an escape stood for half a character; it was read as U+FFFD."""


def load(text: str) -> Loaded:
    """Parse a JSON text; raises ValueError where it is none, or too deep."""
    value: Json = loads(text)
    try:
        if not _MAY_HALVE.search(text):
            return Loaded(value, False)
        clean = _clean(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return Loaded(clean, clean != value)


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(name): _clean(item) for name, item in value.items()}
    return value


def extras(item: JsonObject, *known: str) -> JsonObject:
    """Return the members no field stands for."""
    return {name: value for name, value in item.items() if name not in known}
