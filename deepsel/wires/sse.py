"""Cuts bytes into server-sent events by the WHATWG rules; knows nothing of what the events mean.

The rules: https://html.spec.whatwg.org/multipage/server-sent-events.html. These choices are ours. An event with empty
data is dropped, since no provider sends one that means anything. An event that no blank line ends before the stream does is
not lost but given by `rest`, since some servers leave the line out; where they leave it out between events too, a data line
behind a JSON document that has ended begins an event. Bytes of an event's data that are no UTF-8 are
reported as malformed, not replaced: an answer with damaged characters is not what the model wrote. `id` and `retry`
serve reconnection, which no provider offers, and are skipped; so are comments, which therefore never look like content.
Names are read without regard to case and blanks, and a line that is a JSON object is data although nothing calls it so.
"""

from __future__ import annotations

from collections.abc import Iterator

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.records import NamedTuple

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
    """The parser's state between chunks."""

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._event = b""
        self._next_event: bytes | None = None
        """Named behind the data: this event's name where a blank line follows, else the next one's."""
        self._is_first_line = True
        self._skips_lf = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that `chunk` completes, in order; raises AttemptFailed (malformed) for bad or huge ones."""
        event = self._whole(chunk)
        if event is not None:
            yield event
            return
        if self._skips_lf and chunk:  # the chunk before ended in CR: this LF is the rest of that line's end
            chunk = chunk.removeprefix(b"\n")
            self._skips_lf = False
        for piece in chunk.splitlines(keepends=True):
            line = piece.rstrip(b"\r\n")
            if self._line or len(line) == len(piece):  # it was begun by an earlier chunk, or ends in a later one
                self._line += line
                self._check_size(len(self._line))
                if len(line) == len(piece):
                    continue
                line, self._line = bytes(self._line), bytearray()
            else:
                self._check_size(len(line))
            if self._is_first_line:
                line = line.removeprefix(_BOM)
                self._is_first_line = False
            if line:
                yield from self._take(line)
            elif self._data:
                yield from self._end()
            else:
                self._event = b""
        self._skips_lf = chunk.endswith(b"\r") or (self._skips_lf and not chunk)

    def rest(self) -> Iterator[Event]:
        """Yield the event that was not ended when the stream was; it may be cut. Raises as `feed`."""
        line, self._line = bytes(self._line), bytearray()
        if line:
            yield from self._take(line)
        if self._data:
            yield from self._end()

    def _whole(self, chunk: bytes) -> Event | None:
        """Read a chunk that is one whole event and nothing else, as nearly all are; None where the rules have to be gone through."""
        if chunk[-2:] != b"\n\n" or self._line or self._data or self._event or self._skips_lf or b"\r" in chunk:
            return None
        data = event = b""
        for line in chunk[:-2].split(b"\n"):
            if not data and line[:6] == b"data: ":
                data = line[6:]
            elif not data and not event and line[:7] == b"event: ":
                event = line[7:]
            else:
                return None
        if not data or len(chunk) > self._max_event_bytes:
            return None
        try:
            whole = Event(data.decode(), event.decode())
        except UnicodeDecodeError:
            return None
        self._is_first_line = False
        return whole

    def _take(self, line: bytes) -> tuple[Event, ...]:
        """Apply one whole line that is not blank; returns the event before it where it begins another."""
        before: tuple[Event, ...] = ()
        name, _, value = line.partition(b":")
        if name != b"data":
            name = name.strip().lower()
            name, value = (b"data", line.lstrip()) if name[:1] == b"{" else (name, value)
        if name == b"data":
            value = value.removeprefix(b" ")
            while value.startswith(b"data:"):  # some proxies frame what is framed
                value = value[5:].removeprefix(b" ")
            if self._data and _follows(self._data, value):
                before = self._dispatch()
                self._event, self._next_event = self._next_event or b"", None
            self._data.append(value)
            self._data_bytes += len(value) + 1
        elif name == b"event" and self._data:
            self._next_event = value.removeprefix(b" ")
        elif name == b"event":
            self._event = value.removeprefix(b" ")
        return before

    def _end(self) -> tuple[Event, ...]:
        """Return the event that a blank line, or the stream's end, has ended."""
        self._event = self._event if self._next_event is None else self._next_event
        self._next_event = None
        return self._dispatch()

    def _dispatch(self) -> tuple[Event, ...]:
        """Return the event whose data has come; nothing where that is empty."""
        data, event = self._data[0] if len(self._data) == 1 else b"\n".join(self._data), self._event
        self._data, self._data_bytes, self._event = [], 0, b""
        try:
            return (Event(data.decode(), event.decode()),) if data else ()
        except UnicodeDecodeError as error:
            raise AttemptFailed(ErrorClass.MALFORMED, "the stream holds bytes that are not UTF-8") from error

    def _check_size(self, line_bytes: int) -> None:
        if line_bytes + self._data_bytes > self._max_event_bytes:
            raise AttemptFailed(ErrorClass.MALFORMED, f"an event is larger than {self._max_event_bytes:,} bytes")


def _follows(data: list[bytes], line: bytes) -> bool:
    """Tell whether a data line begins an event of its own behind a JSON document that has ended: no JSON goes on so."""
    start = line.lstrip()[:1]
    if data[0].lstrip()[:1] not in (b"{", b"["):
        return start in (b"{", b"[")
    last = next((one for one in reversed(data) if one.strip()), b"").rstrip()[-1:]
    return last in (b"}", b"]") and start not in (b"", b",", b"}", b"]")
