"""Cuts bytes into server-sent events by the WHATWG rules; knows nothing of what the events mean.

The rules: https://html.spec.whatwg.org/multipage/server-sent-events.html. Two choices are ours. An event with empty
data is dropped, since no provider sends one that means anything. Bytes of an event's data that are no UTF-8 are
reported as malformed, not replaced: an answer with damaged characters is not what the model wrote. `id` and `retry`
serve reconnection, which no provider offers, and are skipped; so are comments, which therefore never look like content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from deepsel.errors import AttemptFailed, ErrorClass

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Largest line, and largest event, that is held in memory."""

_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One dispatched event."""

    data: str
    """Its data lines joined with LF; never empty."""
    event: str = ""
    """The value of its `event` line; empty where it had none."""


class EventStream:
    """The parser's state between chunks. An event not ended by a blank line when the stream ends is none."""

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._event = b""
        self._is_first_line = True
        self._skips_lf = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that `chunk` completes, in order; raises AttemptFailed (malformed) for bad or huge ones."""
        if self._skips_lf and chunk:  # the chunk before ended in CR: this LF is the rest of that line's end
            chunk = chunk.removeprefix(b"\n")
            self._skips_lf = False
        for piece in chunk.splitlines(keepends=True):
            content = piece.rstrip(b"\r\n")
            self._line += content
            self._check_size()
            if len(content) == len(piece):
                continue
            self._skips_lf = piece.endswith(b"\r")
            line, self._line = bytes(self._line), bytearray()
            yield from self._take(line)
        self._skips_lf = chunk.endswith(b"\r") or (self._skips_lf and not chunk)

    def _take(self, line: bytes) -> Iterator[Event]:
        """Apply one whole line; a blank one dispatches the event."""
        if self._is_first_line:
            line = line.removeprefix(_BOM)
            self._is_first_line = False
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_bytes += len(value) + 1
        elif name == b"event":
            self._event = value

    def _dispatch(self) -> Iterator[Event]:
        data, event = b"\n".join(self._data), self._event
        self._data, self._data_bytes, self._event = [], 0, b""
        if data:
            try:
                yield Event(data.decode(), event.decode())
            except UnicodeDecodeError as error:
                raise AttemptFailed(ErrorClass.MALFORMED, "the stream holds bytes that are not UTF-8") from error

    def _check_size(self) -> None:
        if len(self._line) + self._data_bytes > self._max_event_bytes:
            raise AttemptFailed(ErrorClass.MALFORMED, f"an event is larger than {self._max_event_bytes:,} bytes")
