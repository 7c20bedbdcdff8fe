"""The error answers the simulator can give, a row each: status, words, codes, waiting headers and body shape.

Names are the status, with a suffix for a dialect; a row more here is a fault and a scenario more everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

Headers: TypeAlias = Callable[[float, datetime], dict[str, str]]
"""Takes the wait in seconds and the present instant in UTC."""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One way to be refused."""

    status: int
    message: str
    """`{wait}` stands for the seconds to wait, here and in `openai_type`."""
    openai_type: str
    openai_code: str | int | None
    anthropic_type: str
    headers: Headers | None = None
    shape: Callable[[ErrorRow, str], Mapping[str, Any]] | None = None
    """Body of a host that differs from its wire, from the row and the request id; None: the wire's own."""
    details: Mapping[str, Any] | None = None
    """The Anthropic wire's `details`."""
    as_event: bool = False
    """Whether the body is the event of a stream, whatever the status."""

    def worded(self, wait_s: float) -> ErrorRow:
        """Give the row with the wait it names."""
        message, kind = (words.replace("{wait}", f"{wait_s:g}") for words in (self.message, self.openai_type))
        return replace(self, message=message, openai_type=kind)


def _retry_after(wait_s: float, _now: datetime) -> dict[str, str]:
    return {"retry-after": f"{wait_s:g}"}


def _milliseconds(wait_s: float, _now: datetime) -> dict[str, str]:
    return {"retry-after-ms": f"{wait_s * 1000:g}"}


def _date(wait_s: float, now: datetime) -> dict[str, str]:
    from email.utils import format_datetime  # slow to import, and this row alone needs it

    whole = now.replace(microsecond=0)
    then = format_datetime(whole + timedelta(seconds=wait_s), usegmt=True)
    return {"date": format_datetime(whole, usegmt=True), "retry-after": then}


def _openai_reset(wait_s: float, _now: datetime) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": f"{wait_s * 1000:g}ms",
    }


def _anthropic_reset(wait_s: float, now: datetime) -> dict[str, str]:
    return {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": (now + timedelta(seconds=wait_s)).isoformat().replace("+00:00", "Z"),
    }


def _mistral_remaining(_wait_s: float, _now: datetime) -> dict[str, str]:
    return {"x-ratelimit-limit-req-minute": "60", "x-ratelimit-remaining-req-minute": "0"}


def _fixed(**headers: str) -> Headers:
    """Give the same headers whatever the wait; underscores become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _wait_s, _now: dict(named)


def _flat(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    return {
        "object": "error",
        "message": row.message,
        "type": row.openai_type,
        "param": None,
        "code": row.openai_code,
        "raw_status_code": row.status,
    }


def _with_id(row: ErrorRow, request_id: str) -> Mapping[str, Any]:
    error = {"code": row.openai_code, "message": row.message, "param": None, "type": row.openai_type}
    return {"error": error, "request_id": request_id}


def _detail(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    return {"detail": row.message}


def _locations(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    return {"detail": [{"loc": ["body", "top_k"], "msg": row.message, "type": row.openai_type}]}


def _numbered(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    return {"error": {"message": row.message, "code": row.status, "metadata": {"error_type": row.openai_type}}}


def _details(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    error = {"code": row.status, "message": row.message, "status": row.openai_code}
    return {"error": {**error, "details": [{"@type": "QuotaFailure"}, {"@type": "RetryInfo", "retryDelay": row.openai_type}]}}


def _message_object(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    fault = {"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": row.message}
    return {"object": "error", "message": {"detail": [fault]}, "type": row.openai_type, "param": None, "code": None}


def _base_resp(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    return {"choices": None, "base_resp": {"status_code": row.openai_code, "status_msg": row.message}}


def _words_alone(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    return {"error": row.message}


_RATE = ("rate_limit_error", "rate_limit_exceeded", "rate_limit_error")
_RATE_TEXT = "Simulated rate limit."
_WAIT_TEXT = "Simulated rate limit. Please try again in {wait}s."
_BUSY = ("service_unavailable_error", "server_is_overloaded", "overloaded_error")
_BAD = ("invalid_request_error", "invalid_request_error")

ERRORS: Mapping[str, ErrorRow] = {
    "200_base_resp": ErrorRow(200, "Simulated: insufficient balance", "", 1008, "billing_error", shape=_base_resp),
    "200_wrong_path": ErrorRow(
        200, "Unexpected endpoint or method. (POST /simulated). Returning 200 anyway", "", None, _BAD[1], shape=_words_alone
    ),
    "400": ErrorRow(400, "Simulated bad request.", _BAD[0], None, _BAD[1]),
    "400_event": ErrorRow(400, "Simulated arrears.", "Arrearage", "Arrearage", _BAD[1], shape=_with_id, as_event=True),
    "400_context": ErrorRow(
        400,
        "This model's maximum context length is 1000 tokens: the simulated prompt is too long for it.",
        _BAD[0],
        "context_length_exceeded",
        _BAD[1],
    ),
    "400_content": ErrorRow(
        400, "Simulated content inspection.", *("data_inspection_failed",) * 2, _BAD[1], shape=_with_id
    ),
    "400_arrears": ErrorRow(
        400, "Access denied, the simulated account is in arrears.", "Arrearage", "Arrearage", _BAD[1], shape=_with_id
    ),
    "401": ErrorRow(401, "Simulated wrong key.", "authentication_error", "invalid_api_key", "authentication_error"),
    "401_detail": ErrorRow(401, "Simulated wrong key.", "", None, "authentication_error", shape=_detail),
    "402": ErrorRow(402, "Insufficient Balance (simulated)", "unknown_error", "invalid_request_error", "billing_error"),
    "403": ErrorRow(403, "Simulated missing permission.", "permission_error", "permission_denied", "permission_error"),
    "404": ErrorRow(404, "The simulated model does not exist.", _BAD[0], "model_not_found", "not_found_error"),
    "408": ErrorRow(408, "Simulated time-out.", "timeout", None, "timeout_error"),
    "409": ErrorRow(409, "Simulated conflict.", "conflict_error", None, "conflict_error"),
    "413": ErrorRow(413, "Simulated: the request is too large.", _BAD[0], "request_too_large", "request_too_large"),
    "422": ErrorRow(422, "Simulated invalid parameter.", _BAD[0], "invalid_parameter", _BAD[1]),
    "422_message_object": ErrorRow(422, "Simulated extra input.", _BAD[0], None, _BAD[1], shape=_message_object),
    "422_locations": ErrorRow(422, "Simulated invalid value.", "value_error", None, _BAD[1], shape=_locations),
    "429": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_retry_after),
    "429_no_wait": ErrorRow(429, _RATE_TEXT, *_RATE),
    "429_ms": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_milliseconds),
    "429_date": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_date),
    "429_in_body": ErrorRow(429, _WAIT_TEXT, *_RATE),
    "429_details": ErrorRow(429, _RATE_TEXT, "{wait}s", "RESOURCE_EXHAUSTED", "rate_limit_error", shape=_details),
    "429_reset_duration": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_openai_reset),
    "429_reset_instant": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_anthropic_reset),
    "429_flat": ErrorRow(
        429, _RATE_TEXT, "rate_limited", "1300", "rate_limit_error", headers=_mistral_remaining, shape=_flat
    ),
    "429_numbered": ErrorRow(
        429, _RATE_TEXT, "rate_limit_exceeded", 429, "rate_limit_error", headers=_retry_after, shape=_numbered
    ),
    "429_token_quota": ErrorRow(
        429, _RATE_TEXT, "insufficient_quota", "insufficient_quota", "rate_limit_error", shape=_with_id
    ),
    "429_junk": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_fixed(retry_after="soon", retry_after_ms="nan")),
    "429_negative": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_fixed(retry_after="-5")),
    "429_for_days": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_fixed(retry_after="259200")),
    "429_do_not_retry": ErrorRow(429, _RATE_TEXT, *_RATE, headers=_fixed(x_should_retry="false", retry_after="1")),
    "429_billing": ErrorRow(
        429,
        "You exceeded your simulated quota.",
        "insufficient_quota",
        "insufficient_quota",
        "rate_limit_error",
        details={"error_code": "enforced_spend_limit_reached"},
    ),
    "500": ErrorRow(500, "Simulated server error.", "server_error", "server_error", "api_error"),
    "502": ErrorRow(502, "Simulated bad gateway.", "server_error", None, "api_error"),
    "503": ErrorRow(503, "Simulated overload.", *_BUSY, headers=_retry_after),
    "503_loading": ErrorRow(503, "Loading model", "unavailable_error", 503, "overloaded_error"),
    "504": ErrorRow(504, "Simulated gateway time-out.", "server_error", None, "timeout_error"),
    "529": ErrorRow(529, "Overloaded (simulated)", *_BUSY),
}
