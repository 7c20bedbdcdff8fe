"""The server: one thread watches who has something to say, a bounded number of others serve them, and it ends gracefully.

A connection that says nothing costs no thread, only a place: the one that has been silent longest gives its place to a new one. A
worker that has answered stays with its connection for a moment, since the next request mostly follows at once.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from deepsel.clock import Clock, SystemClock
from deepsel.http1.requests import BadRequest, HttpRequest, Incoming, RequestBounds
from deepsel.http1.responses import Outgoings
from deepsel.records import NamedTuple

if TYPE_CHECKING:
    import ssl

Handler = Callable[[HttpRequest, Outgoings], None]
"""Answers one request; OSError: the client has left."""
Refusal = Callable[[int, str], tuple[dict[str, str], bytes]]
"""Gives headers and body of an answer to what is no request."""

_LINGER_S = 0.2
"""So long a refused client is read on, lest a reset overtake the answer."""
_NO_ROOM_S = 0.05
_LOOK_S = 1.0
"""Between two looks for connections that have been silent too long."""


class ServerLimits(NamedTuple):
    """What the server takes at once, and how long it is patient."""

    connections: int = 512
    """Open ones, silent ones included."""
    workers: int = 128
    """Requests that are answered at once."""
    queue: int = 128
    """Requests that wait for a worker; further ones are told to come again."""
    idle_s: float = 120.0
    """A connection may be silent between two requests."""
    first_s: float = 20.0
    """And before its first."""
    stay_s: float = 0.05
    """A worker waits for the next request of the connection it has just served."""
    stop_s: float = 10.0
    """Answers under way may take when it is told to stop."""
    bounds: RequestBounds = RequestBounds(head_s=10.0, body_s=60.0, write_s=60.0)


class _Connection:
    """One client."""

    __slots__ = ("idle_since", "incoming", "is_new", "is_plain", "sock")

    def __init__(self, sock: socket.socket, now: float) -> None:
        self.sock = sock
        self.idle_since = now
        self.is_new = True
        self.is_plain = True
        """No handshake is left to be made."""
        self.incoming: Incoming | None = None


class Http1Server:
    """Serves one listening socket until `stop`; a context manager."""

    def __init__(
        self,
        listener: socket.socket,
        handle: Handler,
        refuse: Refusal,
        *,
        limits: ServerLimits | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Serve `listener`, which listens already and is closed at the end; `handle` is called in worker threads."""
        self._listener = listener
        self._handle = handle
        self._refuse = refuse
        self._limits = limits or ServerLimits()
        self._tls = tls
        self._clock = clock or SystemClock()
        self._selector = selectors.DefaultSelector()
        self._wake_out, self._wake_in = socket.socketpair()
        self._lock = threading.Lock()
        self._turn = threading.Condition(self._lock)
        self._idle: dict[_Connection, None] = {}
        """Watched by the first thread, the longest silent first."""
        self._waiting: deque[_Connection] = deque()
        self._returned: deque[_Connection] = deque()
        self._busy: set[_Connection] = set()
        self._workers: list[threading.Thread] = []
        self._free = 0
        self._stopping = False
        self._front = threading.Thread(target=self._watch, name="serve", daemon=True)

    def __enter__(self) -> Http1Server:
        """Start."""
        self._listener.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        self._front.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def busy(self) -> int:
        """How many requests are being answered or wait for it."""
        with self._lock:
            return len(self._busy) + len(self._waiting)

    def stop(self) -> None:
        """Take nobody any more, let answers under way end, and close everything."""
        with self._turn:
            if self._stopping:
                return
            self._stopping = True
            self._turn.notify_all()
        self._wake()
        self._front.join()
        ends_at = self._clock.monotonic() + self._limits.stop_s
        for worker in self._workers:
            worker.join(max(0.0, ends_at - self._clock.monotonic()))
        with self._lock:
            left = list(self._busy)
        for connection in left:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        for worker in self._workers:
            worker.join(1.0)
        for connection in (*self._waiting, *self._returned):
            connection.sock.close()
        self._wake_in.close()

    # --- the thread that watches --------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Accept, hand over who has something to say, and let go of who has been silent too long."""
        while not self._stopping:
            for key, _ in self._selector.select(_LOOK_S):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._wake_out:
                    with suppress(OSError):
                        self._wake_out.recv(4096)
                else:
                    self._hand_over(key.data)
            self._take_back()
            self._let_go()
        self._listener.close()
        for connection in list(self._idle):
            self._close(connection)
        self._selector.close()
        self._wake_out.close()

    def _accept(self) -> None:
        """Take new connections; the longest silent one makes room."""
        for _ in range(64):
            try:
                sock, _address = self._listener.accept()
            except BlockingIOError:  # nobody is left
                return
            except OSError:  # there are no file descriptors: those in use will be freed
                self._clock.sleep(_NO_ROOM_S)
                return
            with self._lock:
                others = len(self._busy) + len(self._waiting) + len(self._returned)
            if others + len(self._idle) >= self._limits.connections:
                if not self._idle:
                    self._turn_away(sock)
                    continue
                self._close(next(iter(self._idle)))
            sock.setblocking(True)
            with suppress(OSError):  # a Unix socket has no such option
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._register(_Connection(sock, self._clock.monotonic()))

    def _register(self, connection: _Connection) -> None:
        self._idle[connection] = None
        self._selector.register(connection.sock, selectors.EVENT_READ, connection)

    def _hand_over(self, connection: _Connection) -> None:
        """Give a connection that has something to say to a worker."""
        self._selector.unregister(connection.sock)
        self._idle.pop(connection, None)
        with self._turn:
            if len(self._waiting) >= self._limits.queue and not self._free:
                is_taken = False
            else:
                is_taken = True
                self._waiting.append(connection)
                if self._free < len(self._waiting) and len(self._workers) < self._limits.workers:
                    worker = threading.Thread(target=self._work, name=f"serve-{len(self._workers)}", daemon=True)
                    self._workers.append(worker)
                    worker.start()
                self._turn.notify()
        if not is_taken:
            self._turn_away(connection.sock)

    def _take_back(self) -> None:
        """Watch what workers have given back."""
        while self._returned:
            connection = self._returned.popleft()
            connection.idle_since = self._clock.monotonic()
            self._register(connection)

    def _let_go(self) -> None:
        """Close who has been silent too long."""
        now = self._clock.monotonic()
        for connection in list(self._idle):
            patience_s = self._limits.first_s if connection.is_new else self._limits.idle_s
            if now - connection.idle_since > patience_s:
                self._close(connection)

    def _close(self, connection: _Connection) -> None:
        self._idle.pop(connection, None)
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        connection.sock.close()

    def _turn_away(self, sock: socket.socket) -> None:
        """Tell a client to come again, without waiting for it."""
        headers, body = self._refuse(503, "too many requests are under way here")
        with suppress(OSError), sock:
            if self._tls is None:
                sock.setblocking(False)
                Outgoings(sock, version="HTTP/1.1", keeps_alive=False).whole(503, {**headers, "retry-after": "1"}, body)

    def _wake(self) -> None:
        with suppress(OSError):
            self._wake_in.send(b"\0")

    # --- the threads that serve ---------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Serve one connection after the other until told to stop."""
        while True:
            with self._turn:
                self._free += 1
                while not self._waiting and not self._stopping:
                    self._turn.wait()
                self._free -= 1
                if not self._waiting:
                    return
                connection = self._waiting.popleft()
                self._busy.add(connection)
            is_kept = False
            try:
                is_kept = self._serve(connection)
            except (OSError, ValueError):  # the client has left, or shut its socket meanwhile
                pass
            finally:
                with self._lock:
                    self._busy.discard(connection)
                    if is_kept and not self._stopping:
                        self._returned.append(connection)
                    else:
                        is_kept = False
                if is_kept:
                    self._wake()
                else:
                    connection.sock.close()

    def _serve(self, connection: _Connection) -> bool:
        """Answer what a connection asks until it is silent; tell whether it is to be watched again."""
        if connection.is_plain and self._tls is not None:
            connection.sock.settimeout(self._limits.bounds.head_s)
            connection.sock = self._tls.wrap_socket(connection.sock, server_side=True)
        connection.is_plain = connection.is_new = False
        if connection.incoming is None:
            connection.incoming = Incoming(connection.sock, self._limits.bounds, self._clock)
        incoming = connection.incoming
        while not self._stopping:
            try:
                request = incoming.next()
            except BadRequest as error:
                self._answer_no_request(connection.sock, error)
                return False
            except TimeoutError:
                if incoming.has_begun:
                    self._answer_no_request(connection.sock, BadRequest(408, "the request took too long to come"))
                return False
            if request is None:
                return False
            out = Outgoings(
                connection.sock, version=request.version, keeps_alive=request.keeps_alive, is_head=request.method == "HEAD"
            )
            self._handle(request, out)
            if out.is_open or out.status is None or not out.keeps_alive:
                return False
            if not self._says_more(connection, incoming):
                return True
        return False

    def _says_more(self, connection: _Connection, incoming: Incoming) -> bool:
        """Wait a moment for the next request; not where others wait for a worker."""
        sock = connection.sock
        pending = getattr(sock, "pending", None)  # an encrypted one may have read more than it has given
        if incoming.has_more or (pending is not None and pending()):
            return True
        if self._waiting:
            return False
        with selectors.DefaultSelector() as watched:
            watched.register(sock, selectors.EVENT_READ)
            return bool(watched.select(self._limits.stay_s))

    def _answer_no_request(self, sock: socket.socket, error: BadRequest) -> None:
        """Answer what is no request, and read on for a moment, lest a reset overtake the answer."""
        headers, body = self._refuse(error.status, str(error))
        Outgoings(sock, version="HTTP/1.1", keeps_alive=False).whole(error.status, headers, body)
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(_LINGER_S)
        for _ in range(16):
            if not sock.recv(65536):
                break
