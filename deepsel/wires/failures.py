"""Turns whatever a provider said in anger into one AttemptFailed: what `error_shapes` has read, classified.

Owns no provider's dialect (rows of the catalog) and no general vocabulary (`error_words`), and decides on no retry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.records import NamedTuple
from deepsel.secret import KnownSecrets
from deepsel.values import ErrorRule, JsonObject, Provider
from deepsel.wires import error_words, waits
from deepsel.wires.error_shapes import Said, base_code, read_error
from deepsel.wires.fields import text

MAX_MESSAGE_CHARS, MAX_CODE_CHARS, MAX_ID_CHARS = 500, 80, 200

REQUEST_ID_HEADERS = (
    "x-request-id", "request-id", "x-ds-trace-id", "x-generation-id", "x-litellm-call-id", "x-portkey-trace-id",
)  # fmt: skip

# Classes of a server that cannot answer now; one of them that says it is loading is only late.
_MAY_LOAD = frozenset({ErrorClass.OVERLOADED, ErrorClass.SERVER, ErrorClass.RATE_LIMITED})

Fail: TypeAlias = Callable[[JsonObject | str], AttemptFailed]
"""Makes the failure that an error found inside a 200 stands for; takes the document, or its text."""


class FailureReader(NamedTuple):
    """Reads failures of one call: what their words are read against, and what must not be in a message."""

    provider: Provider
    secrets: KnownSecrets
    headers: Mapping[str, str]
    now: datetime

    def failure(self, body: bytes | JsonObject | str, *, status: int) -> AttemptFailed:
        """Make the AttemptFailed that `status` and `body` stand for."""
        said = read_error(body)
        effective = said.status if said.status and status < 400 else status
        wait = waits.read_wait({**said.headers, **self.headers}, now=self.now, stated=said.wait, text=said.message)
        rules, has_wait = self.provider.error_rules, wait.retry_after_s is not None
        error_class = error_words.BASE_CODES.get(said.base_code) or classify(
            effective, said.codes, said.message, rules=rules, has_wait=has_wait
        )
        is_loading = error_class in _MAY_LOAD and says_loading(effective, said.message)
        made = AttemptFailed(
            ErrorClass.OVERLOADED if is_loading else error_class,
            self._sentence(said, status),
            http_status=status,
            code=self.secrets.clean(said.codes[0], MAX_CODE_CHARS) if said.codes else None,
            retry_after_s=wait.retry_after_s,
            should_retry=wait.should_retry,
        )
        made.is_loading, made.names = is_loading, said.names
        made.request_id = request_id(self.headers) or (self.secrets.clean(said.request_id, MAX_ID_CHARS) if said.request_id else None)
        return made

    def failure_inside(self, document: JsonObject | str) -> AttemptFailed:
        """Make the AttemptFailed of an error inside a 200: a `Fail`."""
        return self.failure(document, status=200)

    def _sentence(self, said: Said, status: int) -> str:
        name = self.provider.label or self.provider.name
        what = f"answered {status}" if status >= 300 else "reported an error in its answer"
        message = self.secrets.clean(said.message, MAX_MESSAGE_CHARS)
        return f"{name} {what}: {message}" if message else f"{name} {what}"


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the id under which the provider knows the call."""
    return next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), None)


def is_error(document: JsonObject) -> bool:
    """Tell whether a document of a 200 is an error in any known shape; looked at before anything else in it."""
    if document.get("error") or document.get("object") == "error" or document.get("type") == "error" or base_code(document):
        return True
    if document.get("choices") is not None or "content" in document or "type" in document:
        return False
    if "detail" in document or document.get("errors") or document.get("success") is False:
        return True
    has_code = any(name in document for name in ("code", "error_code", "status_code", "statusCode", "status"))
    return has_code and any(text(document.get(name)) for name in ("message", "msg", "error_msg", "error_message"))


def says_loading(status: int, message: str) -> bool:
    """Tell whether a server that cannot answer says that it is only starting, or loading the model."""
    words = message.lower()
    if status == 503 and re.search(error_words.STARTING, words):
        return True
    return any(fragment in words for fragment in error_words.LOADING)


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
    if found is None:
        found = _by_text(status, words, has_wait=has_wait)
    return found or _by_status(status) or _first(error_words.GENERIC_CODES, lowered) or ErrorClass.SERVER


def _by_text(status: int, words: str, *, has_wait: bool) -> ErrorClass | None:
    """Look for what words alone can tell: money and keys whatever the status, all else where that is vague."""
    found = _fragment(error_words.FIRM_TEXTS, words)
    if found is ErrorClass.BILLING and status == 429 and has_wait:
        return ErrorClass.RATE_LIMITED  # a quota that names a wait refills by itself
    if found is None and status in error_words.VAGUE_STATUSES:
        found = _fragment(error_words.TEXTS, words)
    return found


def _fragment(table: Sequence[tuple[str, ErrorClass]], words: str) -> ErrorClass | None:
    return next((meant for fragment, meant in table if fragment in words), None)


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
