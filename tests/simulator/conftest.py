"""A client that shows every byte, and a clock that never waits."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deepsel.simulator import Simulator

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode leaves a folder's own helpers out

from raw_client import PATHS, Ask, Raw, connect, in_the_form_of, prompt, read_to_end, request_bytes, split_response


@pytest.fixture
def ask() -> Ask:
    """Give a function that sends one request on a fresh connection and reads until the peer closes."""

    def send(simulator: Simulator, wire: str = "openai-chat", **members: Any) -> Raw:
        with connect(simulator) as connection:
            connection.sendall(request_bytes(PATHS[wire], in_the_form_of(wire, prompt(**members))))
            data, was_reset = read_to_end(connection)
        return split_response(data, was_reset=was_reset)

    return send


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._elapsed_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._lock:
            return self._elapsed_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._elapsed_s += max(0.0, seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
