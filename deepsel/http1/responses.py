"""Writes answers to one connection: a whole one, or a head and then its events, each in one write."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from select import POLLIN, poll
from socket import MSG_PEEK, socket


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Write the status line and headers."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Simulated"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


class Outgoings:
    """What is written for one request; `status` is None until something is."""

    def __init__(self, connection: socket, *, version: str, keeps_alive: bool, is_head: bool = False) -> None:
        """Write to `connection`; a client of HTTP/1.0 knows no chunks, and is told the end by the connection's."""
        self._connection = connection
        self._is_chunked = version == "HTTP/1.1"
        self._is_head = is_head
        self.keeps_alive = keeps_alive
        """Whether the connection can take another request when this answer is out."""
        self.status: int | None = None
        self.is_open = False
        """A head was written and its body is not at its end."""
        self.sent_bytes = 0

    def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Write a whole answer in one write; raises OSError."""
        framed = {**headers, "content-length": str(len(body))}
        self._send(self._head(status, framed) + (b"" if self._is_head else body))

    def begin(self, status: int, headers: Mapping[str, str], first: bytes = b"") -> None:
        """Write a head and the first bytes of a body whose length nobody knows yet; raises OSError."""
        if self._is_chunked:
            headers = {**headers, "transfer-encoding": "chunked"}
        else:
            self.keeps_alive = False
        self.is_open = True
        self._send(self._head(status, headers) + self._chunk(first))

    def write(self, data: bytes) -> None:
        """Write more of the body; raises OSError."""
        if data:
            self._send(self._chunk(data))

    def end(self, data: bytes = b"") -> None:
        """Write the last of the body and its end; raises OSError."""
        self.is_open = False
        self._send(self._chunk(data) + (b"0\r\n\r\n" if self._is_chunked else b""))

    def is_gone(self) -> bool:
        """Tell whether the client has closed its connection; unknown, and False, of an encrypted one."""
        if hasattr(self._connection, "pending"):
            return False
        look = poll()
        look.register(self._connection, POLLIN)
        try:
            return bool(look.poll(0)) and self._connection.recv(1, MSG_PEEK) == b""
        except OSError:
            return True

    def cut(self) -> None:
        """Leave the body without its end, so that nobody takes a part for the whole."""
        self.keeps_alive = False

    def _head(self, status: int, headers: Mapping[str, str]) -> bytes:
        self.status = status
        return response_head(status, headers if self.keeps_alive else {**headers, "connection": "close"})

    def _chunk(self, data: bytes) -> bytes:
        """Frame bytes as one chunk; nothing stays nothing, since an empty chunk would end the body."""
        return b"%x\r\n%b\r\n" % (len(data), data) if data and self._is_chunked else data

    def _send(self, data: bytes) -> None:
        self._connection.sendall(data)
        self.sent_bytes += len(data)
