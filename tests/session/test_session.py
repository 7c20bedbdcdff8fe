"""A session as a long-lived process has it: what changes on disk is seen, threads share what is opened, and it can travel."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deepsel.catalog import Catalog
from deepsel.clock import SystemClock
from deepsel.engine.ask import Ask
from deepsel.engine.prepare import thresholds_of
from deepsel.engine.spending import budgets_of
from deepsel.errors import ConfigError, NoRouteError, RefusedError
from deepsel.health.endpoint import Endpoint
from deepsel.health.sqlite_state import SqliteState
from deepsel.session.open import Session, choose_profile
from deepsel.storage.told import Told
from deepsel.values import Message, Request

Simulate = Callable[..., Any]


def _ask(session: Session, text: str = "Hi", **members: Any) -> Ask:
    request = Request((Message.of("user", text),), temperature=0.0, seed=7, stream=False)
    return Ask(request, text, choose_profile(session.settings, session.env), **members)


def _answer(session: Session, ask: Ask) -> Any:
    run = session.ask(ask)
    for _ in run.events():
        pass
    failure = run.failure()
    if failure is not None:
        raise failure
    return run.answer()


def _refresh_prices(home: Path, usd: str) -> None:
    """Write what `models --refresh` leaves."""
    folder = home / "data"
    folder.mkdir(exist_ok=True)
    today = (SystemClock().now() + timedelta(days=1)).date().isoformat()
    prices = [{"input": usd, "output": usd, "source": "a list", "checked": today}]
    fresh = folder / ".fresh"
    fresh.write_text(json.dumps({"as_of": today, "models": {"gpt-6-luna": {"prices": prices}}}))
    fresh.replace(folder / "prices.json")


def test_refreshed_prices_are_seen(home: Path) -> None:
    """What another process refreshes counts from the next request on; a session of before keeps nothing of the old prices."""
    env = {"DEEPSEL_HOME": str(home)}
    with Session.from_environment(env) as session:
        before = session.settings
        assert session.settings is before
        for usd in ("7", "9"):
            _refresh_prices(home, usd)
            assert session.resources.settings.catalog.find_model("gpt-6-luna").prices[0].input == Decimal(usd)
        assert before.catalog.find_model("gpt-6-luna").prices[0].input not in (Decimal(7), Decimal(9))


def test_a_broken_file_leaves_the_settings(home: Path) -> None:
    """A profiles.toml that is being edited while prices are refreshed costs nobody the settings that were read."""
    (home / "profiles.toml").write_text('[profiles.main]\nmodels = ["gpt-6-luna"]\n')
    with Session.from_environment({"DEEPSEL_HOME": str(home)}) as session:
        before = session.settings
        (home / "profiles.toml").write_text("[profiles.main")
        _refresh_prices(home, "7")
        assert session.settings is before


def test_new_bench_results_are_seen(home: Path, simulate: Simulate, profiles: Callable[..., Path]) -> None:
    """What a bench saves while the session is open decides the latency of the next plan."""
    profiles(one=simulate(text="Hello."))
    with Session.from_environment({"DEEPSEL_HOME": str(home), "TEST_KEY": "sk-test-0123456789"}) as session:
        folder = home / "data"
        folder.mkdir(exist_ok=True)
        for ttft_s in (0.25, 0.75):
            fresh = folder / ".bench"
            fresh.write_text(json.dumps({"one": {"ttft_s": ttft_s, "tokens_per_s": 1e9}}))
            fresh.replace(folder / "bench.json")
            prepared, _ = session.explain(_ask(session))
            assert (prepared.candidates["one"].latency_source, prepared.candidates["one"].latency_s) == (
                "bench",
                pytest.approx(ttft_s, abs=0.01),
            )


def test_threads_share_what_is_opened(home: Path, simulate: Simulate, profiles: Callable[..., Path]) -> None:
    """Many threads that begin together open one transport, one cache and one state, and each gets its own answer."""
    server = simulate(text="Hello.")
    profiles(one=server)
    with Session.from_environment({"DEEPSEL_HOME": str(home), "TEST_KEY": "sk-test-0123456789"}) as session:
        with ThreadPoolExecutor(16) as pool:
            opened = list(pool.map(lambda _: (session.transport, session.cache, session.state), range(32)))
            assert len(set(opened)) == 1
            answers = list(pool.map(lambda n: _answer(session, _ask(session, f"Question {n}")), range(32)))
        assert {one.text for one in answers} == {"Hello."}
        assert len(server.calls) == 32
        assert _answer(session, _ask(session, "Question 3")).cache.status == "hit"
    assert len(server.calls) == 32


def test_nobody_to_ask_is_said_before_anything_is_opened(home: Path) -> None:
    """Without a key the run raises what the command line turns into its exit code; nothing is logged."""
    with Session.from_environment({"DEEPSEL_HOME": str(home)}) as session:
        with pytest.raises(ConfigError, match="no key was found"):
            _answer(session, _ask(session))
        with pytest.raises(NoRouteError, match="no cached answer"):
            _answer(session, _ask(session, cache_mode="only"))
        assert session.state.since(0.0).value == []


def test_what_is_asked_can_travel(home: Path) -> None:
    """An Ask and the settings go to another process and come back as they were; neither holds a key."""
    env = {"DEEPSEL_HOME": str(home), "DEEPSEEK_API_KEY": "sk-never-to-be-seen-0123456789"}
    with Session.from_environment(env) as session:
        packed = pickle.dumps((_ask(session), session.settings))
        ask, settings = pickle.loads(packed)
    assert b"sk-never" not in packed
    assert ask == _ask(session)
    assert isinstance(settings.catalog, Catalog)
    assert settings.catalog.overlay == session.settings.catalog.overlay
    assert settings.profiles == session.settings.profiles


class _LosesTheTurn(SqliteState):
    """Another process takes the last turn of an endpoint right before ours."""

    def take_one(self, endpoint: Endpoint, *, at: float) -> Told[bool]:
        while super().take_one(endpoint, at=at).value:
            pass
        return super().take_one(endpoint, at=at)


def test_a_call_whose_turn_was_taken_costs_no_budget(
    home: Path, simulate: Simulate, profiles: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that was reserved for and then not made adds nothing to what was spent."""
    profiles(
        one=simulate(fault=("401",)), two=simulate(text="ok"),
        profile='daily_budget_usd = "5"\nretries = 1\ntimeout_s = 2',
    )  # fmt: skip
    monkeypatch.setattr("deepsel.health.sqlite_state.SqliteState", _LosesTheTurn)
    with Session.from_environment(dict(os.environ)) as session:
        now = session.clock.now().timestamp()
        session.state.tell_left(Endpoint("two-host", "two"), 2, now + 600)
        with pytest.raises(RefusedError):
            _answer(session, _ask(session))
        profile = choose_profile(session.settings, session.env)
        left = session.state.outlook(
            [], task="chat", thresholds=thresholds_of(profile), budgets=budgets_of(profile), at=session.clock.now()
        ).left
    assert left is not None
    assert left.usd == 5
