"""What the data of an event holds, in all the forms that servers and proxies give it; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepsel.errors import AttemptFailed
from deepsel.values import JsonObject
from deepsel.wires.failures import is_error
from deepsel.wires.fields import end_of_document, load_object, says_nothing
from deepsel.wires.sse import Event

_KEEP_ALIVE = re.compile(
    r":.*|[\[(]?(?:ping|pong|keep[-_ ]?alive|heart[-_ ]?beat|(?:openrouter )?processing|null|undefined|none|true|ok)[\])]?[.!…]*"
    r"|\"\s*\"",
    re.IGNORECASE,
)
_DONE = re.compile(r"\"?\[? ?DONE ?\]?\"?", re.IGNORECASE)
_DOUBLED = re.compile(r"(?:data:\s*)+")
_SEVERAL = re.compile(r"\}\s*(?:data:\s*)*[{\[]|\n|data:\s*\{")
_BETWEEN = re.compile(r"\s*(?:data:\s*)*")
_BROKEN_OFF = re.compile(r".*(?:\n|data:)\s*(\{.*)", re.DOTALL)


def apart(event: Event) -> tuple[Event, ...]:
    """Return an event as what it holds: itself, or each of several documents that nothing has parted.

    Of a document that breaks off and the error that follows it only the error is left, whose words say why.
    """
    data = event.data
    if "\n" not in data and "}{" not in data and "data:" not in data:  # as nearly always
        return (event,)
    found = tuple(_documents(data)) if _SEVERAL.search(data) else ()
    if found:
        return (*map(Event, found[:-1]), Event(found[-1], event.event))
    broken_off = _BROKEN_OFF.match(data)
    last = broken_off[1].strip() if broken_off else ""
    return (Event(last, event.event) if _says_error(last) else event,)


def _documents(data: str) -> Iterator[str]:
    """Yield the documents of an event, and what else stands behind one; nothing where it begins with none that is whole."""
    at = _BETWEEN.match(data).end()  # type: ignore[union-attr]  # it matches nothing, too
    while at < len(data):
        end = end_of_document(data, at)
        if end is None:
            yield from (data[at:].strip(),) if at and data[:at].strip() else ()
            return
        yield data[at:end]
        at = _BETWEEN.match(data, end).end()  # type: ignore[union-attr]


def _says_error(data: str) -> bool:
    try:
        return is_error(load_object(data))
    except AttemptFailed:
        return False



def read_data(data: str) -> JsonObject | None:
    """Read the JSON object an event holds; None where it holds none and says nothing, as a comment sent as data does.

    Raises AttemptFailed (malformed) for anything else.
    """
    if data[:1] != "{":
        data = _DOUBLED.sub("", data, count=1) if data.startswith("data:") else data
        if all(_KEEP_ALIVE.fullmatch(line.strip()) for line in data.split("\n") if line.strip()):
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
