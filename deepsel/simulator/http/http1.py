"""As much HTTP/1.1 as a server of small JSON requests needs: reads requests within bounds, writes heads.

Our own, since `http.server` and the `email` package behind it triple the demo's start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from socket import socket

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024
_READ_BYTES = 64 * 1024


class BadRequest(Exception):
    """The bytes are no request this server takes; `status` is the answer to give before closing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, read to its last byte."""

    method: str
    path: str
    """Without the query."""
    headers: Mapping[str, str]
    """Names in lower case; repeated ones joined with a comma."""
    body: bytes
    keeps_alive: bool


class Incoming:
    """The requests of one connection, in order."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def next(self) -> HttpRequest | None:
        """Read one request; None where the peer closed instead; raise BadRequest or OSError."""
        head = self._head()
        if head is None:
            return None
        method, path, version, headers = _parse_head(head)
        if headers.get("expect", "").lower() == "100-continue" and version == "HTTP/1.1":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers)
        options = {option.strip() for option in headers.get("connection", "").lower().split(",")}
        keeps_alive = "close" not in options if version == "HTTP/1.1" else "keep-alive" in options
        return HttpRequest(method, path, headers, body, keeps_alive)

    def _head(self) -> bytes | None:
        """Read up to the empty line; blank lines before a request are allowed."""
        searched = 0
        while True:
            if self._buffer[:2] == b"\r\n":
                del self._buffer[:2]
                searched = 0
                continue
            end = self._buffer.find(b"\r\n\r\n", max(0, searched - 3))
            if (len(self._buffer) if end < 0 else end) > MAX_HEAD_BYTES:
                raise BadRequest(431, "the head of the request is too large")
            if end >= 0:
                return bytes(self._taken(end + 4)[:end])
            searched = len(self._buffer)
            data = self._connection.recv(_READ_BYTES)
            if not data:
                return None
            self._buffer += data

    def _body(self, headers: Mapping[str, str]) -> bytes:
        """Read the body by its declared framing."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None:
            if coding.strip().lower() != "chunked" or length is not None:
                raise BadRequest(400, "the body must be framed by `chunked` or by Content-Length")
            return self._chunked_body()
        if length is None:
            return b""
        if not (length.isascii() and length.isdigit()):
            raise BadRequest(400, "Content-Length must be one number")
        self._check_size(int(length) if len(length) < 20 else MAX_BODY_BYTES + 1)
        return self._exactly(int(length))

    def _chunked_body(self) -> bytes:
        """Read chunks up to the empty one, and drop trailers."""
        body = bytearray()
        while True:
            size_text = self._line().split(b";", 1)[0].strip()
            if not size_text or len(size_text) > 16 or size_text.strip(b"0123456789abcdefABCDEF"):
                raise BadRequest(400, "a chunk has no valid size")
            size = int(size_text, 16)
            if not size:
                break
            self._check_size(len(body) + size)
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise BadRequest(400, "a chunk does not end where its size says")
        trailer_bytes = 0
        while line := self._line():
            trailer_bytes += len(line)
            if trailer_bytes > MAX_HEAD_BYTES:
                raise BadRequest(431, "the trailers are too large")
        return bytes(body)

    def _check_size(self, size: int) -> None:
        """Refuse a body over the bound before reading it."""
        if size > MAX_BODY_BYTES:
            raise BadRequest(413, "the request is too large")

    def _line(self) -> bytes:
        """Read one line of the chunked framing, without its end."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise BadRequest(400, "a line of the chunked body is too long")
            self._fill()
        return bytes(self._taken(end + 2)[:end])

    def _exactly(self, size: int) -> bytes:
        """Read this many bytes."""
        while len(self._buffer) < size:
            self._fill()
        return bytes(self._taken(size))

    def _taken(self, size: int) -> bytearray:
        """Take bytes off the front of the buffer."""
        taken = self._buffer[:size]
        del self._buffer[:size]
        return taken

    def _fill(self) -> None:
        """Read more within a request."""
        data = self._connection.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError("the client left within a request")
        self._buffer += data


def _parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    """Cut a head into method, path, version and headers."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(400, "the request line must be METHOD TARGET HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400, "a header line must be NAME: VALUE")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return parts[0], parts[1].partition("?")[0], parts[2], headers


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Write the status line and headers."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Simulated"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
