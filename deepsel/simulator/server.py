"""The loopback server: sockets, threads and paths; what is answered is decided elsewhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from deepsel.clock import Clock, SystemClock
from deepsel.errors import ConfigError
from deepsel.http1.requests import BadRequest, Incoming
from deepsel.simulator.answering import Answering
from deepsel.simulator.answers.reply import Mark
from deepsel.simulator.http.delivery import Delivery, hang
from deepsel.simulator.records import CallLog, Ledger, SeenCall, Stamps
from deepsel.simulator.replies import json_reply
from deepsel.simulator.scenario import Scenario
from deepsel.simulator.wires.table import WIRES

KEEP_CALLS = 10_000
_BACKLOG = 512
_STOP_S = 5.0
_LINGER_S = 0.5


class Simulator:
    """A provider on this machine that speaks the wires and plays a scenario; a context manager.

    `url` is the base URL of the anthropic-messages wire, `base_url` that of openai-chat.
    """

    def __init__(
        self,
        scenario: Scenario | Mapping[str, Any] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        keep_calls: int = KEEP_CALLS,
    ) -> None:
        """Prepare; `port` 0 takes a free one, a mapping is checked as a file is, `keep_calls` bounds the memory."""
        if isinstance(scenario, Mapping):
            from deepsel.simulator.scenario_file import parse_scenario  # a caller with a Scenario need not load it

            scenario = parse_scenario(scenario)
        self._clock: Clock = clock or SystemClock()
        self._ledger = Ledger(keep_calls)
        self._stopping = threading.Event()
        self._answering = Answering(scenario or Scenario(), self._ledger, clock=self._clock, stopping=self._stopping)
        self._close_idle_s = self._answering.scenario.close_idle_s
        self._host = host
        self._wanted_port = port
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._acceptor: threading.Thread | None = None
        self.port = port
        """The port it listens on, once started."""

    @property
    def url(self) -> str:
        """Give the root, without a path."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """Give the root of the openai-chat wire."""
        return self.base_urls["openai-chat"]

    @property
    def base_urls(self) -> dict[str, str]:
        """Give the base URL of each wire, by its name."""
        return {wire.NAME: self.url + wire.BASE for wire in WIRES}

    @property
    def calls(self) -> tuple[SeenCall, ...]:
        """Give the requests that came in, oldest first."""
        return self._ledger.calls()

    @property
    def batch_answers(self) -> list[str]:
        """Give the `custom_id` of every line of a batch job that was answered, as often as it was."""
        return self._answering.batches.answered

    @property
    def records(self) -> tuple[CallLog, ...]:
        """Give when each answer to a prompt left, oldest first; those of answers under way are still growing."""
        return self._ledger.records()

    def start(self) -> Simulator:
        """Listen and answer in daemon threads; a second call does nothing. Raise ConfigError where the port cannot be had."""
        if self._listener is not None:
            return self
        self._listener = _listener(self._host, self._wanted_port)
        self.port = int(self._listener.getsockname()[1])
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), name="simulator", daemon=True)
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """Close every connection and wait until all threads have ended; a second call does nothing."""
        if self._stopping.is_set() or self._listener is None or self._acceptor is None:
            return
        self._stopping.set()
        self._wake()
        self._acceptor.join(_STOP_S)
        self._listener.close()
        with self._lock:
            running = list(self._connections.items())
        for connection, _ in running:
            _shut(connection)
        for _, thread in running:
            thread.join(_STOP_S)

    def __enter__(self) -> Simulator:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _wake(self) -> None:
        """Let `accept` return: closing a socket under it does not, on every system."""
        assert self._listener is not None
        try:
            with socket.create_connection(self._listener.getsockname()[:2], timeout=1):
                pass
        except OSError:
            _shut(self._listener)

    def _accept(self, listener: socket.socket) -> None:
        """Give every connection a thread until stopped."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                self._clock.sleep(0.05)  # out of file descriptors: those in use will be freed
                continue
            if self._stopping.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        """Answer the requests of one connection until it ends."""
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if not self._meets_fault(connection):
                    self._converse(connection)
        except OSError:
            pass  # the client left, or `stop` shut the socket: both are quiet ends
        finally:
            with self._lock:
                self._connections.pop(connection, None)

    def _meets_fault(self, connection: socket.socket) -> bool:
        """Do what the scenario has for a connection that was just accepted; say whether it had anything."""
        act = self._answering.traffic.meet_accept()
        if act is None:
            return False
        self._ledger.add_call("", "", {}, body=None, size_bytes=0)
        if act is Mark.HANG:
            hang(connection)
        else:
            _shut(connection)
        return True

    def _converse(self, connection: socket.socket) -> None:
        """Read and answer one request after the other."""
        incoming = Incoming(connection)
        keeps_alive = True
        while keeps_alive:
            connection.settimeout(self._close_idle_s)
            try:
                request = incoming.next()
            except BadRequest as error:
                self._refuse(connection, error)
                return
            if request is None:
                return
            connection.settimeout(None)
            keeps_alive = self._answering.answer(connection, request)

    def _refuse(self, connection: socket.socket, error: BadRequest) -> None:
        """Answer what is no request, and read on for a moment, lest a reset overtake the answer."""
        at_s = self._clock.monotonic()
        stamps = Stamps("", "", stream=False, fault=None, was_cold=False, request_read_s=at_s)
        reply = json_reply(error.status, {"error": {"message": str(error), "type": "invalid_request_error"}})
        Delivery(connection, self._clock, self._stopping, at_s, stamps).send(reply, keeps_alive=False)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_LINGER_S)
        for _ in range(64):
            if not connection.recv(65536):
                break


def _listener(host: str, port: int) -> socket.socket:
    """Bind and listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigError(
            f"the simulator cannot listen on {host}, port {port}: {reason}",
            "choose another port with `--port`; `--port 0` takes a free one",
        ) from error
    return listener


def _shut(connection: socket.socket) -> None:
    """Shut a socket both ways, which also wakes whoever waits on it."""
    with suppress(OSError):  # it was closed already
        connection.shutdown(socket.SHUT_RDWR)

