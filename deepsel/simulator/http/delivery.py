"""Writes a planned response to a socket, each part when it is due, and stamps the moments; decides nothing."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from deepsel.clock import Clock
from deepsel.http1.responses import response_head
from deepsel.simulator.answers.reply import Frame, Mark, Reply
from deepsel.simulator.records import Stamps

_SLICE_S = 0.1
"""Longest sleep without a look at whether the simulator stops."""


class Stopping(ConnectionError):
    """The simulator was stopped while an answer was under way."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One response on its way."""

    connection: socket.socket
    clock: Clock
    stopping: threading.Event
    start_s: float
    """When the request was read; all due times count from it."""
    stamps: Stamps
    before_last: Callable[[], None] | None = None
    """Called before the last bytes leave, so that the state is right when the client has read them."""

    def send(self, reply: Reply, *, keeps_alive: bool) -> bool:
        """Write the response; say whether the connection can take another request."""
        head = response_head(reply.status, _framed_headers(reply, keeps_alive=keeps_alive))
        self._wait_until(reply.head_s)
        if reply.broken_head:
            share, act = reply.broken_head
            self._write(head[: int(len(head) * share)])
            return self._act(Frame(b"", act), chunked=False)
        if not reply.frames:
            self._finish()
        self.stamps.status = reply.status
        self.stamps.head_s = self._write(head)
        for frame in reply.frames:
            self._wait_until(frame.due_s)
            if frame is reply.frames[-1] and frame.mark not in (Mark.HANG, Mark.ENDLESS):
                self._finish()
            if not self._act(frame, chunked=reply.framing == "chunked"):
                return False
        if reply.framing == "chunked":
            self._write(b"0\r\n\r\n")
        return keeps_alive and not reply.close_after

    def _act(self, frame: Frame, *, chunked: bool) -> bool:
        """Write a frame or do what it stands for; say whether the response goes on."""
        match frame.mark:
            case Mark.CUT:
                self.connection.shutdown(socket.SHUT_RDWR)
                return False
            case Mark.RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            case Mark.HANG:
                hang(self.connection)
                return False
            case Mark.ENDLESS:
                due_s = frame.due_s
                while True:
                    due_s += frame.interval_s
                    self._wait_until(due_s)
                    self._write(_chunk(frame.data))
            case Mark.REASONING | Mark.TEXT | Mark.BODY:
                data = _chunk(frame.data) if chunked else frame.data
                self._write(data, frame)
            case Mark.OPEN | Mark.FINISH | Mark.USAGE | Mark.END | Mark.NOISE:
                self._write(_chunk(frame.data) if chunked else frame.data)
            case _:
                assert_never(frame.mark)
        return True

    def _write(self, data: bytes, frame: Frame | None = None) -> float:
        """Stamp the moment, note the frame's tokens, and write."""
        at_s = self.clock.monotonic()
        self.stamps.last_s = at_s
        if frame:
            stamps = self.stamps.reasoning_s if frame.mark is Mark.REASONING else self.stamps.tokens_s
            stamps.extend([at_s] * frame.tokens)
        self.connection.sendall(data)
        return at_s

    def _finish(self) -> None:
        """Give the turn back."""
        if self.before_last:
            self.before_last()

    def _wait_until(self, due_s: float) -> None:
        """Sleep until a moment after the start; raise Stopping where the simulator stops meanwhile."""
        while (left_s := self.start_s + due_s - self.clock.monotonic()) > 0:
            if self.stopping.is_set():
                raise Stopping
            self.clock.sleep(min(left_s, _SLICE_S))


def hang(connection: socket.socket) -> None:
    """Keep a connection open and silent until the peer leaves or the simulator shuts it."""
    connection.settimeout(None)
    while connection.recv(65536):
        pass


def _chunk(data: bytes) -> bytes:
    """Frame bytes as one chunk; nothing stays nothing, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _framed_headers(reply: Reply, *, keeps_alive: bool) -> dict[str, str]:
    """Add the headers of the framing and of the connection."""
    headers = {"server": "deepsel-simulator", "x-simulated": "true", **reply.headers}
    if reply.framing == "chunked":
        headers["transfer-encoding"] = "chunked"
    elif reply.framing == "length":
        size = sum(len(frame.data) for frame in reply.frames) if reply.declared_bytes is None else reply.declared_bytes
        headers["content-length"] = str(size)
    if not keeps_alive:
        headers["connection"] = "close"
    return headers
