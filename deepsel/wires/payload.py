"""What the data of an event holds, in all the forms that servers and proxies give it; pure."""

from __future__ import annotations

import re

from deepsel.values import JsonObject
from deepsel.wires.fields import load_object, says_nothing

_KEEP_ALIVE = re.compile(
    r":.*|[\[(]?(?:ping|pong|keep[-_ ]?alive|heart[-_ ]?beat|(?:openrouter )?processing|null|undefined|none)[\])]?[.!…]*",
    re.IGNORECASE | re.DOTALL,
)
_DONE = re.compile(r"\"?\[? ?DONE ?\]?\"?", re.IGNORECASE)
_DOUBLED = re.compile(r"(?:data:\s*)+")


def read_data(data: str) -> JsonObject | None:
    """Read the JSON object an event holds; None where it holds none and says nothing, as a comment sent as data does.

    Raises AttemptFailed (malformed) for anything else.
    """
    if data[:1] != "{":
        data = _DOUBLED.sub("", data, count=1) if data.startswith("data:") else data
        if not data or _KEEP_ALIVE.fullmatch(data):
            return None
    return load_object(data)


def is_done(data: str) -> bool:
    """Tell whether an event's data is the end marker of a stream, which is no JSON."""
    return data == "[DONE]" or (data[:1] != "{" and _DONE.fullmatch(_DOUBLED.sub("", data, count=1)) is not None)


def without_empty_error(document: JsonObject) -> JsonObject:
    """Leave an `error` member out that is there and says nothing."""
    if "error" not in document or not says_nothing(document["error"]):
        return document
    return {name: value for name, value in document.items() if name != "error"}
