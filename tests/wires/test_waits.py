"""How long a response asks us to stay away, and what it says is left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.wires.waits import Allowance, Quota, Wait, duration_s, read_wait, remaining

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DATE = "Tue, 24 Nov 2026 12:00:30 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250.5", "retry-after": "9"}, 0.2505),
        ({"retry-after-ms": "junk", "retry-after": "9"}, 9),
        ({"retry-after": DATE}, 30),
        ({"retry-after": DATE, "date": "Tue, 24 Nov 2026 12:00:10 GMT"}, 20),
        ({"retry-after": DATE, "date": "junk"}, 30),
        ({"retry-after": "3", "x-ratelimit-reset-requests": "9s"}, 3),
        ({"x-ratelimit-reset-requests": "1s"}, 1),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "86ms"}, 0.086),
        ({"x-ratelimit-reset-tokens": "1h2m3s"}, 3723),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "1m"}, 60),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-tokens": "1m"}, 1),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 12)}, 12),
        ({"x-ratelimit-reset": str((int(NOW.timestamp()) + 12) * 1000)}, 12),
        ({"ratelimit-reset": "12"}, 12),
        ({"anthropic-ratelimit-requests-reset": "2026-11-24T12:00:05Z"}, 5),
        ({"anthropic-ratelimit-requests-reset": "2026-11-24T12:00:05Z", "date": "Tue, 24 Nov 2026 12:00:01 GMT"}, 4),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-24T13:00:05+01:00"}, 5),
        ({"llm_provider-retry-after": "4"}, 4),
        ({"retry-after": "30s"}, 30),
        ({"ratelimit": '"default";r=0;t=30'}, 30),
        ({"ratelimit": "limit=10, remaining=0, reset=7"}, 7),
    ],
)  # fmt: skip
def test_headers(headers: dict[str, str], seconds: float) -> None:
    """Each form is read, the more trusted one first, dates against the response's own clock."""
    assert read_wait(headers, now=NOW).retry_after_s == pytest.approx(seconds)


@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms", "x-ratelimit-reset-requests", "llm_provider-retry-after"])
@pytest.mark.parametrize(
    "junk",
    ["", "-1", "-0.5", "nan", "inf", "Infinity", "1e3", "0x10", "+5", "1_000", "soon", "٣", "５", "1,5", "9" * 400,
     "9999999999999", "Tue, 24 Nov 9999 12:00:30 GMT", "Tue, 24 Nov 0001 12:00:30 GMT", "Mon, 01 Jan 1990 00:00:00 GMT",
     "Tue, ٢٤ Nov 2026 12:00:30 GMT", "Tue, 99 Nov 2026 12:00:30 GMT", "2026-13-45T00:00:00Z", "9999-12-31T23:59:59Z"],
)  # fmt: skip
def test_junk_is_absent(name: str, junk: str) -> None:
    """Negative, endless, misspelt, absurd and past waits read as if nothing had been said."""
    assert read_wait({name: junk}, now=NOW) == Wait(None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached. Please try again in 20s.", 20),
        ("Please try again in 6m0s", 360),
        ("try again in 86ms", 0.086),
        ("Please retry after 5 seconds", 5),
        ("Retry in 1.5 minutes", 90),
        ("please wait 2 hours", 7200),
        ("请在 30 秒后重试", 30),
        ("请在 2 分钟后重试", 120),
        ("Please retry in 38.5s.", 38.5),
        ("the limit resets in 1m30s", 90),
        ("retry_after: 12", 12),
        ("{'error': {'details': [{'retryDelay': '38s'}]}}", 38),
        ("try again in 5 months", None),
        ("try again later", None),
        ("20s", None),
        ("try again in " + "9" * 300 + "s", None),
    ],
)
def test_wait_named_in_the_message(text: str, seconds: float | None) -> None:
    """A wait in words is the last resort."""
    assert read_wait({}, now=NOW, text=text).retry_after_s == (None if seconds is None else pytest.approx(seconds))
    assert read_wait({"retry-after": "1"}, now=NOW, text=text).retry_after_s == 1
    assert read_wait({}, now=NOW, stated=2.5, text=text).retry_after_s == 2.5


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"x-should-retry": "true"}, True),
        ({"x-should-retry": "False"}, False),
        ({"x-should-retry": "maybe"}, None),
        ({"x-ratelimit-limit-req-minute": "0"}, False),
        ({"x-ratelimit-limit-req-minute": "60"}, None),
    ],
)
def test_word_on_retrying(headers: dict[str, str], word: bool | None) -> None:
    """The provider's word is taken; Mistral's limit of 0 is one too."""
    assert read_wait(headers, now=NOW).should_retry is word


@pytest.mark.parametrize(
    ("headers", "allowance"),
    [
        ({}, Allowance()),
        (
            {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s",
             "x-ratelimit-remaining-tokens": "900"},
            Allowance(Quota(59, 60, 1.0), Quota(900)),
        ),
        (
            {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "0",
             "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:05Z",
             "anthropic-ratelimit-input-tokens-limit": "100", "anthropic-ratelimit-input-tokens-remaining": "90",
             "anthropic-ratelimit-output-tokens-limit": "100", "anthropic-ratelimit-output-tokens-remaining": "10"},
            Allowance(Quota(0, 50, 5.0), Quota(10, 100)),
        ),
        (
            {"x-ratelimit-limit-req-minute": "60", "x-ratelimit-remaining-req-minute": "7",
             "x-ratelimit-remaining-tokens-minute": "5", "x-ratelimit-limit-tokens-minute": "10",
             "x-ratelimit-remaining-tokens-month": "1", "x-ratelimit-limit-tokens-month": "100"},
            Allowance(Quota(7, 60), Quota(1, 100)),
        ),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "many"}, Allowance()),
    ],
)  # fmt: skip
def test_what_is_left(headers: dict[str, str], allowance: Allowance) -> None:
    """OpenAI's, Anthropic's and Mistral's headers are read; of several of one kind the scarcest counts."""
    assert remaining(headers, now=NOW) == allowance


VALUES = st.text(max_size=20) | st.from_regex(r"-?\d{0,20}(\.\d*)?(ms|[smh])?") | st.datetimes().map(str)
NAMES = st.sampled_from(
    ["retry-after", "retry-after-ms", "date", "x-should-retry", "x-ratelimit-reset-requests", "llm_provider-retry-after",
     "x-ratelimit-remaining-requests", "anthropic-ratelimit-tokens-reset", "x-ratelimit-limit-req-minute"]
)  # fmt: skip


@given(st.dictionaries(NAMES, VALUES), st.text(max_size=60), st.floats() | st.text() | st.booleans() | st.none())
def test_nothing_is_a_crash_or_negative(headers: dict[str, str], text: str, stated: Any) -> None:
    """Whatever stands in the headers and the message, a wait is absent or a sane number."""
    wait = read_wait(headers, now=NOW, stated=stated, text="try again in " + text).retry_after_s
    assert wait is None or 0 <= wait <= 31 * 86_400
    left = remaining(headers, now=NOW).requests
    assert left is None or left.remaining >= 0
    assert duration_s(text) is None or duration_s(text) >= 0  # type: ignore[operator]
