"""The decision over the catalog: who is chosen at which difficulty, what a person would choose, no cliffs, caps, and learning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.catalog.strengths import GUESS, strength_source
from deepsel.routing import difficulty, evaluation, learning
from deepsel.routing.candidates import Candidate, Choice, Needs, Plan, Policy
from deepsel.routing.lengths import (
    affordable_tokens,
    expected_output_tokens,
    fit_max_tokens,
    thinking_tokens,
)
from deepsel.routing.plan import plan
from deepsel.routing.task import detect
from deepsel.routing.utility import expected_quality
from deepsel.values import TASKS

CATALOG = Catalog()
ROUTED = [json.loads(line) for line in (Path(__file__).parent / "routed.jsonl").read_text("utf-8").splitlines()]
STRONG = ("opus", "sol", "sonnet", "terra", "max")
WANTED = {
    "small": lambda choice: choice.cost_usd is not None and choice.cost_usd < Decimal("0.0015"),
    "deepseek": lambda choice: "deepseek" in choice.model,
    "strong": lambda choice: any(name in choice.model for name in STRONG),
    "voice": lambda choice: not any(name in choice.model for name in ("deepseek", "luna", "small")),
    "not_small": lambda choice: any(name in choice.model for name in (*STRONG, "large")),
}


@cache
def _candidates(task: str, size: int, hour: int) -> tuple[Candidate, ...]:
    """The catalog's default models with all keys, for a task and a prompt's size."""
    at = datetime(2026, 11, 24, hour, tzinfo=UTC)
    crew = []
    for name in CATALOG.default_models:
        model = CATALOG.find_model(name)
        bound = fit_max_tokens(model, size, wanted=4096) or 0
        output = expected_output_tokens(task, size, max_tokens=bound)
        crew.append(
            Candidate(
                model=model,
                provider=CATALOG.providers[model.provider],
                has_key=True,
                input_tokens=size,
                max_tokens=bound,
                expected_output_tokens=output,
                bill=catalog.project(model, input_tokens=size, output_tokens=output, at=at),
                worst_bill=catalog.project(model, input_tokens=size, output_tokens=bound, at=at),
                latency_s=model.latency.ttft_s + output / model.latency.tokens_per_s if model.latency else None,
            )
        )
    return tuple(crew)


def routed(prompt: str, *, hour: int = 20) -> Plan:
    """Plan a prompt with everything detected."""
    found = detect(prompt)
    needs = Needs(found.task, difficulty.from_detection(prompt, found))
    return plan(_candidates(found.task, max(1, len(prompt) // 16 * 4), hour), needs, Policy())


def first(task: str, hard: float, hour: int = 20) -> Choice:
    return plan(_candidates(task, 50, hour), Needs(task, hard), Policy()).choices[0]


@pytest.mark.parametrize("task", ["code", "reasoning", "chat"])
@pytest.mark.parametrize("hour", [2, 20])
def test_difficulty_changes_who_is_asked(task: str, hour: int) -> None:
    """An easy prompt and a hard one of the same kind go to different models, at peak and off it."""
    assert first(task, 0.1, hour).model != first(task, 0.95, hour).model


@pytest.mark.parametrize("hour", [8, 20])
def test_a_person_would_choose_so(hour: int) -> None:
    """Of 60 realistic prompts at least 54 go to such a model as a knowledgeable person would choose."""
    right = [row["prompt"] for row in ROUTED if WANTED[row["want"]](routed(row["prompt"], hour=hour).choices[0])]
    assert len(ROUTED) == 60
    assert len(right) >= 54


@pytest.mark.parametrize("row", ROUTED[::4])
def test_a_word_of_manners_does_not_move_the_price(row: dict[str, str]) -> None:
    """With and without a word of manners the first choice costs at most twice as much."""
    prices = []
    for manners in ("{}", "Please {}", "{}\nThanks!", "hi, {}", "{} please"):
        cost = routed(manners.format(row["prompt"])).choices[0].cost_usd
        assert cost is not None
        prices.append(cost)
    assert max(prices) <= 2 * min(prices)


@given(st.sampled_from(TASKS), st.floats(0, 1), st.floats(0, 1))
def test_more_difficulty_never_means_a_weaker_model_at_the_same_price(task: str, one: float, other: float) -> None:
    """Of candidates that differ in strength alone the stronger one leads at any difficulty."""
    base = _candidates("code", 50, 20)[0]
    crew = [
        base._replace(model=base.model._replace(name=name, capability=dict.fromkeys(TASKS, value)))
        for name, value in (("weak", 0.6), ("strong", 0.9))
    ]
    for hard in (one, other):
        assert plan(crew, Needs(task, hard), Policy()).choices[0].model == "strong"


def test_a_dearer_model_says_what_it_needs_and_has() -> None:
    """The first choice, and each dearer one, say how many times dearer, what quality that needs and what there is."""
    made = plan(_candidates("code", 50, 20), Needs("code", 0.95), Policy())
    assert "x the cost of" in made.choices[0].margin
    for choice in made.choices[1:]:
        if choice.margin:
            needed, has = (float(part.split()[0]) for part in (choice.margin.split("needs ")[1], choice.margin.split("it has ")[1]))
            assert has <= needed + 0.001


@given(st.floats(0.01, 0.99), st.floats(0, 1))
def test_quality_and_strength_are_inverse(strength: float, hard: float) -> None:
    """A strength gives the quality that gives the strength back; harder is worse, stronger is better."""
    reached = expected_quality(strength, hard)
    assert expected_quality(strength, 0.5) == pytest.approx(strength, abs=1e-6)
    assert expected_quality(strength, min(1.0, hard + 0.1)) <= reached <= expected_quality(min(0.99, strength + 0.005), hard) + 1e-9
    if 0.01 < reached < 0.99:
        assert expected_quality(reached, 1 - hard) == pytest.approx(strength, abs=0.01)


def test_every_strength_has_a_source_or_is_a_guess() -> None:
    """Each figure of each model names a table with month and mode, or a predecessor, or says that it is a guess."""
    sourced = 0
    for name in CATALOG.models:
        model = CATALOG.find_model(name)
        for task in model.capability:
            known = strength_source(model, task)
            if known.source == GUESS:
                assert known.words == "a guess"
                continue
            sourced += 1
            assert known.as_of
            assert known.mode
            assert known.error
            assert known.about or known.source.startswith("estimated from ")
    assert sourced >= 40


def test_a_strength_of_ones_own_is_ones_own() -> None:
    """A figure that is not the catalog's is the user's."""
    model = CATALOG.find_model("deepseek-flash")
    assert strength_source(model._replace(capability={"code": 0.123}), "code").source == "your profiles.toml"


@given(st.decimals(0, 1, places=4), st.decimals(0, 1, places=4), st.decimals(0, 2, places=4), st.integers(1, 8192))
def test_a_cap_buys_what_it_can_pay(prompt_usd: Decimal, more_usd: Decimal, cap_usd: Decimal, bound: int) -> None:
    """The answer that a cap buys costs no more than the cap, and one token more would, or the bound is reached."""
    bought = affordable_tokens(cap_usd, without_output_usd=prompt_usd, at_most_usd=prompt_usd + more_usd, max_tokens=bound)
    if bought is None:
        assert cap_usd < prompt_usd
        return
    assert prompt_usd + more_usd * bought / bound <= cap_usd
    assert bought == bound or prompt_usd + more_usd * (bought + 1) / bound > cap_usd


def test_thinking_is_in_the_figures() -> None:
    """Thinking that is asked for lengthens the answer, more so when it is hard."""
    assert thinking_tokens({}, 0.9) == thinking_tokens({"thinking": {"type": "disabled"}}, 0.9) == 0
    assert 0 < thinking_tokens({"reasoning_effort": "low"}, 0.2) < thinking_tokens({"thinking": {"type": "enabled"}}, 0.9)
    assert expected_output_tokens("chat", 10, max_tokens=9000, thought=1000) == 1300


def _scored(number: int, weak: float, strong: float) -> evaluation.Scored:
    costs = {"cheap": Decimal("0.001"), "dear": Decimal("0.01")}
    return evaluation.Scored(f"p{number}", "chat", number / 10, {"cheap": weak, "dear": strong}, costs, {"balanced": "cheap"})


def test_evaluation_sets_choices_against_fixed_ones() -> None:
    """Baselines are the best, the cheapest and any; a score that puts the gains first recovers more than half of the gap."""
    rows = [_scored(number, 0.0 if number > 5 else 1.0, 1.0) for number in range(10)]
    names = {one.name: one for one in evaluation.baselines(rows)}
    assert names["always dear (best)"].quality == 1
    assert names["always cheap (cheapest)"].quality == pytest.approx(0.6)
    assert names["any at random"].quality == pytest.approx(0.8)
    assert evaluation.pair_of(rows) == ("cheap", "dear")
    assert (evaluation.apgr(rows, "cheap", "dear") or 0) > 0.7
    assert evaluation.apgr(rows, "dear", "cheap") is None


def test_scores_move_strengths() -> None:
    """Bad answers lower a strength, good ones raise it, two answers change nothing, and what was known weighs."""
    known = {"m": {"code": 0.8}}
    bad = [learning.Judged("m", "code", 0.5, 0.0)] * 10
    good = [learning.Judged("m", "code", 0.5, 1.0)] * 10
    assert learning.learn(bad, known)[0].after < 0.5 < 0.8 < learning.learn(good, known)[0].after
    assert learning.learn(bad[:2], known) == []
    hard = [learning.Judged("m", "code", 0.9, 0.3)] * 10
    assert learning.learn(hard, known)[0].after > 0.7
