"""What the simulator remembers of its calls: what came in, and when each part of the answer left."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deepsel.secret import MASK, Secret

_CREDENTIALS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "x-portkey-api-key", "cookie")


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One request as it came in, or a connection that was cut before one could."""

    method: str
    """Empty for a connection that met a fault when it was accepted."""
    path: str
    headers: Mapping[str, str]
    """Names in lower case; the values of those that carry keys are masked."""
    credentials: Mapping[str, Secret]
    """The masked values, to compare with."""
    body: Any
    """The parsed JSON; None where there was none."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class CallLog:
    """When one answer left, in seconds of the simulator's clock (by default `time.perf_counter()`).

    Stamps are taken before the write: nothing can be read earlier. Lists grow while the answer is under way.
    """

    request_id: str
    """As in the response's header."""
    model: str
    stream: bool
    status: int | None
    """None: no status line was written yet, or ever."""
    fault: str | None
    was_cold: bool
    """Whether some of the wait was a cold start."""
    request_read_s: float
    head_written_s: float | None
    reasoning_written_s: tuple[float, ...]
    """One stamp a token of reasoning; those of one write share theirs. Empty where the answer is not streamed."""
    token_written_s: tuple[float, ...]
    """One stamp a token of the answer."""
    last_written_s: float | None
    """The last bytes, of whatever kind."""


@dataclass(slots=True)
class Stamps:
    """The growing form of a CallLog; written by one thread, read by any."""

    request_id: str
    model: str
    stream: bool
    fault: str | None
    was_cold: bool
    request_read_s: float
    status: int | None = None
    head_s: float | None = None
    reasoning_s: list[float] = field(default_factory=list)
    tokens_s: list[float] = field(default_factory=list)
    last_s: float | None = None

    def snapshot(self) -> CallLog:
        """Freeze what is known now."""
        return CallLog(
            request_id=self.request_id,
            model=self.model,
            stream=self.stream,
            status=self.status,
            fault=self.fault,
            was_cold=self.was_cold,
            request_read_s=self.request_read_s,
            head_written_s=self.head_s,
            reasoning_written_s=tuple(self.reasoning_s),
            token_written_s=tuple(self.tokens_s),
            last_written_s=self.last_s,
        )


class Ledger:
    """The last calls and records, oldest first; safe to use from any thread."""

    def __init__(self, keep: int) -> None:
        self._lock = threading.Lock()
        self._calls: deque[SeenCall] = deque(maxlen=keep)
        self._stamps: deque[Stamps] = deque(maxlen=keep)
        self._ids = 0

    def next_id(self) -> str:
        """Give a name no other request of this simulator has."""
        with self._lock:
            self._ids += 1
            return f"sim-{self._ids:06d}"

    def add_call(self, method: str, path: str, headers: Mapping[str, str], *, body: Any, size_bytes: int) -> None:
        """Remember a request, its keys masked."""
        credentials = {name: Secret(value) for name, value in headers.items() if name in _CREDENTIALS}
        shown = {name: MASK if name in credentials else value for name, value in headers.items()}
        with self._lock:
            self._calls.append(SeenCall(method, path, shown, credentials, body, size_bytes))

    def add_stamps(self, stamps: Stamps) -> None:
        """Remember an answer that begins."""
        with self._lock:
            self._stamps.append(stamps)

    def calls(self) -> tuple[SeenCall, ...]:
        """Give the calls."""
        with self._lock:
            return tuple(self._calls)

    def records(self) -> tuple[CallLog, ...]:
        """Give the records, those of answers under way as far as they are."""
        with self._lock:
            return tuple(stamps.snapshot() for stamps in self._stamps)
