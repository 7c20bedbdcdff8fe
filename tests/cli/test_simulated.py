"""Simulated money is nobody's: it is said to be simulated, and stands in no sum."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def _spent(home: Path) -> tuple[int, int]:
    """What the log and the budgets count, in 1e-12 USD."""
    with sqlite3.connect(home / "data" / "observations.sqlite") as database:
        (logged,) = database.execute("SELECT COALESCE(SUM(cost_picousd + COALESCE(saved_picousd, 0)), 0) FROM observations").fetchone()
        (spent,) = database.execute("SELECT COALESCE(SUM(picousd), 0) FROM spend").fetchone()
    return logged, spent


def test_an_answer_says_that_it_is_simulated(deepsel: Run, simulate: Run, profiles: Run) -> None:
    """Record and footer say so, bought and from the cache; a model's answer says that it is none."""
    profiles(one=simulate(text="Hello."))
    for status in ("stored", "hit", "hit"):
        ran = deepsel("ask", "-p", "demo", "--json", "Hi")
        record = ran.record()
        assert (record["simulated"], record["cache"]["status"]) == (True, status)
        assert " simulated " in ran.err
    assert Decimal(deepsel("ask", "-p", "demo", "--json", "--no-cache", "Hi").record()["cost_usd"]) > 0
    assert deepsel("ask", "--json", "Hi").record()["simulated"] is False


def test_its_money_is_in_no_sum(deepsel: Run, home: Path) -> None:
    """Neither calls nor hits of the simulator are spend, savings or a budget's."""
    (home / "profiles.toml").write_text(
        '[profiles.mine]\nmodels = ["demo-gpt-6-luna"]\ndaily_budget_usd = "0.00000001"\nstrategy = "ordered"\n'
    )
    for words in (("ask", "Hi"), ("ask", "Hi"), ("ask", "Hi", "--no-cache"), ("ask", "-p", "demo", "Hello")):
        assert deepsel(*words).code == 0
    assert deepsel("warm", "-m", "demo-deepseek-flash", "--for", "1s").code == 0
    told = deepsel("stats", "--json").record()
    assert _spent(home) == (0, 0)
    assert told["total"]["requests"] == 5
    assert [Decimal(told["total"][name]) for name in ("spend_usd", "saved_usd")] == [0, 0]
    assert all(Decimal(budget["spent_usd"]) == 0 for budget in told["budgets"])
    saved = deepsel("cache", "stats", "--json").record()
    assert Decimal(saved["total"]["saved_usd"] if "total" in saved else saved["saved_usd"]) == 0


@pytest.mark.parametrize(
    "words",
    [("warm", "-m", "demo-gpt-6-luna", "--for", "1s"), ("bench", "-p", "demo", "-m", "demo-gpt-6-luna", "-n", "2", "--warmup", "1")],
    ids=lambda words: words[0],
)
def test_commands_that_call_it_say_so(deepsel: Run, words: tuple[str, ...]) -> None:
    """Keeping it warm and measuring it cost nothing, and a word says that no model was asked."""
    ran = deepsel(*words)
    assert ran.code == 0
    assert "simulated" in ran.out + ran.err
    assert "$0.0000" not in ran.out + ran.err
    assert "$0" in ran.out + ran.err


def test_where_a_model_answers_its_cost_alone_counts(deepsel: Run, simulate: Run, profiles: Callable[..., Path], home: Path) -> None:
    """A profile of both kinds: what the simulator would have cost is no part of the answer's cost, nor of what is logged."""
    path = profiles(one=simulate(text="Hello."))
    path.write_text(path.read_text().replace('models = ["one"]', 'models = ["one", "demo-gpt-6-luna"]'))
    alone = deepsel("ask", "--json", "--no-cache", "Hi").record()
    assert Decimal(alone["cost_usd"]) > 0
    other = deepsel("ask", "--json", "--no-cache", "-m", "demo-gpt-6-luna", "Hi").record()
    assert other["simulated"] is True
    assert _spent(home) == (int(Decimal(alone["cost_usd"]) * 10**12),) * 2
