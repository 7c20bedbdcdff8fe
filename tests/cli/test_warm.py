"""`deepsel warm`: the smallest call, only to idle models, within its cap, and a clean end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deepsel.cache import Cache
from deepsel.catalog import Catalog
from deepsel.config import CacheSettings, Profile, Settings
from deepsel.engine.limiter import Limiter
from deepsel.engine.resources import Resources
from deepsel.errors import OverBudgetError
from deepsel.health.log import Observation
from deepsel.health.sqlite_state import SqliteState
from deepsel.providers.calls import Outgoing
from deepsel.secret import KnownSecrets
from deepsel.session.warm import Warmer
from deepsel.values import Finish, FinishReport, Model, PriceRule, Provider, TextDelta, Usage, UsageReport, WireEvent

CATALOG = Catalog()


@dataclass
class FakeClock:
    """Time that passes only when somebody sleeps."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def warmer(tmp_path: Path, clock: FakeClock) -> Callable[..., Warmer]:
    """A warmer whose first call to a model waits 2 s for a token, later ones 0.5 s; each costs 3 + 2 dollars a million."""
    called: list[str] = []

    def ask(transport: Any, outgoing: Outgoing, **limits: Any) -> Iterator[WireEvent]:
        body: dict[str, Any] = outgoing.body
        assert body["max_tokens"] == 1
        clock.seconds += 0.5 if body["model"] in called else 2.0
        called.append(body["model"])
        yield TextDelta("Hi")
        yield UsageReport(Usage(input_uncached=3, output_visible=1))
        yield FinishReport(Finish.LENGTH, "length")

    def make(*names: str, **profile: Any) -> Warmer:
        prices = (PriceRule(Decimal(1), Decimal(2)),)
        models = {name: Model(name=name, provider="host", id=name, prices=prices) for name in names}
        host = Provider(name="host", wire="openai-chat", base_url="http://127.0.0.1:1/v1")
        chosen = Profile(name="main", models=names, **profile)
        resources = Resources(
            settings=Settings({"host": host}, models, {}, "main", CacheSettings(), CATALOG),
            env={},
            transport=lambda: None,  # type: ignore[arg-type, return-value]  # nothing is sent
            cache=Cache(tmp_path / "cache", CacheSettings(), clock=clock),
            state=SqliteState(tmp_path / "data"),
            clock=clock,
            rng=random.Random(0),
            secrets=KnownSecrets(),
            limiter=Limiter(),
            key_of=lambda provider, timeout_s: None,
            stream=ask,
        )
        return Warmer(names, 60.0, chosen, resources)

    return make


def test_first_call_is_cold_later_ones_are_warm(warmer: Callable[..., Warmer], clock: FakeClock) -> None:
    """Every minute each model is called once, and what was waited for tells cold from warm."""
    one = warmer("a", "b")
    pings = list(one.run(for_s=125))
    assert [(ping.model, ping.kind, ping.ttft_s) for ping in pings] == [
        ("a", "cold", 2.0), ("b", "cold", 2.0), ("a", "warm", 0.5), ("b", "warm", 0.5), ("a", "warm", 0.5), ("b", "warm", 0.5),
    ]  # fmt: skip
    assert one.spent_usd == 6 * Decimal("0.000005")
    assert {row.task for row in one.resources.state.since(0).value or []} == {"warm"}


def test_other_traffic_is_left_to_warm_the_model(warmer: Callable[..., Warmer], clock: FakeClock) -> None:
    """A model that somebody has called within the interval is not called; the wait counts from that call."""
    one = warmer("a")
    one.resources.state.add([Observation(clock.now().timestamp() - 20, "other", "host", "a", "chat", "ok")])
    (ping,) = one.run(for_s=70)
    assert clock.slept[0] == pytest.approx(40)
    assert ping.kind == "warm"


def test_cost_is_known_before_and_capped(warmer: Callable[..., Warmer]) -> None:
    """An hour's cost is projected from the price; the call that could go over the cap is not made."""
    one = warmer("a", "b")
    hourly = one.hourly_usd()
    assert hourly is not None
    assert hourly >= 2 * 60 * Decimal("0.000003")
    with pytest.raises(OverBudgetError):
        list(one.run(max_cost_usd=Decimal("0.000015")))
    assert 0 < one.spent_usd <= Decimal("0.000015")


def test_a_budget_of_the_profile_holds(warmer: Callable[..., Warmer]) -> None:
    """Keeping warm spends from the profile's budget and stops where that is used up."""
    one = warmer("a", daily_budget_usd=Decimal("0.00002"))
    with pytest.raises(OverBudgetError):
        list(one.run())
    spent = one.resources.state.spend("main", at=one.resources.clock.now()).value
    assert spent is not None
    assert 0 < spent.day_usd <= Decimal("0.00002")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_cleanly_on_a_signal(
    home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path], number: signal.Signals
) -> None:
    """A signal ends it with a summary and success; cost per hour was said first, and each call left one line."""
    server = simulate(cold_start_s=0.2)
    profiles(one=server)
    running = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "warm", "--every", "3s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert running.stdout is not None
    lines = [running.stdout.readline() for _ in range(2)]
    running.send_signal(number)
    _, err = running.communicate(timeout=100)
    assert running.returncode == 0, err
    assert [line.split()[:2] for line in lines] == [["one", "cold"], ["one", "warm"]]
    assert "per hour" in err.splitlines()[0]
    assert "one: cold" in err
    assert server.calls[0].body["max_tokens"] == 1


def test_health_path_is_free(simulate: Callable[..., Any], profiles: Callable[..., Path], deepsel: Callable[..., Any]) -> None:
    """A provider with a health path is touched there, from the host's root; nothing is asked, and nothing is called warm."""
    server = simulate()
    path = profiles(one=server)
    path.write_text(path.read_text().replace("api_key_env", 'health_path = "/health"\napi_key_env'))
    ran = deepsel("warm", "--every", "60s", "--for", "1s", "--max-cost", "0")
    assert ran.code == 0, ran.err
    assert "$0" in ran.out
    assert ran.out.startswith("one  reachable  first byte ")
    assert "not warmed: one" in ran.err
    assert "cold" not in ran.out + ran.err
    assert "first token" not in ran.out + ran.err
    assert "nothing was asked" in deepsel("stats").err
    assert [(call.method, call.path) for call in server.calls] == [("GET", "/health")]


def test_what_cannot_start_is_said(deepsel: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """No key, a cap too small for one call, an interval of nothing: each its own exit code, and nothing is sent."""
    assert deepsel("warm").code == 3
    profiles(one="http://127.0.0.1:1/v1")
    assert deepsel("warm", "--max-cost", "0.000000001").code == 7
    assert deepsel("warm", "--every", "0s").code == 2
