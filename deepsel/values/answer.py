"""One request's whole result and the attempts it took."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from deepsel.errors import ErrorClass
from deepsel.records import NamedTuple
from deepsel.values.notice import Notice
from deepsel.values.parts import ToolCall
from deepsel.values.rows import PriceRule
from deepsel.values.usage import Usage
from deepsel.values.words import Finish


class Gateway(NamedTuple):
    """What a gateway between us and the model says it did, in its headers. None: it did not say."""

    cost_usd: Decimal | None = None
    """As the head of the response states it; of a stream that is not the final charge, but of a replay."""
    cache_status: str | None = None
    """In the gateway's own words: `HIT`, `MISS`, ..."""
    retries: int | None = None
    """Calls beyond the first, fall-backs included."""
    trace_id: str | None = None
    """Under which it knows the call."""
    odd_cost: str | None = None
    """The header in which it states what no call costs; None: there is none."""

    @property
    def is_replay(self) -> bool:
        """Whether the answer came out of the gateway's own cache (`HIT`, Portkey's `SEMANTIC HIT`), and no model was asked."""
        words = (self.cache_status or "").upper().replace("_", " ").replace("-", " ").split()
        return "HIT" in words


class Attempt(NamedTuple):
    """One call to one model, as it is recorded."""

    provider: str
    model: str
    outcome: Literal["ok", "failed", "skipped", "cancelled"]
    """cancelled: ended by the user, which is no fault of the provider."""
    error_class: ErrorClass | None = None
    http_status: int | None = None
    message: str = ""
    """What went wrong, redacted; empty where nothing did."""
    wait_s: float = 0.0
    """Seconds waited before it."""
    ttft_s: float | None = None
    total_s: float | None = None
    usage: Usage | None = None
    cost_usd: Decimal | None = None
    gateway: Gateway | None = None
    """None: no gateway made itself known."""
    first_sign_s: float | None = None
    """To the first sign of life, reasoning included: what the endpoint's health is judged by."""
    is_loading: bool = False
    """Whether it failed because the server was only starting."""


class CacheUse(NamedTuple):
    """What the cache did for one request."""

    status: Literal["hit", "miss", "stored", "off"]
    tier: str | None = None
    key: str | None = None


class Answer(NamedTuple):
    """One request's whole result: the record behind `ask --json`."""

    text: str
    reasoning: str
    model: str
    """The catalog name that was asked."""
    answered_model: str | None
    """The id the provider says answered."""
    provider: str
    profile: str
    task: str
    difficulty: float | None
    """None: not judged, since nobody reads it."""
    finish: Finish
    usage: Usage
    cost_usd: Decimal | None
    """What this command caused to be billed, over all its attempts; zero on a cache hit; None: unknown."""
    price_rule: PriceRule | None
    ttft_s: float | None
    total_s: float
    cache: CacheUse
    attempts: tuple[Attempt, ...]
    warnings: tuple[Notice, ...] = ()
    is_simulated: bool = False
    """Whether no model was asked; its cost is nobody's."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Whole ones, in the order they came; they follow the text."""
