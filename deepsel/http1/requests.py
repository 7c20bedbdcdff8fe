"""As much HTTP/1.1 as a server of JSON requests needs: reads requests within bounds of size and time; refuses what is ambiguous.

Our own, since `http.server` and the `email` package behind it triple the demo's start; docs/decisions/0040 has the measurements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from socket import socket

from deepsel.clock import Clock, SystemClock
from deepsel.records import NamedTuple

_READ_BYTES = 64 * 1024
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_TARGET = re.compile(r"/[!-~]*\Z")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class BadRequest(Exception):
    """The bytes are no request this server takes; `status` is the answer to give before closing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RequestBounds(NamedTuple):
    """What one request may take."""

    head_bytes: int = 64 * 1024
    body_bytes: int = 64 * 1024 * 1024
    head_s: float | None = None
    """From the first byte of a request to the last of its head; None: any time."""
    body_s: float | None = None
    """From the head to the last byte of the body; None: any time."""
    write_s: float | None = None
    """For a reader to take what is written at once; None: any time."""


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
    version: str = "HTTP/1.1"


class Incoming:
    """The requests of one connection, in order."""

    def __init__(self, connection: socket, bounds: RequestBounds | None = None, clock: Clock | None = None) -> None:
        self._connection = connection
        self._bounds = bounds or RequestBounds()
        self._clock = clock or SystemClock()
        self._buffer = bytearray()
        self._ends_at: float | None = None
        self._has_begun = False

    @property
    def has_more(self) -> bool:
        """Whether bytes of a next request have come already."""
        return bool(self._buffer)

    @property
    def has_begun(self) -> bool:
        """Whether a request has begun to come and is not whole."""
        return self._has_begun

    def next(self) -> HttpRequest | None:
        """Read one request; None where the peer closed instead; raise BadRequest or OSError."""
        self._has_begun = self.has_more
        head = self._head()
        if head is None:
            return None
        method, path, version, headers = _parse_head(head)
        self._within(self._bounds.body_s)
        if headers.get("expect", "").lower() == "100-continue" and version == "HTTP/1.1":
            self._check_declared(headers)
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers, version)
        self._connection.settimeout(self._bounds.write_s)
        options = {option.strip() for option in headers.get("connection", "").lower().split(",")}
        keeps_alive = "close" not in options if version == "HTTP/1.1" else "keep-alive" in options
        return HttpRequest(method, path, headers, body, keeps_alive, version)

    def _head(self) -> bytes | None:
        """Read up to the empty line; blank lines before a request are allowed."""
        searched = 0
        self._within(self._bounds.head_s)
        while True:
            if self._buffer[:2] == b"\r\n":
                del self._buffer[:2]
                searched = 0
                continue
            end = self._buffer.find(b"\r\n\r\n", max(0, searched - 3))
            if (len(self._buffer) if end < 0 else end) > self._bounds.head_bytes:
                raise BadRequest(431, "the head of the request is too large")
            if end >= 0:
                return bytes(self._taken(end + 4)[:end])
            searched = len(self._buffer)
            data = self._received()
            if not data:
                return None
            self._buffer += data

    def _within(self, seconds: float | None) -> None:
        """Give the next part of the request so much time, all of it together."""
        self._ends_at = None if seconds is None else self._clock.monotonic() + seconds

    def _received(self) -> bytes:
        """Wait for more bytes, no longer than the part that is read may take; raises TimeoutError."""
        if self._ends_at is not None:
            left_s = self._ends_at - self._clock.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._connection.settimeout(left_s)
        data = self._connection.recv(_READ_BYTES)
        self._has_begun = self._has_begun or bool(data)
        return data

    def _check_declared(self, headers: Mapping[str, str]) -> None:
        """Refuse a body over the bound before it is asked for."""
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit():
            self._check_size(int(length) if len(length) < 20 else self._bounds.body_bytes + 1)

    def _body(self, headers: Mapping[str, str], version: str) -> bytes:
        """Read the body by its declared framing."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None:
            if coding.strip().lower() != "chunked" or length is not None or version != "HTTP/1.1":
                raise BadRequest(400, "the body must be framed by `chunked` or by Content-Length")
            return self._chunked_body()
        if length is None:
            return b""
        if not (length.isascii() and length.isdigit()):
            raise BadRequest(400, "Content-Length must be one number")
        self._check_declared(headers)
        return self._exactly(int(length))

    def _chunked_body(self) -> bytes:
        """Read chunks up to the empty one, and drop trailers."""
        body = bytearray()
        while True:
            size_text = self._line().split(b";", 1)[0].strip(b" \t")
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
            if trailer_bytes > self._bounds.head_bytes:
                raise BadRequest(431, "the trailers are too large")
        return bytes(body)

    def _check_size(self, size: int) -> None:
        """Refuse a body over the bound before reading it."""
        if size > self._bounds.body_bytes:
            raise BadRequest(413, f"the request is larger than {self._bounds.body_bytes:,} bytes")

    def _line(self) -> bytes:
        """Read one line of the chunked framing, without its end."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > self._bounds.head_bytes:
                raise BadRequest(400, "a line of the chunked body is too long")
            self._fill()
        line = bytes(self._taken(end + 2)[:end])
        if b"\n" in line or b"\r" in line:
            raise BadRequest(400, "a line of the chunked body is not ended as it should be")
        return line

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
        data = self._received()
        if not data:
            raise ConnectionResetError("the client left within a request")
        self._buffer += data


def _parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    """Cut a head into method, path, version and headers; what two readers could read in two ways is refused."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0") or not _TOKEN.match(parts[0]) or not _TARGET.match(parts[1]):
        raise BadRequest(400, "the request line must be METHOD /PATH HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.match(name) or _CONTROLS.search(value):
            raise BadRequest(400, "a header line must be NAME: VALUE")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return parts[0], parts[1].partition("?")[0], parts[2], headers
