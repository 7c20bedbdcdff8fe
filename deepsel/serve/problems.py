"""Turns what went wrong into what a client is labels: a status that its SDK understands, and one clear line."""

from __future__ import annotations

import re

from deepsel.errors import (
    AttemptFailed,
    ConfigError,
    DeepselError,
    ErrorClass,
    IncompleteError,
    NoRouteError,
    OverBudgetError,
    RefusedError,
    UsageError,
)
from deepsel.serve.surfaces.surface import BadMember, Problem
from deepsel.values import Answer

_REFUSALS: dict[ErrorClass, tuple[int, str]] = {
    ErrorClass.BAD_REQUEST: (400, "invalid_request"),
    ErrorClass.CONTEXT_OVERFLOW: (400, "context_overflow"),
    ErrorClass.CONTENT_POLICY: (400, "content_policy"),
}
"""Of the request itself; what a provider refuses because of our key or account is no problem of the client's."""
_LATE = frozenset({ErrorClass.STALLED})
_BUSY = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.OVERLOADED})
_MEMBER = re.compile(r"`([A-Za-z_][\w.]*)`")


def problem_of(error: DeepselError | BadMember, answer: Answer | None = None) -> Problem:
    """Say what a client is told; `answer` is the record of what was tried."""
    if isinstance(error, BadMember):
        return Problem(400, "invalid_request", error.message, error.param)
    is_for_clients = error.hint and "--" not in error.hint  # others speak of options of the command line
    message = f"{error.message} ({error.hint})" if is_for_clients else error.message
    if isinstance(error, UsageError):
        return Problem(400, "invalid_request", message)
    if isinstance(error, OverBudgetError):
        return Problem(402, "budget", message)
    if isinstance(error, NoRouteError):
        return _no_route(error, message)
    if isinstance(error, ConfigError):
        return Problem(503, "unavailable", message)
    last = error.error_class if isinstance(error, AttemptFailed) else _last_class(answer)
    if isinstance(error, RefusedError) or (last is not None and last.is_refusal and isinstance(error, AttemptFailed)):
        status, kind = _REFUSALS.get(last or ErrorClass.AUTH, (502, "unavailable"))
        return Problem(status, kind, message)  # type: ignore[arg-type]  # one of the table's
    if isinstance(error, IncompleteError):
        return Problem(502, "unavailable", message)
    if last in _BUSY:
        wait_s = error.retry_after_s
        return Problem(503, "overloaded", message, retry_after_s=wait_s, should_retry=wait_s is not None)
    return Problem(504, "timeout", message) if last in _LATE else Problem(502, "unavailable", message)


def _no_route(error: NoRouteError, message: str) -> Problem:
    """Tell a request that nobody can take from one that nobody can take now."""
    if not error.reasons:  # nobody may be asked, and the cache has no answer
        return Problem(504, "unavailable", message)
    lasting = error.reasons - {"no_key", "retired", "not_yet_available"}
    if lasting == {"unsupported"}:
        named = _MEMBER.search(error.message.partition("cannot carry")[2])
        return Problem(400, "invalid_request", message, named[1] if named else None)
    if lasting and lasting <= {"unsupported", "window"}:
        return Problem(400, "context_overflow", message)
    return Problem(503, "unavailable", message)


def _last_class(answer: Answer | None) -> ErrorClass | None:
    failed = [one.error_class for one in (answer.attempts if answer is not None else ()) if one.error_class is not None]
    return failed[-1] if failed else None
