"""Carries one prepared request out: the cache first, then calls within one budget; what happened is kept in `record`."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from deepsel.cache import Account, Cache
from deepsel.clock import Clock
from deepsel.engine import retry
from deepsel.engine.attempt import Draft, judge
from deepsel.engine.budget import Purse
from deepsel.engine.events import AttemptEnded, AttemptStarted, EngineEvent, Waiting
from deepsel.engine.flight import Flight
from deepsel.engine.gates import Gates, Slots
from deepsel.engine.hit import NextTime, observation_of
from deepsel.engine.lookup import Place, find_place, may_read, may_store, not_cached
from deepsel.engine.observe import Lookout
from deepsel.engine.prepare import Prepared
from deepsel.engine.record import Record, to_keep
from deepsel.engine.wholeness import stops_in_sentence
from deepsel.errors import AttemptFailed, ConfigError, DeepselError, ErrorClass
from deepsel.health.cooldowns import Endpoint
from deepsel.health.log import ObservationLog
from deepsel.providers.calls import ResponseFacts, Timeouts, sends_key_in_clear
from deepsel.providers.complete import stream_answer
from deepsel.secret import Secret
from deepsel.values import (
    Answer,
    Attempt,
    CacheUse,
    Finish,
    Provider,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    WireEvent,
)

if TYPE_CHECKING:
    from deepsel.providers.transport import Transport


def _as_named(provider: Provider) -> Provider:
    return provider


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run needs from outside; one set serves every request of a process."""

    transport: Callable[[], Transport]
    """Gives the process's transport, made on first use."""
    cache: Cache
    log: ObservationLog
    clock: Clock
    rng: random.Random
    key_of: Callable[[Provider], Secret | None]
    """Raises ConfigError where the key is missing."""
    locate: Callable[[Provider], Provider] = _as_named
    """Gives the provider as it is really reached (the demo's simulator has no fixed port)."""
    gates: Gates = field(default_factory=Gates)
    slots: Slots = field(default_factory=Slots)
    ask: Callable[..., Iterator[WireEvent]] = stream_answer
    """Makes one call; takes what `stream_answer` takes."""


class Run:
    """One request on its way. Iterate `events()` once; `answer()` is the record so far, at any time."""

    def __init__(self, prepared: Prepared, tools: Tools, *, is_shown: bool) -> None:
        """Make a run; `is_shown` says that a reader sees text as it comes, so that it can never be taken back."""
        self._prepared = prepared
        self._tools = tools
        self._is_shown = is_shown
        self._started_s = tools.clock.monotonic()
        self._record = Record(prepared, notices=list(prepared.notices))
        self._purse = Purse(prepared.profile, tools.log, tools.clock)
        self._lookout = Lookout(prepared, tools.log, tools.gates, tools.clock)

    def answer(self) -> Answer:
        """Return the record as it stands."""
        return self._record.answer(total_s=self._tools.clock.monotonic() - self._started_s)

    def failure(self) -> DeepselError | None:
        """Say why there is no whole answer; None where there is one."""
        if self._prepared.cache_mode == "only" and self._record.hit is None:
            return not_cached(choice.model for choice in self._prepared.plan.choices)
        return self._record.failure()

    def next_time(self) -> NextTime | None:
        """Say what the next identical request will get; None where that is no hit on disk, or comes with a warning."""
        record, key = self._record, self._record.cache_use.key
        if record.cache_use.status not in ("hit", "stored") or key is None or record.notices:
            return None
        found = self._tools.cache.on_disk(key)
        if found is None:
            return None
        hit, written_at = found
        answer = Record(self._prepared, hit=hit, cache_use=CacheUse("hit", "disk", key)).answer(total_s=0.0)
        seen = observation_of(answer, hit, self._prepared.providers.get(answer.provider), at=self._tools.clock.now())
        return NextTime(answer, seen, hit, written_at)

    @property
    def unplanned(self) -> Prepared | None:
        """Return what nobody could be asked with, where the cache had no answer either; None otherwise."""
        return None if self.failure() is None or self._prepared.plan.choices else self._prepared

    @property
    def providers(self) -> list[Provider]:
        """The candidates' providers."""
        return list(self._prepared.providers.values())

    def events(self) -> Generator[EngineEvent, None, None]:
        """Yield what happens, as it happens; afterwards `failure()` and `answer()` are final."""
        try:
            self._look_up()
            may_ask = bool(self._prepared.plan.choices) and self._prepared.cache_mode != "only"
            if self._record.hit is None and may_ask:
                yield from self._ask_in_turn()
            hit = self._record.hit
            if hit is None:
                return
            if hit.reasoning:
                yield ReasoningDelta(hit.reasoning)
            yield TextDelta(hit.text)
        finally:
            self._observe()

    def _observe(self) -> None:
        """Leave what happened in the log, however it ended."""
        self._lookout.report(self.answer(), self._purse, hit=self._record.hit)
        self._record.notices += self._tools.log.notices()

    # --- cache -------------------------------------------------------------------------------------------------------

    def _place(self, name: str) -> Place:
        """Find a model's place in the cache for this request."""
        prepared = self._prepared
        model = prepared.models[name]
        return find_place(prepared.request, model, prepared.providers[model.provider], prepared.max_tokens[name])

    def _account(self, name: str) -> Account:
        """Say how to find the key that pays for a model's answers."""
        prepared = self._prepared
        return partial(self._tools.key_of, prepared.providers[prepared.models[name].provider])

    def _ask_in_turn(self) -> Iterator[EngineEvent]:
        """Ask, unless an identical request that is under way, in any process, brings the answer first."""
        record, prepared, tools = self._record, self._prepared, self._tools
        key, flight = record.cache_use.key, Flight(tools.clock, deadline=self._started_s + prepared.profile.timeout_s / 2)
        if key is None or prepared.cache_mode == "refresh" or not prepared.plan.choices:
            yield from self._ask()
            return
        try:
            flight.board(tools.cache.turns(key, self._account(prepared.plan.choices[0].model)))
            self._look_up()  # another one may have stored it since the first look
            if record.hit is None:
                yield from self._ask()
        finally:
            flight.land(is_kept=record.cache_use.status in ("hit", "stored"))

    def _look_up(self) -> None:
        """Search the cache for each candidate, best first."""
        mode, record = self._prepared.cache_mode, self._record
        if mode == "off":
            return
        for name in self._prepared.look_up:
            place = self._place(name)
            if record.cache_use.key is None and (may_read(mode, place) or may_store(mode, place)):
                record.cache_use = CacheUse("miss", None, place.key)
            found = self._tools.cache.get(place.key, self._account(name)) if may_read(mode, place) else None
            if found is not None:
                record.hit, tier = found
                record.cache_use = CacheUse("hit", tier, place.key)
                break
        record.notices += self._tools.cache.notices()

    def _store(self, draft: Draft) -> None:
        """Keep a whole answer under the model that gave it, where it may be kept."""
        prepared, record = self._prepared, self._record
        if prepared.cache_mode == "off" or draft.finish is not Finish.COMPLETE:
            return
        place = find_place(prepared.request, draft.model, draft.provider, draft.max_tokens)
        if not may_store(prepared.cache_mode, place):
            return
        if stops_in_sentence(draft.text):
            record.warn("possibly_cut", "the answer ends within a sentence; it was not stored")
            return
        assert record.settlement is not None
        kept = to_keep(draft, record.settlement, place, prepared)
        stored = self._tools.cache.put(place.key, kept, account=self._account(draft.model.name))
        record.cache_use = CacheUse("stored" if stored else "miss", None, place.key)
        record.notices += self._tools.cache.notices()

    # --- calls -------------------------------------------------------------------------------------------------------

    def _ask(self) -> Iterator[EngineEvent]:
        """Call targets until one answers whole, the budget is used up, or text was shown that cannot be taken back."""
        prepared, clock, gates = self._prepared, self._tools.clock, self._tools.gates
        targets = [
            *(retry.Target(one, prepared.models[one.model], prepared.worst_usd[one.model]) for one in prepared.plan.choices),
            *(
                retry.Target(one, prepared.models[one.model], prepared.reserve_worst_usd[one.model], is_reserve=True)
                for one in prepared.reserves
            ),
        ]
        budget = retry.Budget(1 + prepared.profile.retries, self._started_s + prepared.profile.timeout_s)
        waited_s = 0.0
        self._record.held_back = self._lookout.learn()
        while following := retry.next_call(targets, budget, gates=gates, now=clock.monotonic()):
            target = following.target
            if not self._can_afford(target):
                continue
            if following.wait_s > 0:
                yield Waiting(following.wait_s, target.model.name, self._why_waiting())
                clock.sleep(following.wait_s)
                waited_s += following.wait_s
                self._lookout.learn()
                continue  # another request may have been told to stay away for longer meanwhile
            provider = prepared.providers[target.model.provider]
            left_s = budget.deadline - clock.monotonic()
            with self._tools.slots.taken(provider.name, provider.max_concurrency, timeout_s=left_s) as is_taken:
                if not is_taken:
                    return
                if gates.opens_at(target.key) > clock.monotonic() or not self._may_send(target, targets):
                    continue
                budget.calls_left -= 1
                target.calls += 1
                failure = yield from self._call(target, waited_s, budget.deadline)
                waited_s = 0.0
                if failure is None or self._is_final(failure):
                    return
                self._lookout.share_wait(Endpoint(*target.key), failure.retry_after_s)
                retry.note_failure(target, targets, failure, gates=gates, now=clock.monotonic(), rng=self._tools.rng)

    def _why_waiting(self) -> str:
        """Say what the wait is for."""
        failures = self._record.failures
        return failures[-1].message if failures else "the provider asked for a pause"

    def _is_final(self, failure: AttemptFailed) -> bool:
        """Tell whether nothing may follow: a reader has seen text, or the content was refused."""
        has_shown = self._is_shown and self._record.draft is not None and self._record.draft.text != ""
        is_stopped = failure.error_class is ErrorClass.CONTENT_POLICY
        return has_shown or (is_stopped and not self._prepared.profile.content_policy_fallback)

    def _can_afford(self, target: retry.Target) -> bool:
        """Check the cost cap against what is spent and the longest answer; what does not fit is skipped and recorded."""
        profile, spent = self._prepared.profile, self._record.spent_usd
        cap = profile.max_cost_usd
        worst = target.worst_usd
        if cap is None or (spent is not None and worst is not None and spent + worst <= cap):
            return True
        if profile.unknown_price == "allow" and (spent is None or worst is None):
            return True
        target.is_spent = True
        self._record.skip(target.model.provider, target.model.name, f"would take the request over its cap of ${cap}")
        return False

    def _may_send(self, target: retry.Target, targets: list[retry.Target]) -> bool:
        """Take what is shared with all processes right before a call: the probe, the budget, the rate limit's next turn."""
        endpoint = Endpoint(*target.key)
        has_others = any(other is not target and not other.is_spent and not other.is_reserve for other in targets)
        if not self._lookout.may_call(endpoint, has_others=has_others):
            target.is_spent = True
            return False
        refusal = self._purse.take(target.worst_usd)
        if refusal:
            target.is_spent = True
            self._record.skip(endpoint.provider, endpoint.model, refusal)
            return False
        return self._lookout.take_turn(endpoint)

    def _call(
        self, target: retry.Target, wait_s: float, deadline: float
    ) -> Generator[EngineEvent, None, AttemptFailed | None]:
        """Make one call and record it; return its failure, None where the answer is whole."""
        clock, prepared, record, model = self._tools.clock, self._prepared, self._record, target.model
        provider = prepared.providers[model.provider]
        yield AttemptStarted(provider.name, model.name, len(record.failures) + 1)
        draft = Draft(model, provider, target.choice.max_tokens, clock.now(), clock.monotonic())
        draft.service_tier = prepared.service_tier
        record.draft = draft
        failure: AttemptFailed | None = None
        try:
            for event in self._stream(draft, deadline):
                draft.take(event, clock.monotonic())
                if isinstance(event, (TextDelta, ReasoningDelta, ToolCallDelta)):
                    yield event
            draft.join()
            judge(draft, prepared.request.schema)
        except AttemptFailed as error:
            draft.join()
            failure = error
        except (GeneratorExit, KeyboardInterrupt):
            draft.join()
            self._close(draft, AttemptFailed(ErrorClass.STREAM_CUT, "interrupted"), wait_s)
            raise
        attempt = self._close(draft, failure, wait_s)
        if failure is None:
            self._store(draft)
        yield AttemptEnded(attempt)
        return failure

    def _close(self, draft: Draft, failure: AttemptFailed | None, wait_s: float) -> Attempt:
        """Record a call that is over, and settle its part of the budget."""
        attempt = self._record.close(draft, failure, wait_s=wait_s, now_s=self._tools.clock.monotonic())
        self._purse.settle(attempt.cost_usd)
        return attempt

    def _stream(self, draft: Draft, deadline: float) -> Iterator[WireEvent]:
        """Open the call and yield what its wire says."""
        try:
            key = self._tools.key_of(draft.provider)
        except ConfigError as error:
            raise AttemptFailed(ErrorClass.AUTH, error.message, hint=error.hint) from error
        if sends_key_in_clear(draft.provider.base_url, key):
            self._record.warn("key_in_clear", f"the key for {draft.provider.name} travels unencrypted; use https")
        limit_s = self._prepared.profile.first_token_timeout_s
        timeouts = Timeouts(deadline=deadline, first_token_s=limit_s, progress_s=limit_s)
        return self._tools.ask(
            self._tools.transport(),
            self._prepared.request,
            draft.model,
            self._tools.locate(draft.provider),
            key,
            max_tokens=draft.max_tokens,
            timeouts=timeouts,
            clock=self._tools.clock,
            on_response=lambda facts: self._take_facts(draft, facts),
        )

    def _take_facts(self, draft: Draft, facts: ResponseFacts) -> None:
        """Note what a response's head says of the gateway and of the limits."""
        draft.gateway = facts.gateway
        self._lookout.heed(Endpoint(draft.model.provider, draft.model.name), facts)
