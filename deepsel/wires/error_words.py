"""What an error's status, code or wording means where the provider's own row says nothing else: data, no code.

Specific codes outrank the status, since one status stands for several things; generic ones rank below it, since some
hosts put them on everything. Codes are in lower case. Sources are the providers' error pages named in the catalog.
"""

from __future__ import annotations

from collections.abc import Mapping

from deepsel.errors import ErrorClass as C

SPECIFIC_CODES: Mapping[str, C] = {
    **dict.fromkeys(
        (
            "context_length_exceeded", "exceed_context_size_error", "context_window_exceeded",
            "contextwindowexceedederror",
        ),
        C.CONTEXT_OVERFLOW,
    ),
    **dict.fromkeys(
        (
            "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_hard_limit_reached",
            "billing_not_active", "billing_error", "enforced_spend_limit_reached", "budget_exceeded",
            "payment_required", "insufficient_balance", "arrearage", "allocationquota.freetieronly",
        ),
        C.BILLING,
    ),
    **dict.fromkeys(
        (
            "rate_limit_exceeded", "rate_limit_error", "rate_limited", "slow_down", "limit_requests",
            "too_many_requests", "throttling", "throttling.ratequota", "throttling.allocationquota", "throttling.user",
        ),
        C.RATE_LIMITED,
    ),
    **dict.fromkeys(
        (
            "overloaded_error", "server_is_overloaded", "service_unavailable_error", "provider_overloaded",
            "provider_unavailable", "unavailable_error", "engine_overloaded",
        ),
        C.OVERLOADED,
    ),
    **dict.fromkeys(
        (
            "data_inspection_failed", "datainspectionfailed", "content_policy_violation", "content_filter", "refusal",
            "contentpolicyviolationerror",
        ),
        C.CONTENT_POLICY,
    ),
    **dict.fromkeys(
        (
            "invalid_api_key", "invalidapikey", "authentication_error", "invalid_authentication", "permission_error",
            "access_denied", "accessdenied", "no_db_connection",
        ),
        C.AUTH,
    ),
    **dict.fromkeys(
        (
            "model_not_found", "modelnotfound", "not_found_error", "unsupported_parameter", "unsupported_value",
            "request_too_large",
        ),
        C.BAD_REQUEST,
    ),
    **dict.fromkeys(("timeout_error", "conflict_error"), C.SERVER),
}  # fmt: skip

GENERIC_CODES: Mapping[str, C] = {
    **dict.fromkeys(("invalid_request_error", "invalid_parameter_error", "invalidparameter"), C.BAD_REQUEST),
    **dict.fromkeys(
        ("api_error", "server_error", "internal_error", "internal_server_error", "internalerror", "timeout"), C.SERVER
    ),
}

STATUSES: Mapping[int, C] = {
    401: C.AUTH,
    402: C.BILLING,
    403: C.AUTH,
    408: C.SERVER,
    409: C.SERVER,
    425: C.SERVER,
    429: C.RATE_LIMITED,
    503: C.OVERLOADED,
    529: C.OVERLOADED,
}
"""Other 4xx are bad requests, other 5xx server errors."""

TEXTS: tuple[tuple[str, C], ...] = (
    ("maximum context length", C.CONTEXT_OVERFLOW),
    ("context length exceeded", C.CONTEXT_OVERFLOW),
    ("exceeds the context", C.CONTEXT_OVERFLOW),
    ("exceed context limit", C.CONTEXT_OVERFLOW),
    ("exceeds the available context", C.CONTEXT_OVERFLOW),
    ("exceed the context window", C.CONTEXT_OVERFLOW),
    ("exceeds the model's context window", C.CONTEXT_OVERFLOW),
    ("requested tokens exceed context window", C.CONTEXT_OVERFLOW),
    ("prompt is too long", C.CONTEXT_OVERFLOW),
    ("reduce the length of the messages", C.CONTEXT_OVERFLOW),
    ("range of input length", C.CONTEXT_OVERFLOW),
    ("超出最大长度", C.CONTEXT_OVERFLOW),
    ("credit balance is too low", C.BILLING),
    ("insufficient balance", C.BILLING),
    ("specified api usage limits", C.BILLING),
    ("spend limit", C.BILLING),
    ("spend cap", C.BILLING),
    ("余额不足", C.BILLING),
    ("欠费", C.BILLING),
)
"""Lower-case fragments of messages, looked for only where no code decides and the status is vague (VAGUE_STATUSES)."""

VAGUE_STATUSES = frozenset({200, 400, 413, 422})
