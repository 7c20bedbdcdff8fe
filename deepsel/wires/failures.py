"""Turns whatever a provider said in anger into one AttemptFailed: reads every known error shape, then classifies.

Owns no provider's dialect (rows of the catalog) and no general vocabulary (`error_words`), and decides on no retry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.secret import Secret, redact
from deepsel.values import ErrorRule, Json, JsonObject, Provider
from deepsel.wires import error_words, waits
from deepsel.wires.fields import child, items, text

MAX_MESSAGE_CHARS = 500
MAX_ERROR_BYTES = 64 * 1024
"""How much of an error's body is read."""

REQUEST_ID_HEADERS = (
    "x-request-id", "request-id", "x-ds-trace-id", "x-generation-id", "x-litellm-call-id", "x-portkey-trace-id",
)  # fmt: skip

Fail: TypeAlias = Callable[[JsonObject | str], AttemptFailed]
"""Makes the failure that an error found inside a 200 stands for; takes the document, or its text."""


class Said(NamedTuple):
    """What an error body says, whatever its shape."""

    message: str = ""
    codes: tuple[str, ...] = ()
    """Codes and types as text, the most specific first."""
    status: int | None = None
    """An HTTP status the body carries as its code."""
    request_id: str | None = None
    retry_after_s: Json = None
    """The body's own field, in seconds, unchecked."""


class FailureReader(NamedTuple):
    """Reads failures of one call: what their words are read against, and what must not be in a message."""

    provider: Provider
    key: Secret | None
    headers: Mapping[str, str]
    now: datetime

    def failure(self, body: bytes | JsonObject | str, *, status: int) -> AttemptFailed:
        """Make the AttemptFailed that `status` and `body` stand for."""
        said = read_error(body)
        effective = said.status if said.status and status < 400 else status
        wait = waits.read_wait(self.headers, now=self.now, stated=said.retry_after_s, text=said.message)
        rules, has_wait = self.provider.error_rules, wait.retry_after_s is not None
        error_class = classify(effective, said.codes, said.message, rules=rules, has_wait=has_wait)
        failed = AttemptFailed(
            error_class,
            self._sentence(said, status),
            http_status=status,
            code=self._clean(said.codes[0], 80) if said.codes else None,
            retry_after_s=wait.retry_after_s,
            should_retry=wait.should_retry,
        )
        failed.request_id = request_id(self.headers) or said.request_id
        return failed

    def failure_inside(self, document: JsonObject | str) -> AttemptFailed:
        """Make the AttemptFailed of an error inside a 200: a `Fail`."""
        return self.failure(document, status=200)

    def _sentence(self, said: Said, status: int) -> str:
        name = self.provider.label or self.provider.name
        what = f"answered {status}" if status >= 300 else "reported an error in its answer"
        message = self._clean(said.message, MAX_MESSAGE_CHARS)
        return f"{name} {what}: {message}" if message else f"{name} {what}"

    def _clean(self, words: str, limit: int) -> str:
        """Make foreign words fit for a message: no key, no control characters, one line, bounded."""
        line = " ".join("".join(c if c.isprintable() else " " for c in redact(words, self.key)).split())
        return line if len(line) <= limit else line[: limit - 1] + "…"


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the id under which the provider knows the call."""
    return next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), None)


def is_error(document: JsonObject) -> bool:
    """Tell whether a document of a 200 is an error in any known shape; looked at before anything else in it."""
    if document.get("error") or "error" in (document.get("object"), document.get("type")):
        return True
    if "choices" in document or "content" in document or "type" in document:
        return False
    return "detail" in document or ("code" in document and "message" in document)


def classify(
    status: int, codes: Sequence[str], message: str, *, rules: Sequence[ErrorRule] = (), has_wait: bool = False
) -> ErrorClass:
    """Return the class of a failure: by the provider's rules in order, specific codes, text, status, generic codes."""
    lowered = [code.lower() for code in codes]
    words = message.lower()
    found = next((rule.error_class for rule in rules if _matches(rule, status, lowered, words)), None)
    found = found or _first(error_words.SPECIFIC_CODES, lowered)
    if found is ErrorClass.BILLING and has_wait and "enforced_spend_limit_reached" in lowered:
        return ErrorClass.RATE_LIMITED  # Anthropic: a spend limit that names a wait is one that refills
    if found is None and status in error_words.VAGUE_STATUSES:
        found = next((meant for fragment, meant in error_words.TEXTS if fragment in words), None)
    return found or _by_status(status) or _first(error_words.GENERIC_CODES, lowered) or ErrorClass.SERVER


def _matches(rule: ErrorRule, status: int, codes: Sequence[str], words: str) -> bool:
    return (
        rule.status in (None, status)
        and (rule.code is None or rule.code.lower() in codes)
        and (rule.text is None or rule.text in words)
    )


def _first(table: Mapping[str, ErrorClass], codes: Sequence[str]) -> ErrorClass | None:
    return next((table[code] for code in codes if code in table), None)


def _by_status(status: int) -> ErrorClass | None:
    """Look a status up; None below 400, where it says nothing about the failure."""
    if status < 400:
        return None
    return error_words.STATUSES.get(status) or (ErrorClass.SERVER if status >= 500 else ErrorClass.BAD_REQUEST)


# --- reading the shapes ----------------------------------------------------------------------------------------------


def read_error(body: bytes | JsonObject | str) -> Said:
    """Read an error body of any known shape: OpenAI, Anthropic, flat (Mistral, Qwen), `detail`, HTML, plain text."""
    if isinstance(body, bytes):
        body = body[:MAX_ERROR_BYTES].decode("utf-8-sig", "replace").strip()
    if isinstance(body, str):
        try:
            loaded: Json = json.loads(body)
        except (ValueError, RecursionError):
            return Said(_plain(body))
        if isinstance(loaded, list) and loaded:
            loaded = loaded[0]  # some gateways wrap the one error in a list
        if not isinstance(loaded, dict):
            return Said(_plain(body))
        body = loaded
    return _read_document(body)


def _read_document(document: JsonObject) -> Said:
    error = document.get("error")
    inner = error if isinstance(error, dict) else document
    details, metadata = child(inner, "details"), child(inner, "metadata")
    marks = [metadata.get("error_type"), details.get("error_code"), inner.get("code"), inner.get("type")]
    availability = child(inner, "availability")
    return Said(
        message=_message(document, inner),
        codes=tuple(str(mark) for mark in marks if _is_mark(mark)),
        status=next((status for status in map(_status, (inner.get("code"), inner.get("status"))) if status), None),
        request_id=text(document.get("request_id")) or text(inner.get("request_id")) or None,
        retry_after_s=availability.get("retry_after", metadata.get("retry_after", inner.get("retry_after"))),
    )


def _message(document: JsonObject, inner: JsonObject) -> str:
    """Find the words meant for people."""
    message = text(inner.get("message")) or text(inner.get("msg")) or text(document.get("message"))
    message = message or text(document.get("error")) or _detail(document.get("detail"))
    upstream = text(child(inner, "metadata").get("raw"))
    return f"{message}: {upstream}" if upstream and upstream != message else message


def _detail(detail: Json) -> str:
    """Read FastAPI's `detail`: words, an object with a message, or a list of places and what is wrong there."""
    if isinstance(detail, dict):
        return text(detail.get("message")) or text(detail.get("msg")) or text(detail.get("error"))
    if not isinstance(detail, list):
        return text(detail)
    told = []
    for fault in detail:
        place = ".".join(str(part) for part in items(fault.get("loc"))) if isinstance(fault, dict) else ""
        words = text(fault.get("msg")) if isinstance(fault, dict) else text(fault)
        told.append(f"{place}: {words}" if place else words)
    return "; ".join(filter(None, told))


def _is_mark(mark: Json) -> bool:
    return bool(mark) and isinstance(mark, str | int) and not isinstance(mark, bool) and mark != "error"


def _status(code: Json) -> int | None:
    """Read a code that is an HTTP status; OpenRouter, vLLM and llama.cpp send it as a number or as text."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599 else None


def _plain(body: str) -> str:
    """Make one line of a body that is no JSON; of a web page, its title."""
    if not body.lstrip().startswith("<"):
        return body[:4000]
    title = re.search(r"<title[^>]*>([^<]{1,300})", body, re.IGNORECASE)
    import html

    return f"a web page titled `{html.unescape(title[1]).strip()}`" if title else "a web page"
