"""A conversation stays where its prompt is cached while that is worth it: bills of whole sessions at published prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.catalog.prompt_caches import prompt_cache
from deepsel.routing.candidates import Candidate, Cooling, Needs, Policy
from deepsel.routing.stickiness import Holding, conversation_plan, warmth
from deepsel.values import Model, PriceRule, Provider, Usage

AT = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
CATALOG = Catalog()
TURNS = 18
CHEAPEST = Policy(strategy="cheapest")


@dataclass
class Host:
    """A model with a cache of prompts, as its provider keeps it."""

    model: Model
    share: float
    life_s: float
    seen_tokens: int = 0
    used_s: float = -1e9

    def copy(self) -> Host:
        return Host(self.model, self.share, self.life_s)

    def bill(self, prompt: int, output: int, now_s: float) -> Decimal:
        """Answer one turn, and return what it really costs."""
        is_warm = now_s - self.used_s < self.life_s
        cached = int(min(self.seen_tokens, prompt) * self.share) if is_warm else 0
        self.seen_tokens, self.used_s = prompt + output, now_s
        writes = self.model.prices[0].cache_write_short is not None and self.share > 0
        fresh = prompt - cached
        usage = Usage(0 if writes else fresh, cached, fresh if writes else 0, 0, output, 0)
        total = catalog.bill(self.model, usage, at=AT).total_usd
        assert total is not None
        return total


def _host(name: str) -> Host:
    model = CATALOG.models[name]
    cache = prompt_cache(model.provider)
    assert cache is not None
    return Host(model, cache.share, cache.life_s)


def _candidate(model: Model, prompt: int, output: int, cooling: Cooling | None = None) -> Candidate:
    bill = catalog.project(model, input_tokens=prompt, output_tokens=output, at=AT)
    provider = Provider(model.provider, "openai-chat", "http://127.0.0.1:1")
    return Candidate(model, provider, True, prompt, 8000, output, bill, bill, cooling=cooling)


@dataclass
class Outcome:
    """One session: what was paid, who answered each turn, and the reasons."""

    total_usd: Decimal
    models: list[str]
    reasons: list[str]


def _session(hosts: Sequence[Host], turns: Sequence[tuple[int, int, float]], *, policy: Policy = CHEAPEST) -> Outcome:
    """Play a session; a turn is (new tokens of the prompt, tokens of the answer, seconds since the last)."""
    known = {host.model.name: host.copy() for host in hosts}
    shares = {name: host.share for name, host in known.items()}
    outcome = Outcome(Decimal(0), [], [])
    prompt, now_s, holder = 0, 0.0, ""
    for new, output, gap_s in turns:
        now_s += gap_s
        prompt += new
        holding = Holding(shares=shares)
        if holder:
            host = known[holder]
            holding = Holding(holder, int(host.seen_tokens * host.share * warmth(now_s - host.used_s, host.life_s)), shares=shares)
        candidates = [_candidate(host.model, prompt, output) for host in known.values()]
        plan, why = conversation_plan(candidates, Needs("chat", 0.2), policy, holding, at=AT)
        holder = plan.choices[0].model
        outcome.total_usd += known[holder].bill(prompt, output, now_s)
        outcome.models.append(holder)
        outcome.reasons += why
        prompt += output
    return outcome


def _fixed(host: Host, turns: Sequence[tuple[int, int, float]]) -> Decimal:
    """Return what always asking one model costs."""
    return _session([host], turns).total_usd


AGENT = [(12_000, 400, 0.0)] + [(1_500, 400, 20.0)] * (TURNS - 1)
CHAT = [(300, 250, 0.0)] + [(80, 250, 60.0)] * (TURNS - 1)
PAUSES = [(8_000, 300, 0.0)] + [(600, 300, 30.0 if turn % 5 else 900.0) for turn in range(1, TURNS)]
SESSIONS = {"agent": AGENT, "chat": CHAT, "pauses": PAUSES}
PAIRS = [
    ("deepseek-flash", "claude-haiku-4-5"),
    ("deepseek-v4-pro", "claude-haiku-4-5"),
    ("deepseek-v4-pro", "deepseek-flash"),
    ("claude-opus-5", "claude-haiku-4-5"),
    ("claude-sonnet-4-6", "deepseek-v4-pro"),
]


@pytest.mark.parametrize("shape", SESSIONS)
@pytest.mark.parametrize("names", PAIRS)
def test_the_bill_is_near_the_best_fixed_choice(names: tuple[str, str], shape: str) -> None:
    """At most 1.05 times that of the best model known afterwards, and never above always staying with the first; each turn says why."""
    hosts, turns = [_host(name) for name in names], SESSIONS[shape]
    outcome = _session(hosts, turns)
    fixed = {host.model.name: _fixed(host, turns) for host in hosts}
    assert outcome.total_usd <= Decimal("1.05") * min(fixed.values())
    assert outcome.total_usd <= fixed[outcome.models[0]]
    assert len(outcome.reasons) == TURNS
    switches = [turn for turn in range(1, TURNS) if outcome.models[turn] != outcome.models[turn - 1]]
    assert all(outcome.reasons[turn].startswith("moves to") and outcome.reasons[turn].count("$") == 2 for turn in switches)


def test_a_low_price_without_a_cache_is_dear_over_a_session() -> None:
    """The host that is cheaper for one prompt is not begun with, where the other reads all but the last turn from its cache."""
    plain = _made("plain", "0.10", "0.10", "0.40", share=0.0)
    cached = _made("cached", "0.14", "0.003", "0.40", share=0.95)
    outcome = _session([plain, cached], AGENT)
    assert set(outcome.models) == {"cached"}
    one_turn = [_candidate(host.model, 12_000, 400) for host in (plain, cached)]
    plan, _ = conversation_plan(one_turn, Needs("chat", 0.2), CHEAPEST, None, at=AT)
    assert plan.choices[0].model == "plain"


def test_a_cold_cache_is_no_reason_to_stay() -> None:
    """After a long pause nothing is expected of the cache, and the cheaper one is asked."""
    dear, cheap = _made("dear", "3", "0.3", "15", share=1.0, life_s=300), _made("cheap", "1", "0.1", "5", share=1.0)
    candidates = [_candidate(host.model, 20_000, 300) for host in (dear, cheap)]
    shares = {"dear": 1.0, "cheap": 1.0}

    def first(age_s: float) -> str:
        holding = Holding("dear", int(20_000 * warmth(age_s, 300)), shares=shares)
        return conversation_plan(candidates, Needs("chat", 0.2), CHEAPEST, holding, at=AT)[0].choices[0].model

    assert [first(age) for age in (1, 100, 3_000)] == ["dear", "dear", "cheap"]


def test_a_tool_loop_never_switches() -> None:
    """Whatever it would save; but what the plan refuses cannot be stayed with."""
    dear, cheap = _made("dear", "30", "30", "100", share=0.0), _made("cheap", "0.1", "0.1", "0.1", share=0.0)
    holding = Holding("dear", 0, is_in_tool_loop=True)
    candidates = [_candidate(host.model, 20_000, 300) for host in (dear, cheap)]
    plan, why = conversation_plan(candidates, Needs("chat", 0.2), CHEAPEST, holding, at=AT)
    assert (plan.choices[0].model, plan.choices[0].rank) == ("dear", 1)
    assert "just answered" in why[0]
    candidates[0] = candidates[0]._replace(cooling=Cooling(60.0, "it failed"))
    plan, why = conversation_plan(candidates, Needs("chat", 0.2), CHEAPEST, holding, at=AT)
    assert plan.choices[0].model == "cheap"
    assert why == ("leaves dear: it failed; tried again in 60 s",)


def _made(name: str, price: str, cached: str, output: str, *, share: float, life_s: float = 300.0) -> Host:
    rule = PriceRule(Decimal(price), Decimal(output), Decimal(cached))
    return Host(Model(name, "host", name, prices=(rule,), context_window=1_000_000), share, life_s)


price = st.integers(1, 3000).map(lambda number: Decimal(number) / 100)


@given(
    rates=st.lists(st.tuples(price, st.floats(0.01, 1), price, st.floats(0, 1)), min_size=2, max_size=4),
    new=st.integers(50, 5_000), first=st.integers(100, 30_000), output=st.integers(20, 800), gap_s=st.floats(1, 100),
)  # fmt: skip
@settings(max_examples=60)
def test_it_never_pays_more_than_staying(
    rates: list[tuple[Decimal, float, Decimal, float]], new: int, first: int, output: int, gap_s: float
) -> None:
    """Whatever the prices, as long as turns look alike: no switch makes the bill higher than the model it began with."""
    hosts = [
        _made(f"m{number}", str(read), str(read * Decimal(str(round(part, 3)))), str(written), share=round(share, 2))
        for number, (read, part, written, share) in enumerate(rates)
    ]
    turns = [(first, output, 0.0)] + [(new, output, gap_s)] * (TURNS - 1)
    outcome = _session(hosts, turns)
    stayed = next(host for host in hosts if host.model.name == outcome.models[0])
    assert outcome.total_usd <= _fixed(stayed, turns) * Decimal("1.0000001")


@given(age_s=st.floats(0, 1e7), life_s=st.floats(1, 1e6))
def test_warmth_decays(age_s: float, life_s: float) -> None:
    """In [0, 1], 1 at once, a half at the end of its life, never more with age."""
    assert warmth(0, life_s) == 1
    assert warmth(life_s, life_s) == pytest.approx(0.5)
    assert 0 <= warmth(age_s + 1, life_s) <= warmth(age_s, life_s) <= 1
