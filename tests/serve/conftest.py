"""A served address before scripted providers of either wire, all over real sockets."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deepsel.http1.requests import HttpRequest
from deepsel.http1.responses import Outgoings
from deepsel.http1.server import Http1Server
from deepsel.serve import listening
from deepsel.serve.running import Address, serving
from deepsel.session.open import Session, choose_profile

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode leaves the helpers' folder out

Answering = Callable[[HttpRequest, Any, Outgoings], None]


@dataclass
class Scripted:
    """A provider that answers as a function says, and keeps what it was sent."""

    answer: Answering
    url: str = ""
    requests: list[HttpRequest] = field(default_factory=list)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests]

    def handle(self, request: HttpRequest, out: Outgoings) -> None:
        self.requests.append(request)
        self.answer(request, json.loads(request.body), out)


@dataclass
class Served:
    """A running `deepsel serve`."""

    url: str
    lines: list[dict[str, Any]]
    session: Session
    turn: threading.Condition

    def logged(self, number: int) -> list[dict[str, Any]]:
        """Wait for so many lines of the access log, which are written after the client has its answer."""
        with self.turn:
            assert self.turn.wait_for(lambda: len(self.lines) >= number, timeout=30)
            return list(self.lines)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@pytest.fixture(autouse=True)
def closed_clients() -> Iterator[None]:
    """Close the SDKs' clients, which nobody else does."""
    from serve_clients import OPEN

    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def scripted() -> Iterator[Callable[[Answering], Scripted]]:
    """Start providers that are stopped when the test ends."""
    with ExitStack() as stack:

        def start(answer: Answering) -> Scripted:
            provider = Scripted(answer)
            listener = listening.on_port("127.0.0.1", 0)
            provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            stack.enter_context(Http1Server(listener, provider.handle, lambda status, message: ({}, message.encode())))
            return provider

        yield start


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serve a profiles.toml in this process; `env` is laid over the test's."""
    with ExitStack() as stack:

        def start(path: Path, *, env: Mapping[str, str] | None = None, **place: Any) -> Served:
            environment = {**os.environ, **(env or {})}
            session = stack.enter_context(Session.from_environment(environment, path))
            lines: list[dict[str, Any]] = []
            turn = threading.Condition()

            def log(line: dict[str, Any]) -> None:
                with turn:
                    lines.append(line)
                    turn.notify_all()

            profile = choose_profile(session.settings, environment)
            address = Address(**{"host": "127.0.0.1", "port": 0, **place})
            url = stack.enter_context(serving(session, profile, session.settings.serve, address, log))
            return Served(url, lines, session, turn)

        yield start
