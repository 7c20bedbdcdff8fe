"""Reads from a response how long to stay away and what is left of the limits; pure, and decides nothing.

The order of trust: `x-should-retry`, `retry-after-ms`, `retry-after` as seconds or with a unit, `retry-after` as a date, a wait
stated in the body's own field, reset headers, a proxied upstream's `llm_provider-retry-after`, a wait named in the message.
Header names are expected in lower case. Junk (negative, not finite, not ASCII, absurd) reads as absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from deepsel.records import NamedTuple
from deepsel.values import Json

MAX_WAIT_S = 31 * 86_400.0
"""The longest period a provider limits by is a month; anything over it is taken for a mistake."""

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = rf"(?:{_NUMBER}\s*(?:ms|[smhd])\s*)+"
_WORD_UNITS = (
    (r"milliseconds?", "ms"),
    (r"sec(?:ond)?s?", "s"),
    (r"min(?:ute)?s?", "m"),
    (r"hours?", "h"),
    (r"days?", "d"),
)
_IN_TEXT = (
    rf"(?:again|retry|retrying|wait|resets?|available)[\s_-]+(?:(?:after|in|for)[\s:=]+)?(?:about\s+)?({_DURATION})(?![a-z])"
    rf"|({_NUMBER})\s*(秒|分钟)后|retry[_-]?(?:after|delay)[\"']?\s*[:=]\s*[\"']?(?:({_NUMBER})(?![\d.]*\s*[a-z])|({_DURATION})(?![a-z]))"
)
_RATELIMIT_T = rf"(?:^|[;,\s])(?:t|reset)=({_NUMBER})(?![\w.])"
# Epochs are told from short waits by their size: 1e9 is 2001 in seconds, 1e12 in milliseconds.
_EPOCH_S, _EPOCH_MS = 1e9, 1e12


class Wait(NamedTuple):
    """What a response says about asking again."""

    retry_after_s: float | None = None
    """Seconds to stay away, at least 0; None: nothing usable was said."""
    should_retry: bool | None = None
    """The provider's explicit word; None: it gave none."""


class Quota(NamedTuple):
    """One limit as last reported."""

    remaining: int
    limit: int | None = None
    reset_s: float | None = None
    """Seconds until it is full again."""


class Allowance(NamedTuple):
    """What is left of a key's limits; of several of one kind, the scarcest."""

    requests: Quota | None = None
    tokens: Quota | None = None


def read_wait(headers: Mapping[str, str], *, now: datetime, stated: Json = None, text: str = "") -> Wait:
    """Return the wait a failed response asks for.

    `now` stands in where the response has no `date`; `stated` is the body's own field (seconds, text with a unit, or an
    object of `seconds` and `nanos`), `text` its message.
    """
    word = headers.get("x-should-retry", "").strip().lower()
    should_retry = {"true": True, "false": False}.get(word)
    if should_retry is None and _has_no_allowance(headers):
        should_retry = False
    waits = _waits(headers, _server_now(headers, now), stated, text)
    return Wait(next((wait for wait in waits if wait is not None), None), should_retry)


def remaining(headers: Mapping[str, str], *, now: datetime) -> Allowance:
    """Return what a response says is left, from OpenAI's, Anthropic's or Mistral's header names."""
    kinds: dict[str, list[Quota]] = {"requests": [], "tokens": []}
    at = _server_now(headers, now)
    for name, value in headers.items():
        left = _whole(value) if _is_limit(name, "remaining") else None
        if left is not None:
            quota = Quota(left, _partner(headers, name, "limit"), _reset_s(headers.get(_sibling(name, "reset")), at))
            kinds["tokens" if "token" in name else "requests"].append(quota)
    scarcest = {kind: min(found, key=_scarcity, default=None) for kind, found in kinds.items()}
    return Allowance(scarcest["requests"], scarcest["tokens"])


def duration_s(text: str) -> float | None:
    """Read a duration such as `1s`, `6m0s`, `86ms`, `1h2m3s`; None for anything else."""
    if not re.fullmatch(_DURATION, text.strip(), re.ASCII):
        return None
    parts = re.findall(rf"({_NUMBER})\s*(ms|[smhd])", text, re.ASCII)
    return _bounded(sum(float(number) * _UNIT_S[unit] for number, unit in parts))


def _waits(headers: Mapping[str, str], at: datetime, stated: Json, text: str) -> Iterator[float | None]:
    """Yield what each source says, most trusted first."""
    yield _number(headers.get("retry-after-ms"), scale=0.001)
    yield _number(headers.get("retry-after"))
    yield _date_s(headers.get("retry-after"), at)
    yield duration_s(headers.get("retry-after", ""))
    yield _stated(stated)
    yield _longest_reset(headers, at)
    yield _structured_reset(headers.get("ratelimit", ""))
    yield _number(headers.get("llm_provider-retry-after-ms"), scale=0.001)
    yield _number(headers.get("llm_provider-retry-after"))
    yield _named_in(text)


def _stated(stated: Json) -> float | None:
    """Read a member of the body: seconds, text with a unit, or Google's object of a duration."""
    if isinstance(stated, dict):
        seconds, nanos = _number(str(stated.get("seconds", 0))), stated.get("nanos")
        part = nanos / 1e9 if isinstance(nanos, int) and 0 <= nanos < 10**9 else 0.0
        return None if seconds is None else _bounded(seconds + part)
    if isinstance(stated, bool):
        return None
    words = str(stated)
    return _number(words) if _number(words) is not None else duration_s(words)


def _structured_reset(value: str) -> float | None:
    """Read the seconds to the reset in a `RateLimit` header of one field: `"default";r=0;t=30`, `limit=5, remaining=0, reset=30`."""
    found = re.search(_RATELIMIT_T, value, re.ASCII)
    return _number(found[1]) if found else None


def _number(value: str | None, *, scale: float = 1.0) -> float | None:
    """Read plain ASCII decimals; signs, exponents and words are junk."""
    if value is None or not re.fullmatch(_NUMBER, value.strip(), re.ASCII):
        return None
    return _bounded(float(value) * scale)


def _bounded(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= MAX_WAIT_S else None


def _server_now(headers: Mapping[str, str], now: datetime) -> datetime:
    """Return the server's own clock, so that ours may be wrong."""
    return _date(headers.get("date")) or now


def _date(value: str | None) -> datetime | None:
    """Read an HTTP-date; one without a zone is UTC."""
    if not value or not value.isascii():
        return None
    from email.utils import parsedate_to_datetime  # slow to import, and seldom needed

    try:
        instant = parsedate_to_datetime(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _date_s(value: str | None, at: datetime) -> float | None:
    instant = _date(value)
    return None if instant is None else _bounded((instant - at).total_seconds())


def _longest_reset(headers: Mapping[str, str], at: datetime) -> float | None:
    """Return the latest reset among the limits that are used up; among all, where none says it is."""
    resets = [name for name in headers if _is_limit(name, "reset")]
    used_up = [name for name in resets if _partner(headers, name, "remaining") == 0]
    waits = [_reset_s(headers[name], at) for name in used_up or resets]
    return max((wait for wait in waits if wait is not None), default=None)


def _reset_s(value: str | None, at: datetime) -> float | None:
    """Read a reset as a duration, as seconds, as an epoch in seconds or milliseconds, or as an RFC 3339 instant."""
    if value is None or not value.isascii():
        return None
    value = value.strip()
    if re.fullmatch(_NUMBER, value):
        number = float(value)
        epoch_s = number / 1000 if number >= _EPOCH_MS else number
        return _bounded(epoch_s - at.timestamp() if number >= _EPOCH_S else number)
    duration = duration_s(value)
    if duration is not None:
        return duration
    try:
        instant = datetime.fromisoformat(value)
        return _bounded((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() - at.timestamp())
    except (ValueError, OverflowError):
        return None


def _named_in(text: str) -> float | None:
    """Find a wait in a message: `try again in 6m0s`, `retry after 5 seconds`."""
    words = text[:2000].lower()
    for pattern, unit in _WORD_UNITS:
        words = re.sub(rf"(?<=[\d\s]){pattern}\b", unit, words, flags=re.ASCII)
    found = re.search(_IN_TEXT, words, re.ASCII)
    if found is None:
        return None
    if found[1]:
        return duration_s(found[1])
    if found[5]:
        return duration_s(found[5])
    return _number(found[2], scale=60.0 if found[3] == "分钟" else 1.0) if found[2] else _number(found[4])


def _is_limit(name: str, what: str) -> bool:
    return "ratelimit" in name and what in name.split("-")


def _sibling(name: str, what: str) -> str:
    """Name the header that says something else of the same limit."""
    return "-".join(what if part in ("remaining", "reset", "limit") else part for part in name.split("-"))


def _partner(headers: Mapping[str, str], name: str, what: str) -> int | None:
    return _whole(headers.get(_sibling(name, what)))


def _whole(value: str | None) -> int | None:
    if value is None or not re.fullmatch(r"\d{1,18}", value.strip(), re.ASCII):
        return None
    return int(value)


def _scarcity(quota: Quota) -> float:
    """Order limits by the share that is left, or by the number where the limit is unknown."""
    return quota.remaining / quota.limit if quota.limit else float(quota.remaining)


def _has_no_allowance(headers: Mapping[str, str]) -> bool:
    """Tell whether the request limit is zero: Mistral's way to say that a key may not ask at all."""
    return _whole(headers.get("x-ratelimit-limit-req-minute")) == 0
