"""One request from the look at the cache to its end: what is on disk first, then a plan, the cache again, and calls."""

from __future__ import annotations

from collections.abc import Callable, Generator
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel.ending import shielded
from deepsel.engine.ask import Ask
from deepsel.engine.encoded import Encodings
from deepsel.engine.hit import NextTime, answer_of, observation_of, sold_between
from deepsel.engine.lookup import Lookup, not_cached
from deepsel.engine.resources import Resources
from deepsel.health.refusals import Rows
from deepsel.values import Answer, CacheUse, Finish, Notice, Provider, ReasoningDelta, TextDelta, Usage

if TYPE_CHECKING:
    from deepsel.cache import CachedAnswer
    from deepsel.config import Settings
    from deepsel.engine.calls import Calls
    from deepsel.engine.events import EngineEvent
    from deepsel.engine.prepare import Prepared
    from deepsel.errors import DeepselError
    from deepsel.health.log import Observation


class Run:
    """One request on its way. Iterate `events()` once; `answer()` is the record so far, at any time."""

    def __init__(self, ask: Ask, resources: Resources, *, is_shown: bool) -> None:
        """Make a run; `is_shown` says that a reader sees text as it comes, so that it can never be taken back.

        Raises ConfigError for a candidate nobody knows.
        """
        self._ask = ask
        self._resources = resources
        self._is_shown = is_shown
        self._started_s = resources.clock.monotonic()
        self._began_at = resources.clock.now()
        self._rows = Rows(resources.settings, ask.profile.all_models, resources.state, self._began_at)
        self._candidates = [self._rows[name] for name in ask.profile.models]
        encodings = Encodings(ask.request, (provider.name for _, provider in self._candidates))
        self._lookup = Lookup(ask, resources, encodings)
        self._prepared: Prepared | None = None
        self._calls: Calls | None = None
        self._late_notices: list[Notice] = []
        """Come up when the observation was written."""
        self._is_settled = False
        self.on_wait: Callable[[], None] | None = None
        """Called before each wait for more of an answer, and once a second in it; may raise Abandoned, and nothing else."""

    def events(self) -> Generator[EngineEvent, None, None]:
        """Yield what happens, as it happens; afterwards `failure()` and `answer()` are final.

        Raises ConfigError, OverBudgetError or NoRouteError where nobody can or may be asked.
        """
        try:
            if not self._lookup.before_planning(self._candidates):
                yield from self._plan_and_ask()
            hit = self._lookup.hit
            if hit is None:
                return
            if hit.reasoning:
                yield ReasoningDelta(hit.reasoning)
            yield TextDelta(hit.text)
        finally:
            self.settle()

    def settle(self) -> None:
        """Leave what happened in the log and the budgets, however it ended; done once, by whoever comes first."""
        with shielded():
            if self._is_settled:
                return
            self._is_settled = True
            if self._lookup.hit is not None:
                seen = self._hit_observation(self.answer(), self._lookup.hit)
                self._late_notices += self._resources.state.add([seen])
            elif self._calls is not None:
                self._late_notices += self._calls.report(self.answer())

    def answer(self) -> Answer:
        """Return the record as it stands."""
        return self._marked(self._record(self._resources.clock.monotonic() - self._started_s))

    def _marked(self, answer: Answer) -> Answer:
        """Say whether a model was asked."""
        return answer._replace(is_simulated=any(one.is_simulated for one in self.providers if one.name == answer.provider))

    def _record(self, total_s: float) -> Answer:
        """Build the record as it stands."""
        if self._lookup.hit is not None:
            return self._hit_answer(self._lookup.hit, self._lookup.use, total_s=total_s, warnings=tuple(self._notices()))
        if self._calls is None:
            return self._nothing_yet(total_s)
        answer = self._calls.record.answer(total_s=total_s, cache=self._lookup.use)
        return answer._replace(warnings=tuple(dict.fromkeys((*answer.warnings, *self._notices()))))

    @property
    def prepared(self) -> Prepared | None:
        """The plan; None where none was made, or has to be."""
        return self._prepared

    def input_tokens(self, model: str) -> int:
        """Return the tokens of the prompt as counted for a model; 0 where nobody had to count them."""
        count = self._prepared.counts.get(model) if self._prepared is not None else None
        return count.tokens if count is not None else 0

    def failure(self) -> DeepselError | None:
        """Say why there is no whole answer; None where there is one."""
        if self._lookup.hit is not None or self._calls is None or self._prepared is None:
            return None
        if self._ask.cache_mode == "only":
            return not_cached(choice.model for choice in self._prepared.plan.choices)
        return self._calls.record.failure()

    def next_time(self) -> NextTime | None:
        """Say what the next identical request will get; None where that is no hit on disk, or comes with a warning."""
        key = self._lookup.use.key
        if self._lookup.use.status not in ("hit", "stored") or key is None or self.answer().warnings:
            return None
        found = self._resources.cache.on_disk(key)
        if found is None:
            return None
        hit, written_at = found
        answer = self._marked(self._hit_answer(hit, CacheUse("hit", "disk", key), total_s=0.0))
        seen = self._hit_observation(answer, hit)
        served = self._resources.cache.served_between(hit)
        sold = sold_between((model for model, _ in self._candidates), self._began_at)
        return NextTime(answer, seen, written_at, begins_at=max(served[0], sold[0]), ends_at=min(served[1], sold[1]))

    @property
    def settings(self) -> Settings:
        """What the user wishes."""
        return self._resources.settings

    @property
    def providers(self) -> list[Provider]:
        """The candidates' providers."""
        return [provider for _, provider in self._candidates]

    # --- the steps ---------------------------------------------------------------------------------------------------

    def _plan_and_ask(self) -> Generator[EngineEvent, None, None]:
        """Plan; then look the candidates up, best first; then ask."""
        from deepsel.engine.calls import Calls
        from deepsel.engine.prepare import ensure_route, prepare

        ask, resources = self._ask, self._resources
        settings = resources.settings
        prepared = prepare(ask, self._rows, env=resources.env, at=resources.clock.now(), state=resources.state)
        self._prepared = prepared
        if not prepared.look_up or ask.cache_mode in ("off", "refresh"):
            ensure_route(prepared, settings)
        self._calls = Calls(prepared, resources, self._lookup, is_shown=self._is_shown, started_s=self._started_s)
        self._calls.on_wait = self.on_wait
        self._lookup.everywhere(prepared)
        if self._lookup.hit is None:
            ensure_route(prepared, settings)
        if self._lookup.hit is None and ask.cache_mode != "only":
            yield from self._ask_in_turn(prepared, self._calls)

    def _ask_in_turn(self, prepared: Prepared, calls: Calls) -> Generator[EngineEvent, None, None]:
        """Ask, unless an identical request that is under way, in any process, brings the answer first."""
        lookup = self._lookup
        if lookup.use.key is None or self._ask.cache_mode == "refresh":
            yield from calls.events()
            return
        try:
            is_in_time = lookup.take_turn(prepared, started_s=self._started_s)
            lookup.everywhere(prepared)  # another one may have stored it since the first look
            if lookup.hit is None and is_in_time:
                yield from calls.events()
            elif lookup.hit is None:
                calls.record.held_back = "others ask the same, and none of them has had an answer"
        finally:
            lookup.give_turn_back()

    # --- the record --------------------------------------------------------------------------------------------------

    def _notices(self) -> list[Notice]:
        """List what there is to say besides the calls."""
        planned = self._prepared.notices if self._prepared is not None and self._lookup.hit is not None else ()
        return [*planned, *self._lookup.notices, *self._late_notices]

    def _hit_answer(
        self, hit: CachedAnswer, use: CacheUse, *, total_s: float, warnings: tuple[Notice, ...] = ()
    ) -> Answer:
        """Build the record of an answer from the cache."""
        task, difficulty = self._judged(hit.task)
        return answer_of(
            hit, use, profile=self._ask.profile.name, task=task, difficulty=difficulty, total_s=total_s, warnings=warnings
        )

    def _hit_observation(self, answer: Answer, hit: CachedAnswer) -> Observation:
        """Make what the log keeps of a hit."""
        hosts = {provider.name: provider for provider in self.providers}
        seen = observation_of(answer, hit, hosts.get(answer.provider), at=self._resources.clock.now())
        return seen._replace(client=self._ask.profile.client)

    def _judged(self, answered_task: str | None = None) -> tuple[str, float | None]:
        """Return task and difficulty: the plan's, else what they would be, as far as somebody reads them.

        An answer from the cache knows the task it was made for (`answered_task`), and the same body has the same one.
        """
        if self._prepared is not None:
            return self._prepared.task, self._prepared.difficulty
        ask = self._ask
        difficulty = ask.difficulty
        if difficulty is None and ask.needs_difficulty:
            from deepsel.routing.difficulty import score

            difficulty = score(ask.instruction)
        task = ask.task or answered_task
        if task is None:
            from deepsel.routing.task import detect

            task = detect(ask.instruction).task
        return task, difficulty

    def _nothing_yet(self, total_s: float) -> Answer:
        """Build the record of a run that was ended before anybody was asked."""
        model, provider = self._candidates[0]
        task, difficulty = self._judged()
        return Answer(
            text="", reasoning="", model=model.name, answered_model=None, provider=provider.name,
            profile=self._ask.profile.name, task=task, difficulty=difficulty, finish=Finish.INCOMPLETE, usage=Usage(),
            cost_usd=Decimal(0), price_rule=None, ttft_s=None, total_s=total_s, cache=self._lookup.use, attempts=(),
        )  # fmt: skip
