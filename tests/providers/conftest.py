"""A server that plays bytes on real sockets, and rows of a catalog made for the tests."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import pytest

from deepsel.clock import SystemClock


class AskedClock(SystemClock):
    """The real clock, until a test lets time pass by being asked: a millisecond each time, however busy the machine is.

    Limits are then crossed after so many operations on a socket, and no operation waits longer than what is left of one.
    """

    def __init__(self) -> None:
        self._asked: Iterator[int] | None = None

    def count(self) -> float:
        """Let time pass by being asked alone from now on; return the instant."""
        self._asked = count(1_000_000)
        return self.monotonic()

    def monotonic(self) -> float:
        return SystemClock.monotonic() if self._asked is None else next(self._asked) / 1000


@pytest.fixture
def clock() -> AskedClock:
    """The clock of the transport."""
    return AskedClock()


Step = bytes | Literal["read", "hang", "reset", "drip"]
"""`read` takes one request; `hang` keeps the connection open; `drip` sends a comment over and over; bytes are sent."""


@dataclass
class ScriptServer:
    """Plays the n-th script to the n-th connection; after the last script it shuts connections at once."""

    scripts: Sequence[Sequence[Step]]
    requests: list[bytes] = field(default_factory=list)
    """Each request as it came, head and body."""
    connections: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> ScriptServer:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    @property
    def url(self) -> str:
        host, port = self._socket.getsockname()
        return f"http://{host}:{port}"

    def _start(self, job: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=job, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            script = self.scripts[self.connections] if self.connections < len(self.scripts) else ()
            self.connections += 1
            self._start(self._play, connection, script)

    def _play(self, connection: socket.socket, script: Sequence[Step]) -> None:
        connection.settimeout(0.02)
        with connection:
            try:
                for step in script:
                    self._act(connection, step)
                connection.shutdown(socket.SHUT_WR)
                while self._receive(connection):  # so that closing is no reset
                    pass
            except OSError:
                pass

    def _act(self, connection: socket.socket, step: Step) -> None:
        if isinstance(step, bytes):
            connection.settimeout(60)
            connection.sendall(step)
            connection.settimeout(0.02)
        elif step == "read":
            self.requests.append(self._read_request(connection))
        elif step == "hang":
            self._stop.wait()
        elif step == "drip":
            while not self._stop.wait(0.005):
                connection.sendall(b"4\r\n: x\n\r\n")
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def _receive(self, connection: socket.socket) -> bytes:
        """Return what comes next; nothing at the end of the connection or of the test."""
        while not self._stop.is_set():
            try:
                return connection.recv(65536)
            except TimeoutError:
                continue
        return b""

    def _read_request(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._some(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = [line.lower() for line in head.split(b"\r\n")]
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self._some(connection)
        return head + b"\r\n\r\n" + body

    def _some(self, connection: socket.socket) -> bytes:
        data = self._receive(connection)
        if not data:
            raise ConnectionError
        return data


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptServer]]:
    """Start script servers, one script a connection, that are stopped when the test ends."""
    with ExitStack() as stack:
        yield lambda *scripts: stack.enter_context(ScriptServer(scripts))


def http(body: bytes | str, status: str = "200 OK", *, kind: str = "application/json", **headers: str) -> bytes:
    """Make a whole response with a content-length."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes, kind: str = "text/event-stream", ended: bool = True) -> bytes:
    """Make a chunked response; without its last chunk unless `ended`."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head + framed + (b"0\r\n\r\n" if ended else b"")


@pytest.fixture
def reply() -> Callable[..., bytes]:
    """Make a whole HTTP response."""
    return http


@pytest.fixture
def stream() -> Callable[..., bytes]:
    """Make a chunked HTTP response."""
    return chunked
