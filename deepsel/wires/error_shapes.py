"""Reads the body of an error, whatever its shape, into what it says; judges nothing and knows no status.

OpenAI's `error`, Anthropic's, flat ones (Mistral, Qwen), `detail`, `errors`, `base_resp`, Google's `details`, each also in a list,
as the event of a stream, or as text within another error's message; a web page; plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from deepsel.records import NamedTuple
from deepsel.values import Json, JsonObject
from deepsel.wires.fields import child, items, text

MAX_ERROR_BYTES = 64 * 1024
"""How much of an error's body is read."""

_DECODER = json.JSONDecoder()
_DEEPEST = 6
_ERROR_MEMBERS = frozenset({"error", "errors", "message", "detail", "msg", "code"})
_MOST_FAULTS = 20
# Members meant for people, in the order in which they are believed.
_WORDED = (
    *("message", "msg", "detail", "error", "errors", "status_msg", "error_msg", "error_message", "error_description"),
    *("title", "description"),
)
_WAITS = {
    **dict.fromkeys(("retryafter", "retryafters", "retryafterseconds", "retryafterinseconds", "retryaftersecs"), "s"),
    **dict.fromkeys(("resetinseconds", "resetsinseconds", "resetafterseconds"), "s"),
    **dict.fromkeys(("retrydelay", "retryin", "retryinseconds", "waitseconds", "estimatedtime"), "s"),
    **dict.fromkeys(("retryafterms", "retryaftermilliseconds", "retrydelayms"), "ms"),
}
"""Members that name a wait, without their capitals and hyphens, and their unit where the value has none."""


class Said(NamedTuple):
    """What an error body says, whatever its shape."""

    message: str = ""
    codes: tuple[str, ...] = ()
    """Codes, types and reasons as text, the most specific first."""
    status: int | None = None
    """An HTTP status the body carries as its code."""
    request_id: str | None = None
    wait: Json = None
    """The body's own word on asking again, unchecked: seconds, or text with a unit."""
    headers: Mapping[str, str] = {}
    """Headers of an upstream that the body repeats, named in lower case."""
    names: tuple[str, ...] = ()
    """Members of the request it complains of."""
    base_code: str = ""
    """The number of a `base_resp`, whose meaning is its own."""


def read_error(body: bytes | JsonObject | str) -> Said:
    """Read an error body of any known shape."""
    if isinstance(body, bytes):
        body = body[:MAX_ERROR_BYTES].decode("utf-8-sig", "replace").strip()
    if isinstance(body, str):
        document = _document_in(body)
        return Said(_plain(body)) if document is None else _read_document(document)
    return _read_document(body)


# --- finding the document --------------------------------------------------------------------------------------------


def _document_in(body: str) -> JsonObject | None:
    """Find the error's object in a body: the body itself, the first of a list, or the data of a stream's event."""
    lines = [line.partition(":")[2] for line in body.splitlines() if line.startswith("data:")]
    for candidate in (body, *lines):
        loaded = _loaded(candidate)
        if isinstance(loaded, list):
            loaded = next((one for one in loaded if isinstance(one, dict)), None)
        if isinstance(loaded, dict):
            return loaded
    return None


def _loaded(words: str) -> Json:
    """Parse the JSON that a text begins with; None where it begins with none."""
    try:
        loaded: Json = _DECODER.raw_decode(words.lstrip())[0]
    except (ValueError, RecursionError):
        return None
    return loaded


def _plain(body: str) -> str:
    """Make one line of a body that is no JSON; of a web page, what it says first."""
    if not body.lstrip().startswith("<"):
        return body[:4000]
    import html

    title = re.search(r"<title[^>]*>([^<]{1,300})", body, re.IGNORECASE)
    found = re.search(r"<(?:pre|message)[^>]*>([^<]{1,300})", body, re.IGNORECASE)
    named = f"a web page titled `{html.unescape(title[1]).strip()}`" if title else "a web page"
    return f"{named}: {html.unescape(found[1]).strip()}" if found else named


# --- reading it ------------------------------------------------------------------------------------------------------


def _read_document(document: JsonObject, depth: int = 0) -> Said:
    inner = _inner(document)
    metadata, availability = child(inner, "metadata"), child(inner, "availability")
    base = base_code(document)
    numbers = (inner.get("code"), inner.get("status"), document.get("status_code"), document.get("status"), document.get("code"))
    said = Said(
        message=_message(document, inner),
        codes=tuple(dict.fromkeys(str(mark) for mark in _marks(document, inner) if _is_mark(mark))),
        status=next((status for status in map(_status, numbers) if status), None),
        request_id=text(document.get("request_id")) or text(inner.get("request_id")) or None,
        wait=next((wait for part in (availability, metadata, document) for wait in _waits(part)), None),
        headers={name.lower(): str(value) for name, value in child(metadata, "headers").items()},
        names=tuple(dict.fromkeys(_names(document))),
        base_code=base,
    )
    nested = _nested(said.message, inner) if depth < _DEEPEST else None
    return said if nested is None else _with_upstream(said, _read_document(nested, depth + 1))


def _nested(message: str, inner: JsonObject) -> JsonObject | None:
    """Find another error that stands as text within one: as its message or behind the words of that, or in a member of its own."""
    begun = message.find("{")
    texts = [message[begun:]] if begun >= 0 else []
    texts += [value for value in inner.values() if isinstance(value, str) and value.lstrip()[:1] == "{"]
    for words in texts:
        found = _loaded(words)
        if isinstance(found, dict) and (found.keys() & _ERROR_MEMBERS):
            return found
    return None


def _with_upstream(said: Said, upstream: Said) -> Said:
    """Add what an error says that stands as JSON within another one's message: its words and codes are nearer the cause."""
    if not upstream.message:
        return said
    return said._replace(
        message=upstream.message,
        codes=tuple(dict.fromkeys((*upstream.codes, *said.codes))),
        status=said.status or upstream.status,
        wait=said.wait if said.wait is not None else upstream.wait,
        names=(*said.names, *upstream.names),
    )


def _inner(document: JsonObject) -> JsonObject:
    """Return the object that holds code and words: `error`, the first of `errors`, `base_resp`, or the document itself."""
    error = document.get("error")
    if isinstance(error, list):
        error = next((one for one in error if isinstance(one, dict)), None)
    if isinstance(error, dict):
        return error
    first = next((one for one in items(document.get("errors")) if isinstance(one, dict)), None)
    if first is not None and not error:
        return first
    return child(document, "base_resp") if base_code(document) else document


def base_code(document: JsonObject) -> str:
    """Read the number of a `base_resp` that reports a failure; empty where there is none."""
    if "base_resp" not in document:  # as nearly always
        return ""
    code = child(document, "base_resp").get("status_code")
    is_number = isinstance(code, int | str) and not isinstance(code, bool)
    return str(code) if is_number and str(code) not in ("", "0") else ""


def _marks(document: JsonObject, inner: JsonObject) -> Iterator[Json]:
    """Yield what may be a code, the most specific first."""
    yield child(inner, "metadata").get("error_type")
    yield child(inner, "details").get("error_code")
    for detail in items(inner.get("details")):
        yield detail.get("reason") if isinstance(detail, dict) else None
    for name in ("status", "code", "type", "error_code", "status_code", "reason"):
        value = inner.get(name)
        is_words = name in ("status", "reason") and not (isinstance(value, str) and value.isidentifier())
        yield None if is_words else value
    if inner is not document:
        yield document.get("code")
        yield document.get("error_code")
    error = document.get("error")
    yield error if isinstance(error, str) and re.fullmatch(r"[A-Za-z_.]{3,60}", error) else None


def _is_mark(mark: Json) -> bool:
    return bool(mark) and isinstance(mark, str | int) and not isinstance(mark, bool) and mark != "error"


def _status(code: Json) -> int | None:
    """Read a code that is an HTTP status; OpenRouter, vLLM and llama.cpp send it as a number or as text."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599 else None


# --- what is meant for people ----------------------------------------------------------------------------------------


def _message(document: JsonObject, inner: JsonObject) -> str:
    """Find the words meant for people."""
    is_wrapped = isinstance(document.get("error"), dict | list)
    places = (inner, document) if is_wrapped else (document, inner)
    message = next(filter(None, map(_words, places)), "") or text(document.get("status"))
    upstream = text(child(inner, "metadata").get("raw"))
    return f"{message}: {upstream}" if upstream and upstream != message else message


def _words(value: Json, depth: int = 0) -> str:
    """Return the words in a text, in a list of faults, or in an object by whatever name, with the place where one is named."""
    if isinstance(value, str):
        return value
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, dict.fromkeys(_words(one, depth + 1) for one in value[:_MOST_FAULTS])))
    if not isinstance(value, dict):
        return ""
    words = next(filter(None, (_words(value.get(name), depth + 1) for name in _WORDED)), "")
    place = ".".join(str(part) for part in items(value.get("loc")))
    if words or depth == 0:
        return f"{place}: {words}" if place and words else words
    named = ((name, _words(one, depth + 1)) for name, one in value.items() if isinstance(one, list | dict))
    return "; ".join(f"{name}: {told}" for name, told in [*named][:_MOST_FAULTS] if told)


def _names(value: Json, depth: int = 0) -> Iterator[str]:
    """Yield the members of the request that a complaint names: `param`, the first part of a `loc`, a `field`."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value[:_MOST_FAULTS]:
            yield from _names(one, depth + 1)
    elif isinstance(value, dict):
        places = [[part for part in items(value.get("loc")) if isinstance(part, str)]]
        places += [text(value.get(name)).split(".") for name in ("param", "parameter", "field")]
        for place in places:
            yield from filter(None, [part for part in place if part not in ("body", "request", "$")][:1])
        for one in value.values():
            if isinstance(one, list | dict):
                yield from _names(one, depth + 1)


def _waits(value: Json, depth: int = 0) -> Iterator[Json]:
    """Yield what names a wait, at any depth; milliseconds with their unit."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value[:_MOST_FAULTS]:
            yield from _waits(one, depth + 1)
    elif isinstance(value, dict):
        for name, one in value.items():
            unit = _WAITS.get(name.lower().replace("_", "").replace("-", ""))
            if unit and one is not None and not isinstance(one, bool | list):
                yield f"{one}ms" if unit == "ms" else one
            elif isinstance(one, list | dict):
                yield from _waits(one, depth + 1)
