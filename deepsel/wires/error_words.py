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
            "payment_required", "insufficient_balance", "arrearage", "allocationquota.freetieronly", "billing_disabled",
            "insufficient_credits", "insufficient_user_quota", "exceeded_current_quota_error", "consumer_suspended", "credits_exhausted",
        ),
        C.BILLING,
    ),
    **dict.fromkeys(
        (
            "rate_limit_exceeded", "rate_limit_error", "rate_limited", "slow_down", "limit_requests",
            "too_many_requests", "throttling", "throttling.ratequota", "throttling.allocationquota", "throttling.user",
            "rate_limit_reached_error", "rate_limited_error",
        ),
        C.RATE_LIMITED,
    ),
    **dict.fromkeys(
        (
            "overloaded_error", "server_is_overloaded", "service_unavailable_error", "provider_overloaded",
            "provider_unavailable", "unavailable_error", "engine_overloaded", "engine_overloaded_error", "unavailable",
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
            "access_denied", "accessdenied", "no_db_connection", "invalid_authentication_error", "incorrect_api_key",
            "api_key_invalid", "api_key_expired", "api_key_service_blocked", "access_token_expired", "unauthenticated",
            "permission_denied", "service_disabled", "account_deactivated", "invalid_token", "unauthorized",
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
    **dict.fromkeys(("timeout_error", "conflict_error", "deadline_exceeded"), C.SERVER),
}  # fmt: skip

GENERIC_CODES: Mapping[str, C] = {
    **dict.fromkeys(
        ("invalid_request_error", "invalid_parameter_error", "invalidparameter", "invalid_argument", "failed_precondition"),
        C.BAD_REQUEST,
    ),
    "resource_exhausted": C.RATE_LIMITED,  # Google's word for rates and for money alike: words and status decide first
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

FIRM_TEXTS: tuple[tuple[str, C], ...] = (
    ("credit balance is too low", C.BILLING),
    ("insufficient balance", C.BILLING),
    ("insufficient account balance", C.BILLING),
    ("insufficient credit", C.BILLING),
    ("insufficient fund", C.BILLING),
    ("not enough credit", C.BILLING),
    ("out of credits", C.BILLING),
    ("no credits", C.BILLING),
    ("requires more credits", C.BILLING),
    ("used all available credits", C.BILLING),
    ("credits are depleted", C.BILLING),
    ("exceeded your current quota", C.BILLING),
    ("plan and billing details", C.BILLING),
    ("payment required", C.BILLING),
    ("specified api usage limits", C.BILLING),
    ("spend limit", C.BILLING),
    ("spending limit", C.BILLING),
    ("spend cap", C.BILLING),
    ("budget has been exceeded", C.BILLING),
    ("insufficient_quota", C.BILLING),
    ("余额不足", C.BILLING),
    ("额度不足", C.BILLING),
    ("额度已用尽", C.BILLING),
    ("欠费", C.BILLING),
    ("invalid api key", C.AUTH),
    ("invalid_api_key", C.AUTH),
    ("incorrect api key", C.AUTH),
    ("wrong api key", C.AUTH),
    ("api key not valid", C.AUTH),
    ("api key is invalid", C.AUTH),
    ("api key expired", C.AUTH),
    ("api key has expired", C.AUTH),
    ("invalid x-api-key", C.AUTH),
    ("no api key provided", C.AUTH),
    ("missing api key", C.AUTH),
    ("invalid authentication", C.AUTH),
    ("authenticationerror", C.AUTH),
    ("authentication error", C.AUTH),
    ("authentication failed", C.AUTH),
)
"""Lower-case fragments that decide whatever the status: to ask again costs an account that has no money, or a wrong key, trust."""

TEXTS: tuple[tuple[str, C], ...] = (
    ("maximum context length", C.CONTEXT_OVERFLOW),
    ("context length exceeded", C.CONTEXT_OVERFLOW),
    ("exceeds the context", C.CONTEXT_OVERFLOW),
    ("exceed context limit", C.CONTEXT_OVERFLOW),
    ("exceeds the available context", C.CONTEXT_OVERFLOW),
    ("exceed the context window", C.CONTEXT_OVERFLOW),
    ("exceed context window", C.CONTEXT_OVERFLOW),
    ("exceeds context window", C.CONTEXT_OVERFLOW),
    ("exceeds the model's context window", C.CONTEXT_OVERFLOW),
    ("prompt is too long", C.CONTEXT_OVERFLOW),
    ("input is too long", C.CONTEXT_OVERFLOW),
    ("reduce the length of the messages", C.CONTEXT_OVERFLOW),
    ("range of input length", C.CONTEXT_OVERFLOW),
    ("超出最大长度", C.CONTEXT_OVERFLOW),
    ("unauthorized", C.AUTH),
    ("unauthenticated", C.AUTH),
    ("invalid token", C.AUTH),
    ("invalid access token", C.AUTH),
    ("request limit reached", C.RATE_LIMITED),
    *((fragment, C.BAD_REQUEST) for fragment in (
        "unexpected endpoint", "unknown endpoint", "endpoint not found", "unsupported endpoint", "no such endpoint",
        "cannot post", "invalid url (", "page not found", "path not found", "unknown path", "route not found",
    )),
)  # fmt: skip
"""Lower-case fragments of messages, looked for only where no code decides and the status is vague (VAGUE_STATUSES)."""

VAGUE_STATUSES = frozenset({200, 400, 413, 422, 500})

LOADING = (
    *("loading model", "loading the model", "model loading", "model is loading", "currently loading", "still loading"),
    *("being loaded", "is starting", "still starting", "starting up", "warming up", "model is not ready", "正在加载"),
)
"""Lower-case fragments by which a server that cannot answer yet says so."""

STARTING = r"\b(?:(?:down)?loading|starting|booting|initiali[sz]ing|cold[- ]start|spinning up)\b"
"""What a 503 says where it is one of a server that is only starting."""

BASE_CODES: Mapping[str, C] = {
    **dict.fromkeys(("1000", "1001", "1013", "1024", "1033"), C.SERVER),
    **dict.fromkeys(("1002", "1039", "1041", "2045", "2056"), C.RATE_LIMITED),
    **dict.fromkeys(("1004", "2049"), C.AUTH),
    "1008": C.BILLING,
    **dict.fromkeys(("1026", "1027"), C.CONTENT_POLICY),
    **dict.fromkeys(("1042", "1043", "1044", "2013"), C.BAD_REQUEST),
}
"""Numbers of a `base_resp` (MiniMax's error codes), whatever the status; others are classified by their words."""
