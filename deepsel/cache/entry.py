"""The record of a cached answer and its text form; text that is not a whole entry of this version reads as None."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from deepsel import __version__
from deepsel.cache.key import cache_key, canonical_json
from deepsel.dollars import read_usd
from deepsel.records import NamedTuple
from deepsel.values import MAX_TOKENS, Finish, Json, JsonObject, Source, Usage

ENTRY_FORMAT = 1
_BUCKETS = (
    "input_uncached",
    "cache_read",
    "cache_write_short",
    "cache_write_long",
    "output_visible",
    "output_reasoning",
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")


class CachedAnswer(NamedTuple):
    """A whole answer, what it took, and the request it answers."""

    text: str
    reasoning: str
    finish: Finish
    model: str
    """The catalog name that was asked."""
    provider: str
    answered_model: str | None
    """The id the provider says answered."""
    usage: Usage
    cost_usd: Decimal | None
    """What it did cost when it was bought, so what a hit saves; None: unknown."""
    document: JsonObject
    """The key document of the request."""
    price_source: str = ""
    price_as_of: date | None = None
    price_rule: str = ""
    """The label of the price rule that was in force; empty where the model has only one."""
    task: str | None = None
    question: str = ""
    """The last user message on one line, of a long one the beginning; empty in entries of before it was kept."""
    stored_at: datetime = _NEVER
    """Wall-clock instant; stamped by `Cache.put`."""
    ttl_s: float = 0.0
    """Time to live from `stored_at`; stamped by `Cache.put`."""
    version: str = __version__
    """The deepsel that stored it."""

    @property
    def expires_at(self) -> datetime:
        """The first instant at which the answer may no longer be served."""
        return self.stored_at + timedelta(seconds=self.ttl_s)

    @property
    def prompt(self) -> str:
        """The first 80 characters of `question`."""
        return self.question[:80]


class Entry(NamedTuple):
    """One cached answer as people look at it."""

    key: str
    answer: CachedAnswer
    size_bytes: int
    tier: str
    left_s: float
    """Seconds until it expires; 0 or less: it has."""


def encode(answer: CachedAnswer) -> str:
    """Write an answer as compact JSON; raises ValueError for one that is not complete."""
    if answer.finish is not Finish.COMPLETE:
        raise ValueError(f"only complete answers are cached, not one that ended with `{answer.finish}`")
    usage: JsonObject = {name: getattr(answer.usage, name) for name in _BUCKETS}
    return canonical_json(
        {
            "format": ENTRY_FORMAT,
            "text": answer.text,
            "reasoning": answer.reasoning,
            "finish": answer.finish.value,
            "model": answer.model,
            "provider": answer.provider,
            "answered_model": answer.answered_model,
            "usage": {**usage, "source": answer.usage.source.value},
            "cost_usd": None if answer.cost_usd is None else str(answer.cost_usd),
            "price_source": answer.price_source,
            "price_as_of": answer.price_as_of.isoformat() if answer.price_as_of else None,
            "price_rule": answer.price_rule,
            "task": answer.task,
            "question": answer.question,
            "document": answer.document,
            "stored_at": answer.stored_at.isoformat(),
            "ttl_s": answer.ttl_s,
            "version": answer.version,
        }
    )


def decode(text: str, key: str) -> CachedAnswer | None:
    """Read the answer to the request of `key`; None for what is malformed, foreign, incomplete or of another format."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data["format"] != ENTRY_FORMAT or data["finish"] != Finish.COMPLETE.value:
            return None
        answer = _from_members(data)
        return answer if cache_key(answer.document) == key else None
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return None


def is_other_format(text: str) -> bool:
    """Tell whether a text is an entry as another version of deepsel writes it."""
    try:
        data = json.loads(text)
        return isinstance(data, dict) and isinstance(data.get("format"), int) and data["format"] != ENTRY_FORMAT
    except (ValueError, RecursionError):
        return False


def _from_members(data: JsonObject) -> CachedAnswer:
    """Build the record from checked members; raises as `decode` expects."""
    as_of, stored_at = _optional(data["price_as_of"], str), datetime.fromisoformat(_typed(data["stored_at"], str))
    ttl_s = float(_number(data["ttl_s"]))
    answer = CachedAnswer(
        text=_typed(data["text"], str),
        reasoning=_typed(data["reasoning"], str),
        finish=Finish.COMPLETE,
        model=_typed(data["model"], str),
        provider=_typed(data["provider"], str),
        answered_model=_optional(data["answered_model"], str),
        usage=_usage(_typed(data["usage"], dict)),
        cost_usd=_amount(_optional(data["cost_usd"], str)),
        document=_typed(data["document"], dict),
        price_source=_typed(data["price_source"], str),
        price_as_of=date.fromisoformat(as_of) if as_of is not None else None,
        price_rule=_typed(data["price_rule"], str),
        task=_optional(data["task"], str),
        question=_typed(data.get("question", ""), str),
        stored_at=stored_at,
        ttl_s=ttl_s,
        version=_typed(data["version"], str),
    )
    if stored_at.tzinfo is None or answer.expires_at < stored_at:  # the sum overflows where it is no instant
        raise ValueError("not an instant")
    return answer


def _usage(data: JsonObject) -> Usage:
    """Read the usage buckets."""
    counts = {name: _optional(data[name], int) for name in _BUCKETS}
    if any(count is not None and (isinstance(count, bool) or not 0 <= count <= MAX_TOKENS) for count in counts.values()):
        raise ValueError("not a token count")
    return Usage(**counts, source=Source(_typed(data["source"], str)))


def _amount(text: str | None) -> Decimal | None:
    """Read an amount of money."""
    if text is None:
        return None
    amount = read_usd(text)
    if amount is None:
        raise ValueError("not an amount")
    return amount


def _typed(value: object, kind: type[_T]) -> _T:
    """Return `value` where it has the wanted type."""
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}")
    return value


def _optional(value: object, kind: type[_T]) -> _T | None:
    """Return `value` where it is None or has the wanted type."""
    return None if value is None else _typed(value, kind)


def _number(value: Json) -> int | float:
    """Return `value` where it is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    return value
