"""The shape of a surface, and the records it speaks in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from deepsel.records import NamedTuple
from deepsel.values import Answer, JsonObject, Passed, ReasoningDelta, Request, TextDelta, ToolCallDelta

if TYPE_CHECKING:
    from collections.abc import Callable

Kind: TypeAlias = Literal[
    "invalid_request", "too_large", "authentication", "permission", "not_found", "budget", "rate_limit", "overloaded",
    "unavailable", "timeout", "context_overflow", "content_policy", "internal",
]  # fmt: skip
Delta: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta


class BadMember(Exception):
    """A body that cannot be kept to: the client is labels, with the member's name."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message, self.param = message, param


class Problem(NamedTuple):
    """What a client is told in place of an answer."""

    status: int
    kind: Kind
    message: str
    param: str | None = None
    """The member it is about."""
    retry_after_s: float | None = None
    should_retry: bool = False
    """Whether asking again may help: what deepsel has tried by itself, nobody need try at once."""


class Asked(NamedTuple):
    """One request as a surface read it."""

    request: Request
    """With `given`, the body as it came, and no bound on the answer where the client names none."""
    model: str
    """As the client calls it."""
    instruction: str
    """The last words of the user, by which task and difficulty are judged."""
    wants_usage: bool = True
    """Whether a stream's usage is shown."""
    session: str = ""
    """What the body names its conversation by; empty: nothing."""
    is_in_tool_loop: bool = False
    """The model's own calls have just been answered."""


class Labels(NamedTuple):
    """What an answer says of itself beside what the model said."""

    id: str
    """The request's, without a prefix."""
    created: int
    """Seconds since the epoch."""
    model: str
    """Who answers."""
    input_tokens: int
    """As counted before anybody was asked."""
    wants_usage: bool = True


class StreamWriter(Protocol):
    """Writes one answer as events; each method gives bytes to be written at once, or nothing."""

    def feed(self, delta: Delta) -> bytes:
        """Write what came next."""

    def pass_on(self, passed: Passed) -> bytes:
        """Write an event of the same wire as it came."""

    def end(self, answer: Answer) -> bytes:
        """Write the end of an answer that was fed; its finish is never better than it was."""


class Surface(Protocol):
    """One wire as clients speak it."""

    WIRE: str

    def read(self, body: JsonObject, headers: Mapping[str, str], /) -> Asked:
        """Read a request; raises BadMember."""

    def document(self, answer: Answer, labels: Labels, /) -> JsonObject:
        """Write a whole answer."""

    Writer: Callable[[Labels], StreamWriter]

    def error(self, problem: Problem, /) -> JsonObject:
        """Write an error."""

    def error_event(self, problem: Problem, /) -> bytes:
        """Write an error in the middle of a stream."""


class TokenCounter(Protocol):
    """A path where a prompt's tokens are asked for."""

    def read(self, body: JsonObject, headers: Mapping[str, str], /) -> Asked:
        """Read what is to be counted; raises BadMember."""

    def document(self, tokens: int, /) -> JsonObject:
        """Write the count."""
