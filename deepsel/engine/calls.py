"""Asks the models of a plan within one budget of calls and one time limit, until one answers whole; what happened is in `record`."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from deepsel.ending import shielded
from deepsel.engine import retry
from deepsel.engine.attempt import Draft, billed_usd, judge
from deepsel.engine.events import AttemptEnded, AttemptStarted, EngineEvent, Waiting
from deepsel.engine.lookup import Lookup
from deepsel.engine.observe import Lookout
from deepsel.engine.prepare import Prepared
from deepsel.engine.record import Record
from deepsel.engine.resources import Resources
from deepsel.engine.spending import Spending
from deepsel.errors import AttemptFailed, ConfigError, ErrorClass
from deepsel.health.cooldowns import Endpoint
from deepsel.providers.calls import ResponseFacts, Timeouts, sends_key_in_clear
from deepsel.values import Answer, Attempt, Notice, ReasoningDelta, TextDelta, ToolCallDelta, WireEvent


class Calls:
    """The calls of one request. Iterate `events()` once."""

    def __init__(self, prepared: Prepared, resources: Resources, lookup: Lookup, *, is_shown: bool, started_s: float) -> None:
        """Get ready; `started_s` is the request's beginning on the monotonic clock, from which its time limit counts."""
        self.record = Record(prepared, notices=list(prepared.notices))
        self._prepared = prepared
        self._resources = resources
        self._lookup = lookup
        self._is_shown = is_shown
        self._started_s = started_s
        self._closed: Draft | None = None
        """The call that was recorded last."""
        self._spending = Spending(
            prepared.profile, resources.state, resources.clock, cap_usd=prepared.profile.max_cost_usd
        )
        self._lookout = Lookout(prepared, resources.state, resources.gates, resources.clock)

    def events(self) -> Iterator[EngineEvent]:
        """Call targets until one answers whole, the budget is used up, or text was shown that cannot be taken back."""
        prepared, clock, gates = self._prepared, self._resources.clock, self._resources.gates
        targets = _targets(prepared)
        budget = retry.Budget(1 + prepared.profile.retries, self._started_s + prepared.profile.timeout_s)
        waited_s = 0.0
        self.record.held_back = self._lookout.learn()
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
            left_s = budget.deadline - clock.monotonic()
            provider = target.provider
            with self._resources.slots.taken(provider.name, provider.max_concurrency, timeout_s=left_s) as is_taken:
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
                retry.note_failure(target, targets, failure, gates=gates, now=clock.monotonic(), rng=self._resources.rng)

    def report(self, answer: Answer) -> list[Notice]:
        """Leave what happened in the log, and settle the budget; returns what went wrong with it."""
        return self._lookout.report(answer, self._spending)

    def _why_waiting(self) -> str:
        """Say what the wait is for."""
        failures = self.record.failures
        return failures[-1].message if failures else "the provider asked for a pause"

    def _is_final(self, failure: AttemptFailed) -> bool:
        """Tell whether nothing may follow: a reader has seen text, or the content was refused."""
        has_shown = self._is_shown and self.record.draft is not None and self.record.draft.text != ""
        is_stopped = failure.error_class is ErrorClass.CONTENT_POLICY
        return has_shown or (is_stopped and not self._prepared.profile.content_policy_fallback)

    def _can_afford(self, target: retry.Target) -> bool:
        """Check the cost cap; what would break it is skipped and recorded."""
        refusal = self._spending.over_cap(target.worst_usd)
        if refusal:
            target.is_spent = True
            self.record.skip(target.provider.name, target.model.name, refusal)
        return not refusal

    def _may_send(self, target: retry.Target, targets: list[retry.Target]) -> bool:
        """Take what is shared with all processes right before a call: the probe, the budget, the rate limit's next turn."""
        endpoint = Endpoint(*target.key)
        has_others = any(other is not target and not other.is_spent and not other.is_reserve for other in targets)
        if not self._lookout.may_call(endpoint, has_others=has_others):
            target.is_spent = True
            return False
        refusal = "" if target.provider.is_simulated else self._spending.reserve(target.worst_usd)
        if refusal:
            target.is_spent = True
            self.record.skip(endpoint.provider, endpoint.model, refusal)
            return False
        return self._lookout.take_turn(endpoint)

    def _call(
        self, target: retry.Target, wait_s: float, deadline: float
    ) -> Generator[EngineEvent, None, AttemptFailed | None]:
        """Make one call and record it; return its failure, None where the answer is whole."""
        clock, prepared, record, model = self._resources.clock, self._prepared, self.record, target.model
        yield AttemptStarted(target.provider.name, model.name, len(record.failures) + 1)
        known = self._resources.settings.catalog
        draft = Draft(model, target.provider, target.choice.max_tokens, clock.now(), clock.monotonic(), known)
        draft.service_tier = prepared.service_tier
        record.draft = draft
        failure: AttemptFailed | None = None
        try:
            try:
                for event in self._stream(draft, deadline):
                    draft.take(event, clock.monotonic())
                    if isinstance(event, (TextDelta, ReasoningDelta, ToolCallDelta)):
                        yield event
                self._join(draft)
                judge(draft, prepared.request.schema)
            except AttemptFailed as error:
                self._join(draft)
                failure = error
            except ConfigError as error:  # of this provider alone: another one may well be asked
                failure = AttemptFailed(ErrorClass.AUTH, error.message, hint=error.hint)
            attempt = self._close(draft, failure, wait_s)
        except (GeneratorExit, KeyboardInterrupt):
            self._join(draft)
            if self._closed is not draft:
                self._close(draft, AttemptFailed(ErrorClass.STREAM_CUT, "ended by the user"), wait_s, is_cancelled=True)
            raise
        if failure is None:
            self._keep(draft)
        yield AttemptEnded(attempt)
        return failure

    def _close(
        self, draft: Draft, failure: AttemptFailed | None, wait_s: float, *, is_cancelled: bool = False
    ) -> Attempt:
        """Record a call that is over, and settle its part of the budget, both or neither."""
        now_s = self._resources.clock.monotonic()
        with shielded():
            attempt = self.record.close(draft, failure, wait_s=wait_s, now_s=now_s, is_cancelled=is_cancelled)
            self._spending.settle(billed_usd(draft.provider, attempt.cost_usd))
            self._closed = draft
        return attempt

    def _join(self, draft: Draft) -> None:
        """Make the text whole, once."""
        with shielded():
            draft.join()

    def _keep(self, draft: Draft) -> None:
        """Hand a whole answer to the cache."""
        assert self.record.settlement is not None
        notice = self._lookup.keep(draft, self.record.settlement, self._prepared)
        if notice is not None:
            self.record.warn(notice.code, notice.message)

    def _stream(self, draft: Draft, deadline: float) -> Iterator[WireEvent]:
        """Open the call and yield what its wire says."""
        resources = self._resources
        key = resources.key_of(draft.provider)
        if sends_key_in_clear(draft.provider.base_url, key):
            self.record.warn("key_in_clear", f"the key for {draft.provider.name} travels unencrypted; use https")
        limit_s = self._prepared.profile.first_token_timeout_s
        timeouts = Timeouts(deadline=deadline, first_token_s=limit_s, progress_s=limit_s)
        return resources.stream(
            resources.transport(),
            self._lookup.encodings.of(draft.model, draft.provider, draft.max_tokens).body,
            resources.locate(draft.provider),
            key,
            is_stream=self._prepared.request.stream,
            timeouts=timeouts,
            clock=resources.clock,
            on_response=lambda facts: self._take_facts(draft, facts),
        )

    def _take_facts(self, draft: Draft, facts: ResponseFacts) -> None:
        """Note what a response's head says of the gateway and of the limits."""
        draft.gateway = facts.gateway
        self._lookout.heed(Endpoint(draft.model.provider, draft.model.name), facts)


def _targets(prepared: Prepared) -> list[retry.Target]:
    """Make a target of each choice of the plan, the reserves behind the candidates."""
    own, reserve = prepared.candidates, prepared.reserve_candidates
    return [
        *(retry.Target.of(choice, own[choice.model]) for choice in prepared.plan.choices),
        *(retry.Target.of(choice, reserve[choice.model], is_reserve=True) for choice in prepared.reserves),
    ]
