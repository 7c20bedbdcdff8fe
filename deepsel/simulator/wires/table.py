"""The table of wires the simulator speaks: a module each, and the path that leads to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import deepsel.simulator.wires.anthropic_messages as anthropic_messages
import deepsel.simulator.wires.openai_chat as openai_chat
import deepsel.simulator.wires.openai_responses as openai_responses
from deepsel.simulator.answers.errors_table import ErrorRow
from deepsel.simulator.answers.reply import Content, Frame, LimitHeaders, ReadRequest


class SimulatedWire(Protocol):
    """What a wire's module has."""

    NAME: str
    PATH: str
    """How the paths of its calls end."""
    BASE: str
    """What a base URL of the wire ends in, after the server's root."""
    REQUEST_ID_HEADER: str
    KEEP_ALIVE: bytes

    def read(self, body: Mapping[str, Any], /) -> ReadRequest:
        """Read a request's body; raise UnreadableRequest."""

    def whole(self, content: Content, /) -> dict[str, Any]:
        """Give the body of an answer that is not streamed."""

    def events(self, content: Content, /, *, chunk_tokens: int) -> list[Frame]:
        """Give the events of a streamed answer, one frame each."""

    def empty_deltas(self, content: Content, block: int, /) -> bytes:
        """Give the events that say nothing where a token could be; `block` counts the parts of the answer from 0."""

    def error_body(self, row: ErrorRow, request_id: str, /) -> Mapping[str, Any]:
        """Give an error in the wire's own shape."""

    def error_event(self, body: Mapping[str, Any], /) -> bytes:
        """Give an error as an event inside a stream."""

    def limit_headers(self, allowance: LimitHeaders, /) -> dict[str, str]:
        """Say how much of a limit is left."""


WIRES: tuple[SimulatedWire, ...] = (openai_chat, anthropic_messages, openai_responses)


def wire_for(path: str) -> SimulatedWire | None:
    """Find the wire whose calls end like this path; None where there is none."""
    return next((wire for wire in WIRES if path.endswith(wire.PATH)), None)
