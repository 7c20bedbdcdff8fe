"""The records an answer passes through on its way to the socket; they hold and do nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

Finish: TypeAlias = Literal["complete", "length", "refused", "filtered", "missing", "tool"]
UsagePlace: TypeAlias = Literal["own_event", "finish_event", "none"]
Framing: TypeAlias = Literal["length", "chunked", "none"]


class Mark(StrEnum):
    """What a frame is, so that a fault can find its place; the last four are acts, not bytes."""

    OPEN = "open"
    REASONING = "reasoning"
    TEXT = "text"
    FINISH = "finish"
    USAGE = "usage"
    END = "end"
    BODY = "body"
    NOISE = "noise"
    CUT = "cut"
    """Shut the connection down."""
    RESET = "reset"
    """Reset it, which loses what the peer has not read yet."""
    HANG = "hang"
    """Write nothing more until the peer leaves."""
    ENDLESS = "endless"
    """Write the frame's bytes again and again until the peer leaves."""


TOKEN_MARKS = frozenset({Mark.REASONING, Mark.TEXT})


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes written in one piece."""

    data: bytes
    mark: Mark
    tokens: int = 0
    due_s: float = 0.0
    """Seconds after the request was read; for ENDLESS also counted from there."""
    interval_s: float = 0.0
    """Between two writes of an ENDLESS frame."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response, planned to the byte and to the second."""

    status: int
    headers: Mapping[str, str]
    frames: tuple[Frame, ...] = ()
    framing: Framing = "length"
    head_s: float = 0.0
    """When the head is due, in seconds after the request was read."""
    declared_bytes: int | None = None
    """Content-Length where it differs from what is written; None: it is true."""
    broken_head: tuple[float, Mark] | None = None
    """Share of the head that is written, and what happens then; None: the head is whole."""
    close_after: bool = False
    """Close the kept connection after the answer, unannounced."""


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool the model may call."""

    name: str
    schema: Mapping[str, Any]
    """JSON Schema of its arguments."""


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """The tools of a request, and what is asked of them."""

    tools: tuple[OfferedTool, ...] = ()
    must_call: bool = False
    is_closed: bool = False
    """None may be called."""
    only: str | None = None
    """The one that has to be called."""
    called: tuple[str, ...] = ()
    """Those the model has called since the user spoke last."""


@dataclass(frozen=True, slots=True)
class MadeCall:
    """One call the simulated model makes."""

    id: str
    name: str
    arguments: str
    """JSON text; cut where `max_tokens` ends."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a caller wants, in any wire's words."""

    model: str
    prompt: str
    """Text of all messages, the system's first, one a line."""
    question: str
    """Text of the last message of the user."""
    stream: bool
    max_tokens: int | None
    include_usage: bool
    """Whether a stream should report usage."""
    wants_json: bool = False
    schema: Mapping[str, Any] | None = None
    thinking: bool | None = None
    """Asked for or switched off in the request; None: not mentioned."""
    offer: ToolOffer = ToolOffer()
    stops: tuple[str, ...] = ()
    """Texts before which the answer ends."""
    answers: int = 1
    """How many are wanted, each in a choice of its own."""


@dataclass(frozen=True, slots=True)
class Content:
    """What the simulated model says, before it is put into a wire's form."""

    id: str
    model: str
    text: str
    reasoning: str = ""
    finish: Finish = "complete"
    input_tokens: int = 0
    """Everything read, the cached part included."""
    cached_tokens: int = 0
    usage: UsagePlace = "own_event"
    created: int = 0
    """Unix time."""
    calls: tuple[MadeCall, ...] = ()
    stop_sequence: str | None = None
    """The text before which the answer was ended."""
    answers: int = 1


@dataclass(frozen=True, slots=True)
class LimitHeaders:
    """What is left of a limit on requests."""

    requests: int
    """The limit itself."""
    remaining: int
    reset_s: float
    """Until the window is empty."""
    at: datetime
    """Now, in UTC."""


class UnreadableRequest(Exception):
    """The request's body is not what the wire wants; the text is for its sender."""
