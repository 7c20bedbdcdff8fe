"""One call on the network: its limits, its time stamps, and the layer under the HTTP client that keeps and takes them.

The HTTP client's own time-outs are fixed for each read, so a server that drips bytes holds it for ever. Here every
operation on a socket gets the time that is left of the nearest limit. Knows no HTTP library: the layer has the shape of
httpcore's network backend and wraps one.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from deepsel.clock import Clock
from deepsel.errors import ConfigError
from deepsel.providers.calls import Timeouts
from deepsel.providers.names import look_up

if TYPE_CHECKING:
    import socket
    import ssl

Phase: TypeAlias = Literal["connect", "write", "read"]
_SLICE_BYTES = 64 * 1024
_LOOK_S = 1.0
_LATE = "the answer was not complete within the time limit"
_UNCONNECTED = "no connection within {:g} s"
_SILENT = "nothing came for {:g} s"


class Exchange:
    """The limits and stamps of one call. Instants are on the monotonic clock; None: it has not happened."""

    def __init__(self, clock: Clock, timeouts: Timeouts) -> None:
        self._clock = clock
        self._timeouts = timeouts
        self._deadline = timeouts.deadline
        self.started_at = clock.monotonic()
        self._content_limit_s = timeouts.first_token_s
        self._content_words = "no first token came within {:g} s"
        self._limit: tuple[str, float] = ("", 0.0)
        self._content_since = self.started_at
        self.connect_started_at: float | None = None
        """None: an open connection was used again."""
        self.connect_s: float | None = None
        self.dns_s: float | None = None
        """Name look-up of a new connection; None: there was none."""
        self.tcp_s: float | None = None
        self.tls_s: float | None = None
        self.write_began_at: float | None = None
        """Just before the last bytes of the request were handed over: the other side cannot have read them earlier."""
        self.sent_at: float | None = None
        self.first_byte_at: float | None = None
        self.last_read_at: float | None = None
        """When the newest bytes came; nothing is read ahead, so that it is the arrival of the event just decoded."""
        self.is_document = False
        """The body is a JSON document and no stream, so that none of its pieces came before the others."""
        self.is_closed_by_peer = False
        self.on_wait: Callable[[], None] | None = None
        """Called before each wait for more bytes, and once a second in it: what has come is all there is for now.

        Raises nothing but Abandoned, where nobody waits for it any more.
        """
        self.phase: Phase = "connect"
        """What was last begun."""

    def progress(self, *, is_answer: bool = True) -> None:
        """Note that a piece of the answer has come: the next one has its own limit, after reasoning that of the first one again."""
        self._content_since = self._clock.monotonic()
        self._content_limit_s = self._timeouts.progress_s if is_answer else self._timeouts.first_token_s
        self._content_words = "no more of the answer came for {:g} s"

    def hurry(self, seconds: float | None) -> None:
        """Leave at most `seconds` for everything that remains; None: as long as there was before."""
        given, soon = self._timeouts.deadline, None if seconds is None else self._clock.monotonic() + seconds
        self._deadline = soon if given is None else given if soon is None else min(given, soon)

    def begin(self, phase: Phase) -> float | None:
        """Return the seconds the next operation may take, None for no limit; raises TimeoutError where none is left."""
        self.phase = phase
        now, left = self._clock.monotonic(), math.inf
        if self._deadline is not None:
            left, self._limit = self._deadline - now, (_LATE, 0.0)
        content_s = self._content_limit_s
        if content_s is not None and self._content_since + content_s - now < left:
            left, self._limit = self._content_since + content_s - now, (self._content_words, content_s)
        step_s = None
        if phase == "read" and self.first_byte_at is not None:
            step_s = self._timeouts.idle_s
        elif phase == "connect":
            step_s = self._timeouts.connect_s
        if step_s is not None and step_s < left:
            left, self._limit = step_s, (_UNCONNECTED if phase == "connect" else _SILENT, step_s)
        if left <= 0:
            raise TimeoutError(self.limit_words)
        return None if left == math.inf else left

    @property
    def limit_words(self) -> str:
        """The limit that was nearest when the last operation was begun, as a sentence for when it is crossed."""
        words, seconds = self._limit
        return words.format(seconds)

    def connecting(self) -> None:
        """Note that a new connection is begun."""
        self.connect_started_at = self._clock.monotonic()
        self.connect_s = self.tls_s = None
        self.is_closed_by_peer = False

    def resolved(self) -> None:
        """Note that the addresses of the host are known."""
        if self.connect_started_at is not None:
            self.dns_s = self._clock.monotonic() - self.connect_started_at

    def connected(self, tls_began_at: float | None = None) -> None:
        """Note that the connection stands, or stands encrypted; what a proxy said before does not count."""
        now = self._clock.monotonic()
        if self.connect_started_at is not None:
            self.connect_s = now - self.connect_started_at
            if tls_began_at is None:
                self.tcp_s = self.connect_s - (self.dns_s or 0.0)
            else:
                self.tls_s = now - tls_began_at
        self.sent_at = self.first_byte_at = None

    def writing(self) -> None:
        """Note that bytes are about to be handed over."""
        self.write_began_at = self._clock.monotonic()

    def sent(self) -> None:
        """Note that bytes were handed over."""
        self.sent_at = self._clock.monotonic()

    def received(self, data: bytes) -> None:
        """Note what a read gave; nothing means that the other side has closed."""
        self.is_closed_by_peer = not data
        if data:
            self.last_read_at = self._clock.monotonic()
            self.first_byte_at = self.first_byte_at or self.last_read_at

    def now(self) -> float:
        """Return the instant on the clock of the stamps."""
        return self._clock.monotonic()

    @property
    def is_on_used_connection(self) -> bool:
        """Whether the call went over an open connection that was used again, and nothing has come over it yet."""
        return self.phase != "connect" and self.connect_started_at is None and self.first_byte_at is None


class Stream(Protocol):
    """What is used of httpcore's network stream."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return some bytes; none at the end."""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of `buffer`."""

    def close(self) -> None:
        """Close the socket."""

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        """Return the encrypted stream."""

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the socket."""


class Backend(Protocol):
    """What is used of httpcore's network backend."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        """Return a connected stream."""


class Watch:
    """A network backend that holds every operation to the limits of the exchange its thread is busy with."""

    def __init__(
        self, inner: Backend, tls: Callable[[], ssl.SSLContext], *, unconnected: tuple[type[Exception], ...]
    ) -> None:
        """Wrap `inner`, which raises one of `unconnected` where an address does not answer.

        `tls` makes the context of encrypted connections, whatever the client passes.
        """
        self._inner = inner
        self._unconnected = unconnected
        self.tls = tls
        self._busy_with = threading.local()

    @property
    def exchange(self) -> Exchange:
        """The exchange that rules this thread's socket operations from now on."""
        current: Exchange = self._busy_with.exchange
        return current

    @exchange.setter
    def exchange(self, exchange: Exchange) -> None:
        """Let `exchange` rule."""
        self._busy_with.exchange = exchange

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the exchange knows better
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> WatchedStream:
        """Connect within the limits: look the name up, then try its addresses in turn, as the system lists them."""
        exchange = self.exchange
        exchange.connecting()
        addresses = look_up(host, port, exchange.begin("connect"))
        exchange.resolved()
        for place, address in enumerate(addresses, 1):
            try:
                stream = self._inner.connect_tcp(
                    address, port, exchange.begin("connect"), local_address, socket_options
                )
                break
            except self._unconnected:
                if place == len(addresses):  # the last address's word counts
                    raise
        exchange.connected()
        return WatchedStream(stream, self)


class WatchedStream:
    """A network stream of a Watch; it outlives the exchange that opened it."""

    def __init__(self, inner: Stream, watch: Watch, layers: int = 0) -> None:
        """Wrap `inner`, which encrypts in so many `layers`."""
        self._inner = inner
        self._watch = watch
        self._layers = layers
        # A socket is read directly: the client's own read adds nothing but its classes of errors, in a tenth of the time that an
        # event takes. What encrypts within an encrypted stream (a proxy's) is more than its socket.
        self._socket = inner.get_extra_info("socket") if layers < 2 else None
        # The client writes head and body apart: held back until the second, they leave at once, and wake the other side once.
        self._head: bytes | None = None
        self._is_first = True

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the exchange knows better
        """Read within the limits."""
        exchange = self._watch.exchange
        if self._head is not None:
            self._write(b"")
        self._is_first = True
        if exchange.on_wait is not None:
            exchange.on_wait()
        left = exchange.begin("read")
        if self._socket is None:
            data = self._inner.read(max_bytes, left)
        elif exchange.on_wait is None:
            self._socket.settimeout(left)
            data = self._socket.recv(max_bytes)
        else:
            data = self._looked(self._socket, max_bytes, left)
        exchange.received(data)
        return data

    def _looked(self, sock: socket.socket, max_bytes: int, left: float | None) -> bytes:
        """Read within the limits, with a look now and then whether anybody still waits for it."""
        exchange = self._watch.exchange
        while left is None or left > _LOOK_S:
            sock.settimeout(_LOOK_S)
            try:
                return sock.recv(max_bytes)
            except TimeoutError:
                if exchange.on_wait is not None:
                    exchange.on_wait()
                left = exchange.begin("read")
        sock.settimeout(left)
        return sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the exchange knows better
        """Write within the limits; the first of a request only with what follows it, or before what comes is read."""
        if self._is_first:
            self._head, self._is_first = buffer, False
        else:
            self._write(buffer)

    def _write(self, buffer: bytes) -> None:
        """Write in slices: a slow reader on the other side would stretch the limits if it were done at once."""
        exchange = self._watch.exchange
        if self._head is not None:
            buffer, self._head = self._head + buffer, None
        for start in range(0, len(buffer), _SLICE_BYTES):
            left = exchange.begin("write")
            exchange.writing()
            self._inner.write(buffer[start : start + _SLICE_BYTES], left)
        exchange.sent()

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,  # noqa: ARG002 - made when it is first needed
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the exchange knows better
    ) -> WatchedStream:
        """Encrypt within the limits; raises ConfigError where the certificates cannot be loaded."""
        exchange = self._watch.exchange
        try:
            context = self._watch.tls()
        except ConfigError:  # before the client is told of the stream, which it would close
            self.close()
            raise
        began_at = exchange.now()
        stream = self._inner.start_tls(context, server_hostname, exchange.begin("connect"))
        exchange.connected(began_at)
        return WatchedStream(stream, self._watch, self._layers + 1)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the socket."""
        return self._inner.get_extra_info(info)
