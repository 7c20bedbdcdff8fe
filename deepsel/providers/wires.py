"""The table of wires, and the shape each has; a new wire is one file and one row here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from deepsel.providers import anthropic_messages, openai_chat
from deepsel.providers.failures import Fail
from deepsel.providers.sse import Event
from deepsel.secret import Secret
from deepsel.values import JsonObject, Model, Provider, Request, WireEvent


class Decoder(Protocol):
    """Reads one answer."""

    is_whole: bool
    """Everything that makes an answer whole has been seen."""
    is_ended: bool
    """The end marker has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says."""

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what a whole answer says."""

    def close(self) -> None:
        """Accept the end; raises AttemptFailed (stream_cut) where the answer is not whole."""


class Wire(Protocol):
    """A protocol: pure functions from requests to bodies, and a reader of answers."""

    def url(self, provider: Provider, /) -> str:
        """Return where requests are posted."""

    def headers(self, provider: Provider, key: Secret | None, /) -> dict[str, str | Secret]:
        """Return the request's headers."""

    def encode(self, request: Request, model: Model, provider: Provider, /, *, max_tokens: int) -> JsonObject:
        """Return the request's body."""

    def withheld(self, request: Request, model: Model, provider: Provider, /) -> tuple[str, ...]:
        """Name what is asked for and not sent."""

    def is_deterministic(self, body: JsonObject, model: Model, provider: Provider, /) -> bool:
        """Tell whether a body asks for the same answer each time."""

    def Decoder(self, fail: Fail, /) -> Decoder:
        """Make the reader of one answer."""


WIRES: Mapping[str, Wire] = {"openai-chat": openai_chat, "anthropic-messages": anthropic_messages}
