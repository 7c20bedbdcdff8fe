"""What holds for every sequence of outcomes: budget, deadlines, time limit, unmixed text, cache, and cost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.cache import Cache
from deepsel.catalog import Catalog
from deepsel.config import CacheSettings, Profile, Settings
from deepsel.engine.ask import Ask
from deepsel.engine.events import AttemptEnded, AttemptStarted, Waiting
from deepsel.engine.limiter import Limiter
from deepsel.engine.resources import Resources
from deepsel.engine.retry import BACKOFF_BASE_S
from deepsel.engine.run import Run
from deepsel.errors import AttemptFailed, ErrorClass, OverBudgetError
from deepsel.health.sqlite_state import SqliteState
from deepsel.providers.calls import Outgoing, Timeouts
from deepsel.secret import KnownSecrets
from deepsel.values import (
    Finish,
    FinishReport,
    Message,
    Model,
    PriceRule,
    Provider,
    Request,
    TextDelta,
    Usage,
    UsageReport,
    WireEvent,
)

CATALOG = Catalog()

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
TIMEOUT_S = 60.0
INPUT_PRICE, OUTPUT_PRICE = Decimal(1), Decimal(2)


@dataclass
class FakeClock:
    """Time that passes only when somebody sleeps or a call takes a while."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass(frozen=True)
class Outcome:
    """How one call goes."""

    takes_s: float = 0.1
    text: str = ""
    """Said before it ends."""
    finish: Finish | None = Finish.COMPLETE
    error: ErrorClass | None = None
    """Raised after the text."""
    retry_after_s: float | None = None
    should_retry: bool | None = None
    is_loading: bool = False
    """The server says that it is only starting."""
    output_tokens: int = 5

    @property
    def loads(self) -> bool:
        """Only what a server that is there, or not yet there, may say of itself."""
        return self.is_loading and self.error in (ErrorClass.OVERLOADED, ErrorClass.NETWORK)


OUTCOMES = st.builds(
    Outcome,
    takes_s=st.floats(0, 30),
    text=st.sampled_from(["", "alpha", "alpha beta"]),
    finish=st.sampled_from([Finish.COMPLETE, Finish.LENGTH, Finish.FILTERED, None]),
    error=st.none() | st.sampled_from([c for c in ErrorClass if c not in (ErrorClass.SCHEMA, ErrorClass.TRUNCATED)]),
    retry_after_s=st.none() | st.floats(0, 100),
    should_retry=st.none() | st.booleans(),
    is_loading=st.booleans(),
    output_tokens=st.integers(0, 50),
)


@dataclass
class World:
    """Providers that do what a script says, and what they saw."""

    clock: FakeClock
    script: list[Outcome]
    calls: list[tuple[str, float]] = field(default_factory=list)
    """(model, instant)."""
    ends: list[tuple[str, float, Outcome]] = field(default_factory=list)
    limits: list[Timeouts] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    """Members of a body that every host refuses by name."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(model, member)."""

    def ask(self, transport: Any, outgoing: Outgoing, **limits: Any) -> Iterator[WireEvent]:
        body = outgoing.body
        name = str(body["model"])
        member = next((one for one in sorted(self.refuses) if one in body), None)
        if member is not None:
            self.refused.append((name, member))
            raise AttemptFailed(ErrorClass.BAD_REQUEST, f"unknown parameter: `{member}`", http_status=400)
        outcome = self.script[len(self.calls)] if len(self.calls) < len(self.script) else Outcome(text="default")
        self.calls.append((name, self.clock.seconds))
        self.limits.append(limits["timeouts"])
        deadline = limits["timeouts"].deadline
        self.clock.seconds = min(self.clock.seconds + outcome.takes_s, max(deadline, self.clock.seconds))
        if outcome.text:
            yield TextDelta(f"{name}: {outcome.text}")
        self.ends.append((name, self.clock.seconds, outcome))
        if outcome.error is not None:
            failure = AttemptFailed(
                outcome.error,
                "scripted",
                http_status=200 if outcome.text else None,
                retry_after_s=outcome.retry_after_s,
                should_retry=outcome.should_retry,
            )
            failure.is_loading = outcome.loads
            raise failure
        yield UsageReport(Usage(input_uncached=10, output_visible=outcome.output_tokens))
        if outcome.finish is not None:
            yield FinishReport(outcome.finish, outcome.finish)


def _settings(names: list[str]) -> Settings:
    rule = PriceRule(input=INPUT_PRICE, output=OUTPUT_PRICE, source="test")
    rows = {
        name: Model(name=name, provider=f"{name}-host", id=name, context_window=100_000 * (i + 1), prices=(rule,))
        for i, name in enumerate(names)
    }
    hosts = {f"{n}-host": Provider(name=f"{n}-host", wire="openai-chat", base_url="http://127.0.0.1:1") for n in names}
    return Settings(hosts, rows, {}, "main", CacheSettings(), CATALOG)


def _run(
    script: list[Outcome],
    *,
    candidates: int,
    retries: int,
    is_shown: bool,
    folder: Path,
    cap: Decimal | None = None,
    refuses: frozenset[str] = frozenset(),
) -> tuple[World, Run, list[Any], Cache]:
    clock = FakeClock()
    world = World(clock, script, refuses=refuses)
    names = [f"m{i}" for i in range(candidates)]
    profile = Profile(
        name="main",
        models=tuple(names),
        strategy="ordered",
        retries=retries,
        timeout_s=TIMEOUT_S,
        max_tokens=1000,
        larger_context=("wide",),
        max_cost_usd=cap,
    )
    ask = Ask(Request((Message.of("user", "Hi"),), temperature=0.0, seed=7), "Hi", profile)
    cache = Cache(folder / "cache", CacheSettings(), clock=clock)
    resources = Resources(
        settings=_settings([*names, "wide"]),
        env={},
        transport=lambda: None,  # type: ignore[arg-type,return-value]  # the scripted world needs none
        cache=cache,
        state=SqliteState(folder / "data"),
        clock=clock,
        rng=random.Random(0),
        secrets=KnownSecrets(),
        limiter=Limiter(),
        key_of=lambda provider, timeout_s: None,
        stream=world.ask,
    )
    run, events = Run(ask, resources, is_shown=is_shown), []
    try:
        events += run.events()
    except OverBudgetError:
        assert cap is not None
        assert world.calls == []
    return world, run, events, cache


@settings(max_examples=150, deadline=None)
@given(
    script=st.lists(OUTCOMES, max_size=8),
    candidates=st.integers(1, 3),
    retries=st.integers(0, 5),
    is_shown=st.booleans(),
)
def test_what_always_holds(script: list[Outcome], candidates: int, retries: int, is_shown: bool) -> None:
    """Whatever providers do: the budget holds, nobody is pressed, time is kept, answers are not mixed, costs add up."""
    with TemporaryDirectory() as folder:
        world, run, events, cache = _run(
            script, candidates=candidates, retries=retries, is_shown=is_shown, folder=Path(folder)
        )
        answer, failure = run.answer(), run.failure()

        loading = sum(outcome.loads for _, _, outcome in world.ends)
        assert 1 <= len(world.calls) <= 1 + retries + (loading if retries else 0)
        assert world.clock.seconds <= TIMEOUT_S + 1e-6

        opens: dict[str, float] = {}
        for (name, called_s), (_, ended_s, outcome) in zip(world.calls, world.ends, strict=True):
            assert called_s >= opens.get(name, 0) - 1e-9, "asked before it said so"
            if outcome.error is not None and outcome.retry_after_s is not None:
                opens[name] = max(opens.get(name, 0), ended_s + outcome.retry_after_s)
            if outcome.loads:
                opens[name] = max(opens.get(name, 0), ended_s + BACKOFF_BASE_S / 2)

        final_classes = {"auth", "billing", "bad_request", "context_overflow", "content_policy", "truncated", "schema"}
        for attempt in answer.attempts:
            if attempt.error_class in final_classes:
                repeats = [name for name, _ in world.calls if name == attempt.model]
                failed = [a for a in answer.attempts if a.model == attempt.model]
                assert len(repeats) == len(failed)
                assert failed[-1] is attempt, "asked again after a final refusal"

        speakers = {part.partition(":")[0] for part in answer.text.split("m")[1:]}
        assert len(speakers) <= 1, "text of two answers"
        if is_shown:
            shown = "".join(event.text for event in events if isinstance(event, TextDelta))
            assert shown == answer.text, "a reader saw something else than the record says"
        assert (failure is None) == (answer.finish is Finish.COMPLETE)

        is_stored = bool(list(cache.entries()))
        cache.close()
        assert is_stored == (failure is None)
        assert not is_stored or answer.cache.status == "stored"

        costs = [attempt.cost_usd for attempt in answer.attempts]
        assert answer.cost_usd == (None if None in costs else sum(costs, Decimal(0)))

        started = [event for event in events if isinstance(event, AttemptStarted)]
        ended = [event for event in events if isinstance(event, AttemptEnded)]
        assert len(started) == len(ended) == len(world.calls)
        assert sum(event.seconds for event in events if isinstance(event, Waiting)) == sum(world.clock.slept)


MEMBERS = st.frozensets(st.sampled_from(["temperature", "seed", "max_tokens", "stream_options", "messages"]))


@settings(max_examples=100, deadline=None)
@given(script=st.lists(OUTCOMES, max_size=4), refuses=MEMBERS, candidates=st.integers(1, 2), retries=st.integers(0, 6))
def test_what_is_taken_back_costs_a_call_and_is_known_the_next_time(
    script: list[Outcome], refuses: frozenset[str], candidates: int, retries: int
) -> None:
    """Each refusal is a call of the budget; a member is refused once a model, and where an answer came, never again."""
    with TemporaryDirectory() as folder:
        options: dict[str, Any] = {"candidates": candidates, "retries": retries, "is_shown": False, "refuses": refuses}
        world, run, _, cache = _run(script, **options, folder=Path(folder))
        cache.close()
        loading = sum(outcome.loads for _, _, outcome in world.ends)
        sent = len(world.calls) + len(world.refused)
        assert 1 <= sent <= 1 + retries + (loading if retries else 0)
        assert len(world.refused) == len(set(world.refused))
        assert len(run.answer().attempts) == sent
        assert "messages" not in refuses or not world.calls, "what cannot be taken back is refused for good"
        answered = run.answer().model if run.failure() is None else None

        world, run, _, cache = _run([], **options, folder=Path(folder))
        cache.close()
        assert answered not in [model for model, _ in world.refused]
        assert answered is None or run.failure() is None


@settings(max_examples=100, deadline=None)
@given(script=st.lists(OUTCOMES, max_size=6), cap_micro=st.integers(0, 10_000))
def test_the_cap_is_never_passed(script: list[Outcome], cap_micro: int) -> None:
    """Over all its attempts a request never costs more than its cap, as far as costs are known."""
    cap = Decimal(cap_micro) / 10**6
    with TemporaryDirectory() as folder:
        _, run, _, cache = _run(
            script, candidates=3, retries=5, is_shown=False, folder=Path(folder), cap=cap
        )
        cache.close()
        assert sum((a.cost_usd for a in run.answer().attempts if a.cost_usd is not None), Decimal(0)) <= cap


def _simple(script: list[Outcome], tmp_path: Path, **changes: Any) -> tuple[World, Run, list[Any]]:
    options: dict[str, Any] = {"candidates": 1, "retries": 3, "is_shown": False, "folder": tmp_path, **changes}
    world, run, events, cache = _run(script, **options)
    cache.close()
    return world, run, events


RATE_LIMITED = Outcome(error=ErrorClass.RATE_LIMITED, retry_after_s=5.0)


def test_a_named_wait_is_kept_to(tmp_path: Path) -> None:
    """The only candidate is asked again exactly when it said."""
    world, run, _ = _simple([RATE_LIMITED], tmp_path)
    assert run.failure() is None
    assert world.clock.slept == [5.0]


LOADING = Outcome(error=ErrorClass.OVERLOADED, is_loading=True)


def test_a_server_that_loads_is_waited_for(tmp_path: Path) -> None:
    """It is asked again with growing waits for as long as there is time, whatever the budget of calls, and never pressed."""
    world, run, _ = _simple([LOADING] * 12, tmp_path, retries=1)
    assert run.failure() is None
    assert len(world.calls) == 13
    assert world.clock.slept[0] >= BACKOFF_BASE_S / 2
    assert max(world.clock.slept) <= 5.0
    assert world.clock.slept[-1] >= 2.5


def test_a_server_that_loads_for_ever_ends_with_the_time(tmp_path: Path) -> None:
    """The time limit holds, a named wait too, and a profile without retries asks once."""
    world, run, _ = _simple([replace(LOADING, retry_after_s=8.0)] * 99, tmp_path)
    assert run.failure() is not None
    assert len(world.calls) == 8
    world, run, _ = _simple([LOADING] * 9, tmp_path, retries=0, folder=tmp_path / "other")
    assert (len(world.calls), run.failure() is None) == (1, False)


def test_a_server_that_loads_does_not_cool_down(tmp_path: Path) -> None:
    """However often it says so, its health is untouched."""
    _, run, _ = _simple([LOADING] * 30, tmp_path, retries=1)
    assert all(attempt.is_loading for attempt in run.answer().attempts[:-1])
    state = SqliteState(tmp_path / "data")
    assert state.troubled().value == {}


def test_a_limit_crossed_in_silence_is_not_set_again(tmp_path: Path) -> None:
    """A target that was silent for too long is asked again with no limit but the request's own."""
    world, run, _ = _simple([Outcome(error=ErrorClass.STALLED, takes_s=20.0)], tmp_path)
    assert run.failure() is None
    assert [limits.first_token_s for limits in world.limits] == [30.0, None]


def test_another_candidate_goes_before_a_wait(tmp_path: Path) -> None:
    """With a second candidate nobody waits."""
    world, _, _ = _simple([RATE_LIMITED], tmp_path, candidates=2)
    assert [name for name, _ in world.calls] == ["m0", "m1"]
    assert world.clock.slept == []


def test_a_wait_beyond_the_time_limit_is_not_begun(tmp_path: Path) -> None:
    """A provider that asks for more time than there is ends the request at once."""
    world, run, _ = _simple([replace(RATE_LIMITED, retry_after_s=TIMEOUT_S + 1)], tmp_path)
    assert len(world.calls) == 1
    assert world.clock.slept == []
    assert run.failure() is not None


def test_back_off_grows_with_equal_jitter() -> None:
    """Without a named wait the bound doubles up to its cap, and the draw is anywhere in its upper half."""
    from deepsel.engine.retry import BACKOFF_CAP_S, backoff_s

    rng = random.Random(1)
    for calls in range(1, 12):
        draws = [backoff_s(calls, rng) for _ in range(200)]
        bound = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** (calls - 1))
        assert bound * 0.5 <= min(draws) < bound * 0.55
        assert bound * 0.95 < max(draws) <= bound
    assert backoff_s(10_000, rng) <= BACKOFF_CAP_S


def test_a_bad_key_ends_every_model_of_its_provider(tmp_path: Path) -> None:
    """After a 401 no other model is asked with the same key."""
    from deepsel.engine.limiter import Limiter
    from deepsel.engine.retry import Budget, Target, next_call, note_failure
    from deepsel.routing.candidates import Choice

    def target(name: str) -> Target:
        choice = Choice(name, "host", 1, 0.0, {}, None, (), 10)
        host = Provider(name="host", wire="openai-chat", base_url="http://127.0.0.1:1")
        return Target(choice, Model(name=name, provider="host", id=name), host)

    one, two = target("one"), target("two")
    failure = AttemptFailed(ErrorClass.AUTH, "no", http_status=401)
    note_failure(one, [one, two], failure, limiter=Limiter(), now=0.0, rng=random.Random(0))
    assert next_call([one, two], Budget(5, 100.0), limiter=Limiter(), now=0.0) is None


def test_an_overflow_goes_only_to_a_larger_window(tmp_path: Path) -> None:
    """After a context overflow candidates whose window is no larger are left out."""
    overflow = Outcome(error=ErrorClass.CONTEXT_OVERFLOW)
    world, _, _ = _simple([overflow, overflow], tmp_path, candidates=2)
    assert [name for name, _ in world.calls] == ["m0", "m1", "wide"]


def test_reasoning_that_used_everything_is_said(tmp_path: Path) -> None:
    """An empty answer at the limit is told as such, not as an empty success."""
    world, run, _ = _simple([Outcome(finish=Finish.LENGTH)] * 4, tmp_path)
    failure = run.failure()
    assert failure is not None
    assert failure.exit_code == 8
    assert run.answer().finish is Finish.LENGTH
    assert [name for name, _ in world.calls] == ["m0", "wide"]
