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
from deepsel.secret import KnownSecrets, Secret
from deepsel.values import ErrorRule, Provider
from deepsel.wires.error_shapes import read_error
from deepsel.wires.failures import FailureReader, is_error, request_id

CATALOG = Catalog()

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
C = ErrorClass


def failure(
    provider: Provider, status: int, body: Any, headers: Mapping[str, str] | None = None, key: Secret | None = None
) -> AttemptFailed:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    secrets = KnownSecrets(lambda: [key.reveal()] if key else [])
    return FailureReader(provider, secrets, headers or {}, NOW).failure(raw, status=status)


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
    # An event-stream form at any status.
    ("qwen", 400, 'id:1\nevent:error\n:HTTP_STATUS/400\ndata:{"code":"Arrearage","message":"m"}\n\n', C.BILLING),
    ("ollama", 429, 'event: error\ndata: {"error": {"message": "insufficient balance"}}\n\n', C.BILLING),
    ("ollama", 500, 'data: {"error": {"message": "Incorrect API key provided"}}\n\n', C.AUTH),
    # MiniMax: numbers of its own, with any status.
    *(("ollama", status, {"base_resp": {"status_code": code, "status_msg": "m"}, "choices": None}, meant)
      for status in (200, 400, 500) for code, meant in (
          (1002, C.RATE_LIMITED), (1004, C.AUTH), (1008, C.BILLING), (1013, C.SERVER), (1026, C.CONTENT_POLICY), (2013, C.BAD_REQUEST))),
    ("ollama", 200, {"base_resp": {"status_code": 9999, "status_msg": "insufficient balance"}}, C.BILLING),
    # `errors`, `detail` and flat forms of hosts and of what stands before them.
    ("ollama", 403, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}], "result": None}, C.AUTH),
    ("ollama", 200, {"success": False, "errors": [{"code": 1, "message": "no credits left"}]}, C.BILLING),
    ("ollama", 400, {"errors": {"temperature": ["is not a number"]}}, C.BAD_REQUEST),
    ("ollama", 500, "insufficient_quota: no money", C.BILLING),
    ("ollama", 200, openai("该令牌额度已用尽", code="insufficient_user_quota"), C.BILLING),
    ("ollama", 403, openai("用户额度不足"), C.BILLING),
    ("ollama", 200, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}, C.AUTH),
    ("ollama", 200, {"success": False, "message": "invalid token"}, C.AUTH),
    ("ollama", 400, openai("failed", cause='{"error": {"code": "insufficient_quota", "message": "m"}}'), C.BILLING),
    ("ollama", 200, {"error_code": 17, "error_msg": "Open api daily request limit reached"}, C.RATE_LIMITED),
    # Google: status and reason as words.
    ("ollama", 400, openai("API key not valid.", code=400, status="INVALID_ARGUMENT",
                           details=[{"reason": "API_KEY_INVALID"}]), C.AUTH),
    ("ollama", 403, openai("m", code=403, status="PERMISSION_DENIED", details=[{"reason": "BILLING_DISABLED"}]), C.BILLING),
    ("ollama", 429, [openai("m", code=429, status="RESOURCE_EXHAUSTED")], C.RATE_LIMITED),
    ("ollama", 429, openai("You exceeded your current quota.", code=429, details=[{"retryDelay": "5s"}]), C.RATE_LIMITED),
    ("ollama", 429, openai("You exceeded your current quota."), C.BILLING),
    ("ollama", 200, [openai("m", code=503, status="UNAVAILABLE")], C.OVERLOADED),
    ("ollama", 429, openai("Your prepayment credits are depleted.", code=429, status="RESOURCE_EXHAUSTED"), C.BILLING),
    ("ollama", 500, openai("dial tcp: no route to host"), C.SERVER),
    # Money and keys in words, whatever the status.
    ("ollama", 500, openai("Your account has insufficient balance"), C.BILLING),
    ("ollama", 403, openai("Your team has used all available credits"), C.BILLING),
    ("ollama", 429, openai("余额不足或无可用资源包", code="1113"), C.BILLING),
    ("ollama", 500, "litellm.AuthenticationError: m", C.AUTH),
    # An error within the words of another one.
    ("litellm", 500, openai('{"error": {"code": "insufficient_quota", "message": "m"}}'), C.BILLING),
    # A wrong path, answered with 200.
    ("ollama", 200, {"error": "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"}, C.BAD_REQUEST),
    ("ollama", 200, "404 page not found", C.BAD_REQUEST),
    ("ollama", 404, "<html><title>Error</title><pre>Cannot POST /chat/completions</pre>", C.BAD_REQUEST),
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
        ({"object": "error", "message": {"detail": [{"loc": ["body", "thinking"], "msg": "words"}]}}, "body.thinking: words"),
        ({"message": ["words", {"msg": "more"}]}, "words; more"),
        ({"error": {"message": ["words"]}}, "words"),
        ({"error": [{"message": "words"}]}, "words"),
        ({"error": True, "message": "words"}, "words"),
        ({"error": {"code": "x"}, "message": "words"}, "words"),
        ({"errors": [{"message": "words"}, "more"]}, "words; more"),
        ({"errors": {"top_p": ["words"]}}, "top_p: words"),
        ({"base_resp": {"status_code": 1, "status_msg": "words"}}, "words"),
        ({"type": "about:blank", "title": "words", "status": 400}, "words"),
        ({"status": "words"}, "words"),
        ('data: {"error": {"message": "words"}}\n\n', "words"),
        (': note\nevent: error\ndata: {"message": "words"}', "words"),
        ('{"error": "words"}\n{"more": 1}', "words"),
        (openai('{"error": {"message": "words"}}'), "words"),
        (openai('Upstream - {"error": {"message": "words"}} (3 tries)'), "words"),
        (openai("in short", cause='{"error": {"message": "words"}}'), "words"),
        (openai('use {"a": 1}'), 'use {"a": 1}'),
        ("<html><title>Error</title><pre>Cannot POST /x</pre>", "a web page titled `Error`: Cannot POST /x"),
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
    for member, seconds in (
        ({"details": [{"@type": "x"}, {"retryDelay": "1.6s"}]}, 1.6),
        ({"details": [{"retryDelay": {"seconds": 3, "nanos": 500_000_000}}]}, 3.5),
        ({"retry_after_ms": 1500}, 1.5),
        ({"retryAfter": "2 s"}, 2),
        ({"metadata": {"headers": {"Retry-After": "9"}}}, 9),
        ({"estimated_time": 20.0}, 20),
    ):
        assert failure(provider(), 429, openai(**member)).retry_after_s == seconds, member  # type: ignore[arg-type]
    made = failure(provider(), 429, openai(), {"x-should-retry": "false", "retry-after": "3"})
    assert (made.retry_after_s, made.should_retry) == (3, False)


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        ({"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}}, False),
        ({"choices": [{}], "base_resp": {"status_code": 1027}}, True),
        ({"choices": None, "detail": "m"}, True),
        ({"status": 404, "message": "Not Found"}, True),
        ({"message": "a piece of something else"}, False),
        ({"error_code": 1, "error_msg": "m"}, True),
        ({"id": "x", "usage": {}}, False),
        ({"choices": [], "message": "m"}, False),
        ({"type": "message", "content": [], "message": "m"}, False),
        ({"error": None, "choices": []}, False),
    ],
)
def test_an_error_in_a_200_is_told_from_an_answer(document: dict[str, Any], wanted: bool) -> None:
    """What has words but no answer is an error; what has choices is one only where it says so."""
    assert is_error(document) is wanted


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (503, openai("Loading model", type="unavailable_error", code=503), True),
        (503, "loading", True),
        (503, {"status": "loading model"}, True),
        (503, {"error": "Model x/y is currently loading", "estimated_time": 20.0}, True),
        (500, {"error": "llm server loading model"}, True),
        (200, {"error": "the model is still loading"}, True),
        (503, openai("The engine is starting"), True),
        *((503, {"detail": f"The model is {word}"}, True) for word in ("booting", "initializing", "downloading", "spinning up")),
        (503, openai("overloaded: uploading is off"), False),
        (503, openai("m"), False),
        (400, openai("error loading the picture"), False),
        (401, openai("model loading is not allowed with this key"), False),
    ],
)
def test_loading_is_told_from_failing(provider: Callable[..., Provider], status: int, body: Any, wanted: bool) -> None:
    """A server that is only starting says so in many words; whatever else it is called, it is overloaded, not broken."""
    made = failure(provider(), status, body)
    assert made.is_loading is wanted
    assert not wanted or made.error_class is C.OVERLOADED


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (openai(param="temperature"), ("temperature",)),
        ({"detail": [{"loc": ["body", "seed"], "msg": "m"}, {"loc": ["body", "messages", 0], "msg": "m"}]}, ("seed", "messages")),
        ({"message": {"detail": [{"loc": ["body", "thinking"], "msg": "m"}]}}, ("thinking",)),
        (openai(details=[{"fieldViolations": [{"field": "top_p.x", "description": "m"}]}]), ("top_p",)),
        (openai(param=None), ()),
        (openai(param="body.temperature"), ("temperature",)),
        ({"detail": [{"loc": ["body", "request", "seed"], "msg": "m"}]}, ("seed",)),
        (openai("m", cause='{"error": {"message": "m", "param": "temperature"}}'), ("temperature",)),
    ],
)
def test_members_that_are_complained_of(provider: Callable[..., Provider], body: Any, names: tuple[str, ...]) -> None:
    """Where a refusal names members of the request apart from its words, they are read."""
    assert failure(provider(), 422, body).names == names


NAMES = ("error", "message", "code", "type", "detail", "details", "metadata", "loc", "msg", "status", "request_id")
MORE = ("availability", "retry_after", "raw", "errors", "base_resp", "status_code", "param", "retryDelay", "seconds", "headers")
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
