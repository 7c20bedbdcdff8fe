"""Classification: every status and code of every provider, by the catalog's own rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.catalog import Catalog
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.secret import Secret
from deepsel.values import ErrorRule, Provider
from deepsel.wires.failures import FailureReader, read_error, request_id

CATALOG = Catalog()

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
C = ErrorClass


def failure(
    provider: Provider, status: int, body: Any, headers: Mapping[str, str] | None = None, key: Secret | None = None
) -> AttemptFailed:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return FailureReader(provider, key, headers or {}, NOW).failure(raw, status=status)


def openai(message: str = "m", **members: Any) -> dict[str, Any]:
    return {"error": {"message": message, **members}}


def anthropic(kind: str, message: str = "m", **details: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, "details": details or None}, "request_id": "r"}


CASES: list[tuple[str, int, Any, ErrorClass]] = [
    ("deepseek", 400, openai("m", type="invalid_request_error", code="invalid_request_error"), C.BAD_REQUEST),
    ("deepseek", 400, openai("This model's maximum context length is 1048576 tokens."), C.CONTEXT_OVERFLOW),
    ("deepseek", 401, openai("Your api key: ****1234 is invalid", type="authentication_error"), C.AUTH),
    ("deepseek", 402, openai("Insufficient Balance", type="unknown_error", code="invalid_request_error"), C.BILLING),
    ("deepseek", 422, openai(), C.BAD_REQUEST),
    ("deepseek", 429, openai("Too many concurrent requests", type="unknown_error"), C.RATE_LIMITED),
    ("deepseek", 500, openai(), C.SERVER),
    ("deepseek", 503, openai(), C.OVERLOADED),
    ("qwen", 401, openai(code="invalid_api_key"), C.AUTH),
    ("qwen", 400, {"code": "Arrearage", "message": "m", "request_id": "r"}, C.BILLING),
    ("qwen", 400, {"code": "DataInspectionFailed", "message": "m"}, C.CONTENT_POLICY),
    ("qwen", 200, openai(code="data_inspection_failed"), C.CONTENT_POLICY),
    ("qwen", 403, openai(code="AccessDenied"), C.AUTH),
    ("qwen", 403, openai(code="AllocationQuota.FreeTierOnly"), C.BILLING),
    ("qwen", 404, openai(code="model_not_found"), C.BAD_REQUEST),
    ("qwen", 429, openai(code="limit_requests"), C.RATE_LIMITED),
    ("qwen", 429, openai(code="insufficient_quota"), C.RATE_LIMITED),
    ("qwen", 429, {"code": "Throttling.AllocationQuota", "message": "m"}, C.RATE_LIMITED),
    ("qwen", 400, openai("Range of input length should be [1, 129024]", code="invalid_parameter_error"), C.CONTEXT_OVERFLOW),
    ("qwen", 400, openai("enable_thinking must be false", code="invalid_parameter_error"), C.BAD_REQUEST),
    ("qwen", 500, {"code": "InternalError", "message": "m"}, C.SERVER),
    ("qwen", 503, openai(), C.OVERLOADED),
    ("mistral", 429, {"object": "error", "message": "m", "type": "rate_limited", "code": "1300"}, C.RATE_LIMITED),
    ("mistral", 422, {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs", "type": "x"}]}, C.BAD_REQUEST),
    ("mistral", 400, {"object": "error", "message": "Prompt contains 9 tokens, too large for model with 8 maximum "
     "context length"}, C.CONTEXT_OVERFLOW),
    ("mistral", 502, "", C.SERVER),
    ("anthropic", 400, anthropic("invalid_request_error"), C.BAD_REQUEST),
    ("anthropic", 400, anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), C.CONTEXT_OVERFLOW),
    ("anthropic", 400, anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit: 9 + 9 > 8"),
     C.CONTEXT_OVERFLOW),
    ("anthropic", 400, anthropic("invalid_request_error", "Your credit balance is too low"), C.BILLING),
    ("anthropic", 401, anthropic("authentication_error"), C.AUTH),
    ("anthropic", 402, anthropic("billing_error"), C.BILLING),
    ("anthropic", 403, anthropic("permission_error"), C.AUTH),
    ("anthropic", 404, anthropic("not_found_error"), C.BAD_REQUEST),
    ("anthropic", 409, anthropic("conflict_error"), C.SERVER),
    ("anthropic", 413, "<html><title>413 Too Large</title></html>", C.BAD_REQUEST),
    ("anthropic", 429, anthropic("rate_limit_error"), C.RATE_LIMITED),
    ("anthropic", 429, anthropic("rate_limit_error", error_code="enforced_spend_limit_reached"), C.BILLING),
    ("anthropic", 500, anthropic("api_error"), C.SERVER),
    ("anthropic", 504, anthropic("timeout_error"), C.SERVER),
    ("anthropic", 529, anthropic("overloaded_error"), C.OVERLOADED),
    ("anthropic", 200, anthropic("overloaded_error"), C.OVERLOADED),
    ("anthropic", 200, anthropic("api_error"), C.SERVER),
    ("anthropic", 200, anthropic("invalid_request_error"), C.BAD_REQUEST),
    ("openai", 400, openai(code="context_length_exceeded", type="invalid_request_error"), C.CONTEXT_OVERFLOW),
    ("openai", 400, openai(code="unsupported_parameter"), C.BAD_REQUEST),
    ("openai", 401, openai(code="invalid_api_key"), C.AUTH),
    ("openai", 403, openai(), C.AUTH),
    ("openai", 404, openai(code="model_not_found"), C.BAD_REQUEST),
    ("openai", 408, openai(), C.SERVER),
    ("openai", 409, openai(), C.SERVER),
    ("openai", 422, openai(), C.BAD_REQUEST),
    ("openai", 429, openai(code="rate_limit_exceeded"), C.RATE_LIMITED),
    ("openai", 429, openai(code="slow_down"), C.RATE_LIMITED),
    *(("openai", 429, openai(code=code), C.BILLING) for code in (
        "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded", "organization_usage_limit_exceeded")),
    ("openai", 500, openai(type="server_error"), C.SERVER),
    ("openai", 503, openai(code="server_is_overloaded"), C.OVERLOADED),
    ("openrouter", 200, openai(code=429, metadata={"error_type": "rate_limit_exceeded"}), C.RATE_LIMITED),
    ("openrouter", 200, openai(code=502), C.SERVER),
    ("openrouter", 200, openai(code="503"), C.OVERLOADED),
    ("openrouter", 402, openai(code=402), C.BILLING),
    ("openrouter", 403, openai("Your input was flagged", code=403), C.CONTENT_POLICY),
    ("openrouter", 400, openai(code=400, metadata={"error_type": "context_length_exceeded"}), C.CONTEXT_OVERFLOW),
    ("litellm", 400, openai(type="budget_exceeded", code="400"), C.BILLING),
    ("litellm", 400, openai(type="no_db_connection", code="400"), C.AUTH),
    ("litellm", 400, openai("litellm.ContextWindowExceededError: m"), C.CONTEXT_OVERFLOW),
    ("portkey", 446, openai(), C.CONTENT_POLICY),
    ("portkey", 408, openai(), C.SERVER),
    ("ollama", 503, openai("Loading model", code=503, type="unavailable_error"), C.OVERLOADED),
    ("ollama", 400, openai("m", code=400, type="exceed_context_size_error"), C.CONTEXT_OVERFLOW),
    ("ollama", 401, {"detail": "Invalid API key"}, C.AUTH),
    ("ollama", 500, "Internal Server Error", C.SERVER),
    ("ollama", 418, "", C.BAD_REQUEST),
    ("ollama", 599, "", C.SERVER),
    ("ollama", 200, openai("boom"), C.SERVER),
    ("ollama", 200, {"error": "boom"}, C.SERVER),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "body", "error_class"), CASES)
def test_classes(name: str, status: int, body: Any, error_class: ErrorClass) -> None:
    """Each provider's failures have their class; an error inside a 200 that of its status form."""
    made = failure(CATALOG.providers[name], status, body)
    assert made.error_class is error_class
    assert made.http_status == status


def test_spend_limit_with_a_wait_is_a_rate_limit() -> None:
    """Anthropic's spend limit is billing unless it says when it refills."""
    body = anthropic("rate_limit_error", error_code="enforced_spend_limit_reached")
    made = failure(CATALOG.providers["anthropic"], 429, body, {"retry-after": "30"})
    assert (made.error_class, made.retry_after_s) == (C.RATE_LIMITED, 30.0)


def test_rules_are_looked_at_in_order(provider: Callable[..., Provider]) -> None:
    """The first rule all of whose marks fit decides, before the general table."""
    rules = (
        ErrorRule(C.BILLING, status=429, code="Quota", text="monthly"),
        ErrorRule(C.RATE_LIMITED, code="QUOTA"),
        ErrorRule(C.SERVER, status=401),
    )
    row = provider(error_rules=rules)
    assert failure(row, 429, openai("Monthly limit", code="quota")).error_class is C.BILLING
    assert failure(row, 429, openai("per minute", code="quota")).error_class is C.RATE_LIMITED
    assert failure(row, 401, openai(code="invalid_api_key")).error_class is C.SERVER


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (openai("words"), "words"),
        (anthropic("x", "words"), "words"),
        ({"object": "error", "message": "words"}, "words"),
        ({"code": "X", "message": "words", "request_id": "1"}, "words"),
        ({"error": "words"}, "words"),
        ({"detail": "words"}, "words"),
        ({"detail": {"error": "words"}}, "words"),
        ({"detail": [{"loc": ["body", 0, "x"], "msg": "words"}, {"msg": "more"}]}, "body.0.x: words; more"),
        (openai("Provider returned error", metadata={"raw": "words"}), "Provider returned error: words"),
        ([openai("words")], "words"),
        ("words", "words"),
        ("<html><head><title>502 Bad &amp; Sad</title>", "a web page titled `502 Bad & Sad`"),
        ("<html>", "a web page"),
        ('"words"', '"words"'),
        ("", ""),
        ({}, ""),
        (openai(None), ""),  # type: ignore[arg-type]
    ],
)
def test_messages(body: Any, message: str) -> None:
    """The words meant for people are found in every shape."""
    raw = body if isinstance(body, str) else json.dumps(body)
    assert read_error(raw.encode()).message == message


def test_message_is_fit_to_be_shown(provider: Callable[..., Provider]) -> None:
    """A message names the provider and the status, on one bounded line, without the key or control characters."""
    key = Secret("sk-abcdefghijklmnop")
    words = "bad key sk-abcdefghijklmnop, ending\x1b[31m in ***mnop\n" + "x" * 9999
    made = failure(provider(label="Host"), 401, openai(words, code="sk-abcdefghijklmnop"), key=key)
    assert made.message.startswith("Host answered 401: bad key [redacted]")
    assert len(made.message) < 600
    assert "mnop" not in made.message + str(made.code)
    assert made.message.isprintable()
    assert failure(provider(), 500, "").message == "host answered 500"
    assert "in its answer: m" in failure(provider(), 200, openai()).message


def test_request_ids(provider: Callable[..., Provider]) -> None:
    """The request id is taken from any known header, else from the body."""
    assert request_id({"x-ds-trace-id": "t"}) == "t"
    assert request_id({}) is None
    assert failure(provider(), 500, anthropic("api_error")).request_id == "r"
    assert failure(provider(), 500, anthropic("api_error"), {"request-id": "h"}).request_id == "h"


def test_waits_reach_the_failure(provider: Callable[..., Provider]) -> None:
    """What headers, the body's own field or the message say about waiting stands in the failure."""
    assert failure(provider(), 429, openai("Please try again in 20s")).retry_after_s == 20
    assert failure(provider(), 429, openai(availability={"retry_after": 7})).retry_after_s == 7
    made = failure(provider(), 429, openai(), {"x-should-retry": "false", "retry-after": "3"})
    assert (made.retry_after_s, made.should_retry) == (3, False)


NAMES = ("error", "message", "code", "type", "detail", "details", "metadata", "loc", "msg", "status", "request_id")
MORE = ("availability", "retry_after", "raw")
JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES + MORE), inner, max_size=5),
    max_leaves=12,
)


@given(st.integers(200, 599), JSON_LIKE, st.binary(max_size=40))
def test_nothing_said_is_a_crash(status: int, body: Any, raw: bytes) -> None:
    """Whatever a failed response holds, it becomes a failure with a class."""
    row = CATALOG.providers["openai"]
    assert failure(row, status, body).error_class in C
    assert failure(row, status, raw).error_class in C
