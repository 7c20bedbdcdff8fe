"""What the engine says while it works; renderers, the cache and the log read this one stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from deepsel.values import Attempt, ReasoningDelta, TextDelta


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A model is being asked."""

    provider: str
    model: str
    number: int
    """1 for the first call of the request."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The engine sleeps before it asks again."""

    seconds: float
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """A call is over. Deltas since its AttemptStarted are void unless its outcome is ok or nothing follows."""

    attempt: Attempt


EngineEvent: TypeAlias = AttemptStarted | Waiting | TextDelta | ReasoningDelta | AttemptEnded
