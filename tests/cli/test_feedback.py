"""What endpoints did in the last minutes decides where requests go, for every process, and is explained with numbers."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from deepsel.clock import SystemClock
from deepsel.simulator import Behaviour, Scenario, Simulator

Deepsel = Callable[..., Any]
Make = Callable[..., Any]
LIMITS = "ttft_p95_limit_s = 1.0\nmin_samples = 3\n"
SLOW = {"ttft_s": 1.1}
WHY = r"p95 to first token \d+\.\d s over 1\.0 s in 3 calls"


class HeldClock(SystemClock):
    """The real clock until the gate opens, then hours later: what is due in an hour is written when a test says so."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def monotonic(self) -> float:
        return SystemClock.monotonic() + (7200.0 if self.gate.is_set() else 0.0)

    def sleep(self, seconds: float) -> None:
        self.gate.wait(seconds)


def _asked(deepsel: Deepsel) -> str:
    ran = deepsel("ask", "Hi", "--no-cache", "--json")
    assert ran.code == 0, ran.err
    return str(ran.record()["model"])


def test_a_slow_endpoint_moves_traffic_and_comes_back(
    deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]
) -> None:
    """After `min_samples` slow answers the next candidate is asked, with numbers; one good probe brings it back; stats agree."""
    slow = simulate(steps=[SLOW, SLOW, SLOW])
    servers = {"deepseek": slow, "mistral": simulate()}
    profiles(profile=LIMITS + "cooldown_s = 300", **servers)
    assert [_asked(deepsel) for _ in range(5)] == ["deepseek"] * 3 + ["mistral"] * 2
    explained = deepsel("ask", "Hi", "--no-cache", "--explain").out
    assert re.search(WHY + r"; tried again in \d+ s", explained)
    told = deepsel("stats", "--json").record()
    assert {group["key"]: group["requests"] for group in told["groups"]} == {"deepseek": 3, "mistral": 2}
    (state,) = told["endpoints"]
    assert (state["model"], state["state"]) == ("deepseek", "cooling")
    assert re.search(WHY, deepsel("stats").out)

    profiles(profile=LIMITS + "cooldown_s = 0", **servers)
    explained = deepsel("ask", "Hi", "--no-cache", "--explain").out
    assert "its cool-down is over" in explained
    assert len(slow.calls) == 3, "explaining sends nothing and claims nothing"
    assert [_asked(deepsel) for _ in range(2)] == ["deepseek"] * 2
    assert "cool-down" not in deepsel("ask", "Hi", "--no-cache", "--explain").out
    assert deepsel("stats", "--json").record()["endpoints"][0]["state"] == "well"


def test_a_storm_sends_one_probe(deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]) -> None:
    """Of many processes that ask while an endpoint is half open one probes it, the others ask the next candidate.

    Errors made it so, and the probe is answered when the others are done: no time that a busy machine takes counts.
    """
    patient = "ttft_p95_limit_s = 100\nfirst_token_timeout_s = 100\nmin_samples = 3\n"
    failed = {"fault": ("500",)}
    held = HeldClock()
    steps = (failed, failed, failed, {"ttft_s": 3600.0})
    with Simulator(Scenario("t", "a test's", Behaviour(), steps=steps), clock=held) as broken:
        servers = {"deepseek": broken, "mistral": simulate()}
        profiles(profile=patient + "cooldown_s = 300", **servers)
        assert [_asked(deepsel) for _ in range(4)] == ["mistral"] * 4
        assert len(broken.calls) == 3
        profiles(profile=patient + "cooldown_s = 0", **servers)
        with ThreadPoolExecutor(6) as pool:
            asking = as_completed([pool.submit(_asked, deepsel) for _ in range(6)])
            others = [done.result() for done in islice(asking, 5)]
            held.gate.set()
            (probed,) = (done.result() for done in asking)
        assert (others, probed) == (["mistral"] * 5, "deepseek")
        assert len(broken.calls) == 4


def test_a_cool_down_never_empties_a_plan(deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]) -> None:
    """Where every candidate is cooling down the least bad one is asked, and the plan says so."""
    profiles(profile="ttft_p95_limit_s = 0.00001\nmin_samples = 3\n", only=simulate())  # no answer is as quick
    assert [_asked(deepsel) for _ in range(4)] == ["only"] * 4
    assert "but nothing better is left" in deepsel("ask", "Hi", "--no-cache", "--explain").out


def test_a_wait_is_kept_by_every_process(deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]) -> None:
    """A provider that asked to be left alone is not asked by the next process either, and the plan says so."""
    limited = simulate(fault=("429",), retry_after_s=600)
    profiles(limited=limited, other=simulate())
    assert [_asked(deepsel) for _ in range(3)] == ["other"] * 3
    assert len(limited.calls) == 1
    assert "asked to be left alone for " in deepsel("ask", "Hi", "--explain").out
    alone = deepsel("ask", "Hi", "-m", "limited", "--no-cache")
    assert alone.code == 5
    assert "limited-host asked to be left alone for" in alone.err
    assert len(limited.calls) == 1


def test_own_history_projects_length_and_latency(
    deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]
) -> None:
    """After three answers length and latency come from them, and --explain says so; before that from bench or catalog."""
    path = profiles(one=simulate(text="word " * 20))
    bench = path.parent / "data" / "bench.json"
    bench.parent.mkdir(exist_ok=True)
    bench.write_text('{"one": {"ttft_s": 0.4, "tokens_per_s": 50}}')
    before = deepsel("ask", "Hi", "--no-cache", "--explain").out
    assert "(bench)" in before
    for _ in range(3):
        _asked(deepsel)
    after = deepsel("ask", "Hi", "--no-cache", "--explain").out
    assert "(median of 3 chat answers)" in after
    assert "(observed in 3 answers)" in after


def test_profile_weights_are_the_order(deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]) -> None:
    """A profile's own weights order the candidates in place of the strategy's."""
    cheap = '[models.cheap]\nprovider = "good-host"\nprice = { input = "0.01", output = "0.01" }\ncapability = { chat = 0.1 }\n'
    for weights, first in (("{ cost = 1 }", "cheap"), ("{ quality = 1 }", "good")):
        path = profiles(profile=f"weights = {weights}\n", extra=cheap, good=simulate())
        text = path.read_text().replace('models = ["good"]\nstrategy = "ordered"', 'models = ["good", "cheap"]')
        path.write_text(text)
        record = deepsel("ask", "Hi", "--explain", "--json").record()
        assert record["candidates"][0]["model"] == first
        assert set(record["candidates"][0]["terms"]) == {"quality", "cost", "latency"}


# --- budgets ---------------------------------------------------------------------------------------------------------


def test_processes_together_keep_a_budget(deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]) -> None:
    """Eight processes at once spend no more than the budget; those that may not are told what is left, exit 7."""
    server = simulate(output_tokens=90, ttft_s=0.2)
    # The longest answer costs 200 millionths, so that two fit at once; each really costs about 181.
    profiles(profile='max_tokens = 100\ndaily_budget_usd = "0.00045"', one=server)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: deepsel("ask", "Hi", "--no-cache"), range(8)))
    assert sorted({run.code for run in runs}) == [0, 7]
    assert all("of the daily budget of $0.00045" in run.err for run in runs if run.code == 7)
    told = deepsel("stats", "--json").record()
    (budget,) = [row for row in told["budgets"] if row["period"] == "day"]
    assert 0 < Decimal(budget["spent_usd"]) <= Decimal(budget["budget_usd"])
    assert len(server.calls) == sum(run.code == 0 for run in runs) == 2


def test_monthly_budget_and_failures_that_cost_nothing(
    deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]
) -> None:
    """A failed first attempt gives back what it held, so that the fall-back fits under the same budget."""
    broken, good = simulate(fault=("503",)), simulate(output_tokens=10)
    profiles(profile='max_tokens = 100\nmonthly_budget_usd = "0.00024"', one=broken, two=good)
    assert _asked(deepsel) == "two"
    ran = deepsel("ask", "Hi", "--no-cache", "-m", "two")
    assert ran.code == 7
    assert "monthly budget" in ran.err


def test_unknown_price_under_a_budget_is_refused_unless_allowed(
    deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]
) -> None:
    """Under a budget or a cap nothing of unknown price is sent, unless the profile says otherwise."""
    server = simulate()
    for limit in ('monthly_budget_usd = "1"', 'max_cost_usd = "1"'):
        path = profiles(profile=limit, one=server)
        path.write_text(path.read_text().replace("price = {", "params = {}  # {"))
        refused = deepsel("ask", "Hi", "--no-cache")
        assert (refused.code, len(server.calls)) == (7, 0)
    path.write_text(path.read_text().replace('max_cost_usd = "1"', 'max_cost_usd = "1"\nunknown_price = "allow"'))
    assert _asked(deepsel) == "one"


def test_a_cached_answer_of_a_cooling_endpoint_will_do(
    deepsel: Deepsel, simulate: Make, profiles: Callable[..., Path]
) -> None:
    """What a slow endpoint once answered is free and at once: nobody else is paid for it while it cools down."""
    other = simulate()
    profiles(profile=LIMITS, deepseek=simulate(**SLOW), mistral=other)
    assert deepsel("ask", "Keep this", "--cache").code == 0
    for _ in range(3):
        _asked(deepsel)
    assert "tried again in" in deepsel("ask", "Hi", "--no-cache", "--explain").out
    assert "cache hit by deepseek" in deepsel("ask", "Keep this", "--cache", "--explain").out
    record = deepsel("ask", "Keep this", "--cache", "--json").record()
    assert (record["cache"]["status"], record["model"]) == ("hit", "deepseek")
