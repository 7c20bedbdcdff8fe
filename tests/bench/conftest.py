"""A clock that moves only when somebody sleeps, so that the simulator's times are exact and no test waits."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deepsel.bench.loops import Sender
from deepsel.bench.measure import BenchTarget, Caller
from deepsel.bench.measurement import Measurement
from deepsel.bench.prompts import Prompter
from deepsel.bench.wanted import Wanted
from deepsel.catalog import Catalog
from deepsel.clock import Clock, SystemClock
from deepsel.providers.transport import HttpTransport
from deepsel.simulator import Behaviour, Scenario, Simulator
from deepsel.values import Model, Provider


class ManualClock:
    """Time passes by sleeping alone; shared by the two sides of a connection."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime(2026, 11, 25, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += max(0.0, seconds)


@pytest.fixture
def bench() -> Iterator[Callable[..., tuple[Measurement, Simulator]]]:
    """Run a bench against a simulator of some behaviour, both on one clock; gives the session and the simulator."""
    with ExitStack() as stack:

        def run(
            wanted: Wanted, *, real: bool = False, wire: Any = "openai-chat", steps: Any = (), **behaviour: Any
        ) -> tuple[Measurement, Simulator]:
            clock: Clock = SystemClock() if real else ManualClock()
            scenario = Scenario("test", "a test's", Behaviour(**behaviour), steps=tuple(steps))
            simulator = stack.enter_context(Simulator(scenario, clock=clock))
            transport = stack.enter_context(HttpTransport(clock, env={}))
            url = simulator.base_url if wire == "openai-chat" else simulator.url
            target = BenchTarget(Model("quick", "host", "m"), Provider("host", wire, url), None)
            sender = Sender(Caller(transport, clock, Catalog(), 60.0, 30.0, 0.0), wanted.max_tokens, random.Random(1))
            session = Measurement(wanted, [target], sender, Prompter(random.Random(2), wanted.shares_prefix), clock.monotonic())
            session.run()
            return session, simulator

        yield run
