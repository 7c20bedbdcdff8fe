"""The plan: hard limits, order, pins, reasons, and the properties a person relies on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.routing import difficulty
from deepsel.routing.candidates import Candidate, Cooling, Needs, Plan, Policy, Weights
from deepsel.routing.lengths import expected_output_tokens, fit_max_tokens
from deepsel.routing.plan import plan
from deepsel.routing.task import detect
from deepsel.values import STRATEGIES, TASKS, Bill, Model, PriceRule, Provider

CATALOG = Catalog()

NEEDS = Needs(task="code", difficulty=0.5, on=date(2026, 11, 24))
HOST = Provider(name="host", wire="openai-chat", base_url="http://127.0.0.1:1/v1")


def candidate(
    name: str = "one", *, cost: str | None = "0.001", capability: float = 0.8, **changes: object
) -> Candidate:
    """One candidate that breaks no limit, changed as told; its provider is called host-NAME."""
    model = Model(name=name, provider=f"host-{name}", id=name, capability=dict.fromkeys(TASKS, capability))
    total = None if cost is None else Decimal(cost)
    plain = Candidate(
        model=model,
        provider=HOST._replace(name=f"host-{name}"),
        has_key=True,
        input_tokens=812,
        max_tokens=1024,
        expected_output_tokens=400,
        bill=Bill(total),
        worst_bill=Bill(None if total is None else total * 2),
        latency_s=2.0,
        latency_source="catalog",
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


def names(made: Plan) -> list[str]:
    return [choice.model for choice in made.choices]


def with_model(one: Candidate, **changes: object) -> Candidate:
    return one._replace(model=one.model._replace(**changes))  # type: ignore[arg-type]


REFUSALS = {
    "no_key": (candidate(has_key=False, key_names=("HOST_API_KEY",)), NEEDS, Policy(), "HOST_API_KEY"),
    "retired": (with_model(candidate(), retires=date(2026, 11, 24)), NEEDS, Policy(), "2026-11-24"),
    "not_yet_available": (with_model(candidate(), available_from=date(2026, 11, 25)), NEEDS, Policy(), "2026-11-25"),
    "unsupported": (candidate(), NEEDS._replace(media=frozenset({"images"})), Policy(), "images"),
    "window": (with_model(candidate(max_tokens=None), context_window=900), NEEDS, Policy(), "900"),
    "over_cost": (candidate(), NEEDS, Policy(max_cost_usd=Decimal("0.0019")), "$0.002 "),
}


CANNOT = {
    "no tools": (frozenset({"json_object"}), NEEDS._replace(tools=True), "calls no tools"),
    "another form": (frozenset(), NEEDS._replace(wires={"anthropic-messages": "`citations` of message 2"}), "`citations` of"),
}


@pytest.mark.parametrize("case", CANNOT)
def test_what_a_candidate_cannot_be_sent_refuses_it(case: str) -> None:
    """A row known to call no tools, and a wire that cannot carry a member, are refused with the reason."""
    features, needs, said = CANNOT[case]
    made = plan([with_model(candidate(), features=features)], needs, Policy())
    assert [refusal.reason for refusal in made.refused] == ["unsupported"]
    assert said in made.refused[0].detail


def test_a_row_nobody_has_looked_at_may_be_asked_for_tools() -> None:
    """A model without any feature on record, as of one's own, is a candidate where tools are asked; so is one that has them."""
    known = with_model(candidate("known"), features=frozenset({"tools"}))
    assert sorted(names(plan([candidate(), known], NEEDS._replace(tools=True), Policy()))) == ["known", "one"]


@pytest.mark.parametrize("reason", REFUSALS)
def test_each_hard_limit_refuses(reason: str) -> None:
    """A broken limit is a refusal with its code and a number or name; the other candidate remains."""
    broken, needs, policy, said = REFUSALS[reason]
    other = with_model(candidate("other", cost="0.0001"), features=frozenset({"images"}))
    made = plan([broken, other], needs, policy)
    assert [(refusal.model, refusal.reason) for refusal in made.refused] == [("one", reason)]
    assert said in made.refused[0].detail
    assert names(made) == ["other"]


def test_the_day_before_retiring_still_counts() -> None:
    """A model answers on the day before it retires, and on the day it appears."""
    one = with_model(candidate(), retires=date(2026, 11, 25), available_from=date(2026, 11, 24))
    assert names(plan([one], NEEDS, Policy())) == ["one"]


def test_an_unknown_price_is_refused_only_under_a_cap() -> None:
    """Without a limit an unknown price is a reason, under one it is a refusal."""
    unknown = candidate(cost=None)
    made = plan([unknown], NEEDS, Policy())
    assert made.choices[0].cost_usd is None
    assert any("cost unknown" in reason for reason in made.choices[0].reasons)
    assert plan([unknown], NEEDS, Policy(max_cost_usd=Decimal(1))).refused[0].reason == "over_cost"


def test_a_schema_is_a_preference() -> None:
    """A model without native schemas is placed lower, not refused."""
    native = with_model(candidate("native"), features=frozenset({"json_schema"}))
    made = plan([candidate(), native], NEEDS._replace(schema=True), Policy())
    assert names(made) == ["native", "one"]
    assert any("checked here" in reason for reason in made.choices[1].reasons)


def test_cooling_never_empties_the_plan() -> None:
    """Cooling candidates wait while another is left; where none is, the least bad is used and says so."""
    hot = candidate("hot", cooling=Cooling(200, "p95 to first token 6.2 s over 3.0 s", badness=2.0))
    warm = candidate("warm", cooling=Cooling(100, "error rate 0.60 over 0.50", badness=1.0))
    made = plan([hot, candidate("well"), warm], NEEDS, Policy())
    assert names(made) == ["well"]
    assert {refusal.reason for refusal in made.refused} == {"cooling"}
    made = plan([hot, warm, candidate("keyless", has_key=False)], NEEDS, Policy())
    assert names(made) == ["warm"]
    assert any("error rate 0.60" in reason for reason in made.choices[0].reasons)


def test_a_pin_goes_first_and_the_rest_follow() -> None:
    """Pinned models lead for their task only; the others are fall-backs in their own order."""
    crew = [candidate("best", capability=0.95), candidate("good"), candidate("weak", capability=0.2)]
    policy = Policy(pins={"creative": ("weak",)})
    assert names(plan(crew, NEEDS._replace(task="creative"), policy)) == ["weak", "best", "good"]
    assert names(plan(crew, NEEDS, policy)) == ["best", "good", "weak"]


def test_reasons_are_sentences_with_numbers() -> None:
    """A choice says its quality, cost with tokens and price rule, and latency with its source."""
    bill = Bill(Decimal("0.00042"), rule=PriceRule(Decimal(1), Decimal(2), label="off-peak"))
    one = candidate(bill=bill, price_note="peak begins in 42 min, then double")
    assert plan([one], NEEDS._replace(difficulty=0.35), Policy()).choices[0].reasons == (
        "quality 0.91 for code at difficulty 0.35",
        "$0.00042 for 812 + ~400 tokens, off-peak",
        "expected 2.0 s (catalog)",
        "peak begins in 42 min, then double",
    )


# --- properties ------------------------------------------------------------------------------------------------------

costs = st.one_of(st.none(), st.decimals(min_value=0, max_value=20, places=6).map(str))
units = st.floats(min_value=0, max_value=1)
weights = st.one_of(st.none(), st.builds(Weights, *[st.floats(min_value=0.01, max_value=1)] * 3))


@st.composite
def crews(draw: st.DrawFn) -> list[Candidate]:
    """Two to six candidates with different names."""
    return [
        candidate(
            f"m{number}",
            cost=draw(costs),
            capability=draw(units),
            has_key=draw(st.sampled_from((True, True, True, False))),
            latency_s=draw(st.one_of(st.none(), st.floats(min_value=0, max_value=500))),
            cooling=draw(st.sampled_from((None, None, None, Cooling(10, "slow")))),
        )
        for number in range(draw(st.integers(min_value=2, max_value=6)))
    ]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any strategy, weights, pin and exclusion."""
    return Policy(
        strategy=draw(st.sampled_from(STRATEGIES)),
        weights=draw(weights),
        pins=draw(st.sampled_from(({}, {"code": ("m1",)}))),
        max_cost_usd=draw(st.sampled_from((None, Decimal("0.5")))),
    )


needs = st.builds(Needs, task=st.sampled_from(TASKS), difficulty=units, schema=st.booleans(), media=st.just(frozenset()), wires=st.just({}))


def place(made: Plan, name: str) -> float:
    """The rank of a model, infinite where it is refused."""
    return next((choice.rank for choice in made.choices if choice.model == name), float("inf"))


@given(crews(), needs, policies())
def test_everyone_is_chosen_or_refused(crew: list[Candidate], asked: Needs, policy: Policy) -> None:
    """Each candidate is either in the plan or refused, once; ranks count from 1; same inputs, same plan."""
    made = plan(crew, asked, policy)
    both = [*names(made), *(refusal.model for refusal in made.refused)]
    assert sorted(both) == sorted(one.model.name for one in crew)
    assert [choice.rank for choice in made.choices] == list(range(1, len(made.choices) + 1))
    assert all(choice.utility == pytest.approx(sum(choice.terms.values())) for choice in made.choices)
    assert made == plan(crew, asked, policy)


@given(crews(), needs, policies(), st.decimals(min_value=0, max_value=5, places=6))
def test_a_higher_price_never_helps(crew: list[Candidate], asked: Needs, policy: Policy, more: Decimal) -> None:
    """Raising a known price never improves a model's rank."""
    first = crew[0]
    if first.bill.total_usd is None:
        first = candidate("m0", cost="0.01")
    total = (first.bill.total_usd or Decimal(0)) + more
    dearer = first._replace(bill=Bill(total), worst_bill=Bill(total * 2))
    before, after = plan([first, *crew[1:]], asked, policy), plan([dearer, *crew[1:]], asked, policy)
    assert place(after, "m0") >= place(before, "m0")


@given(crews(), needs, policies(), units)
def test_more_capability_never_hurts(crew: list[Candidate], asked: Needs, policy: Policy, other: float) -> None:
    """Raising a capability never worsens a model's rank."""
    now = crew[0].model.capability[asked.task]
    low, high = (with_model(crew[0], capability={asked.task: value}) for value in sorted((now, other)))
    before, after = plan([low, *crew[1:]], asked, policy), plan([high, *crew[1:]], asked, policy)
    assert place(after, "m0") <= place(before, "m0")


@given(crews(), needs, policies())
def test_an_irrelevant_candidate_turns_nobody_round(crew: list[Candidate], asked: Needs, policy: Policy) -> None:
    """The order of two candidates does not depend on who else is there."""
    crew = [one._replace(cooling=None) for one in crew]
    whole = names(plan(crew, asked, policy))
    assert names(plan(crew[1:], asked, policy)) == [name for name in whole if name != "m0"]


@given(needs, st.sampled_from(STRATEGIES), st.permutations(["a", "b", "c", "d"]))
def test_equals_keep_the_profiles_order(asked: Needs, strategy: str, order: list[str]) -> None:
    """Candidates that differ in nothing but the name stay as the profile lists them."""
    assert names(plan([candidate(name) for name in order], asked, Policy(strategy=strategy))) == order


@given(crews(), needs)
def test_ordered_is_the_profiles_order(crew: list[Candidate], asked: Needs) -> None:
    """With `ordered` the survivors stand as the profile lists them."""
    made = plan(crew, asked, Policy(strategy="ordered"))
    assert names(made) == sorted(names(made))


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "input_tokens", "wanted", "fitted"),
    [
        ({}, 10**9, 4096, 4096),
        ({"context_window": 8192}, 1000, 4096, 4096),
        ({"context_window": 8192}, 4064, 4096, 4096),
        ({"context_window": 8192}, 4065, 4096, 4095),
        ({"context_window": 8192}, 8192 - 32 - 256, 4096, 256),
        ({"context_window": 8192}, 8192 - 32 - 255, 4096, None),
        ({"context_window": 8192}, 8192 - 32 - 10, 10, 10),
        ({"max_output": 1000}, 10, 4096, 1000),
        ({"max_input": 500}, 500, 100, 100),
        ({"max_input": 500}, 501, 100, None),
    ],
)
def test_the_answer_is_fitted_to_the_window(
    limits: dict[str, int], input_tokens: int, wanted: int, fitted: int | None
) -> None:
    """Input, margin and answer fit the window to the token; output bounds cut; unknown limits do not limit."""
    model = Model(name="m", provider="p", id="m", **limits)  # type: ignore[arg-type]
    assert fit_max_tokens(model, input_tokens, wanted=wanted) == fitted


def test_an_estimate_leaves_more_room() -> None:
    """An estimated prompt keeps a tenth of itself free besides."""
    model = Model(name="m", provider="p", id="m", context_window=8192)
    assert fit_max_tokens(model, 7000, wanted=4096) == 1160
    assert fit_max_tokens(model, 7000, wanted=4096, input_is_exact=False) == 460


def test_output_is_projected_from_the_task_or_from_history() -> None:
    """A translation is about as long as its source; history goes before the task; the bound before both."""
    assert expected_output_tokens("translate", 1000, max_tokens=4096) == 1100
    assert expected_output_tokens("translate", 1000, max_tokens=500) == 500
    assert expected_output_tokens("chat", 1000, max_tokens=4096, usual=77.4) == 77


# --- with the catalog ------------------------------------------------------------------------------------------------


def routed(prompt: str, *, hour: int, strategy: str = "balanced") -> list[Model]:
    """Plan a prompt over the catalog's default models, all keys set."""
    at = datetime(2026, 11, 24, hour, tzinfo=UTC)
    detection = detect(prompt)
    crew = []
    for name in CATALOG.default_models:
        model = CATALOG.find_model(name)
        size = max(1, len(prompt) // 4)
        bound = fit_max_tokens(model, size, wanted=4096) or 0
        output = expected_output_tokens(detection.task, size, max_tokens=bound)
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
    asked = Needs(task=detection.task, difficulty=difficulty.score(prompt), on=at.date())
    return [CATALOG.find_model(name) for name in names(plan(crew, asked, Policy(strategy=strategy)))]


@pytest.mark.parametrize("hour", [2, 5, 8, 20])
def test_code_goes_to_deepseek_and_prose_does_not(hour: int) -> None:
    """At peak and off it, a DeepSeek-class model leads for code and not for a story."""
    assert "deepseek" in routed("Write a C++ function that reverses a linked list", hour=hour)[0].name
    assert "deepseek" not in routed("Write a melancholic short story about a lighthouse", hour=hour)[0].name


def test_effort_follows_the_question() -> None:
    """A trivial question goes to a model that reasons less well than the one a proof goes to."""
    trivial = routed("What is the capital of Australia?", hour=20)[0]
    proof = routed("Prove that every continuous function on a compact interval is uniformly continuous.", hour=20)[0]
    assert trivial.capability["reasoning"] < 0.8 < proof.capability["reasoning"]
