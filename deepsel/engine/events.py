"""What the engine says while it works; renderers, the cache and the log read this one stream."""

from __future__ import annotations

from typing import TypeAlias

from deepsel.records import NamedTuple
from deepsel.values import Attempt, Passed, ReasoningDelta, TextDelta, ToolCallDelta


class AttemptStarted(NamedTuple):
    """A model is being asked."""

    provider: str
    model: str
    number: int
    """1 for the first call of the request."""


class Waiting(NamedTuple):
    """The engine sleeps before it asks again."""

    seconds: float
    model: str
    reason: str


class AttemptEnded(NamedTuple):
    """A call is over. Deltas since its AttemptStarted are void unless its outcome is ok or nothing follows."""

    attempt: Attempt


EngineEvent: TypeAlias = AttemptStarted | Waiting | TextDelta | ReasoningDelta | ToolCallDelta | Passed | AttemptEnded
