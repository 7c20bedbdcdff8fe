"""Asks the models of a plan within one budget of calls and one time limit, until one answers whole; what happened is in `record`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel.ending import Abandoned, shielded
from deepsel.engine import retry
from deepsel.engine.attempt import Draft, billed_usd, judge
from deepsel.engine.checks.time_left import TimeLeft
from deepsel.engine.coordinator import Coordinator
from deepsel.engine.events import AttemptEnded, AttemptStarted, EngineEvent, Waiting
from deepsel.engine.lookup import Lookup
from deepsel.engine.prepare import Prepared
from deepsel.engine.record import Record
from deepsel.engine.resources import Resources
from deepsel.engine.spending import Spending
from deepsel.errors import AttemptFailed, ConfigError, ErrorClass
from deepsel.health.endpoint import Endpoint
from deepsel.providers.calls import Outgoing, ResponseFacts, Timeouts, sends_key_in_clear
from deepsel.routing.lengths import fit_max_tokens
from deepsel.values import Answer, Attempt, Notice, Passed, ReasoningDelta, TextDelta, ToolCallDelta, WireEvent
from deepsel.wires.bodies import asked_members
from deepsel.wires.schema_forms import is_wrapped, unwrapped
from deepsel.wires.table import wire_of

if TYPE_CHECKING:
    from deepsel.wires.taking_back import TakenBack

_LEAST_JUDGING_S, _MOST_JUDGING_S = 1.0, 10.0
"""For holding an answer against the user's schema, whatever is left of the request's time."""


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
        self.on_wait: Callable[[], None] | None = None
        """Called before each wait for more of an answer."""
        self._closed: Draft | None = None
        """The call that was recorded last."""
        self._spending = Spending(
            prepared.profile, resources.state, resources.clock, cap_usd=prepared.profile.max_cost_usd
        )
        self._taken_back: dict[Endpoint, list[TakenBack]] = {}
        self._coordinator = Coordinator(prepared, resources.state, resources.limiter, resources.clock)

    def events(self) -> Iterator[EngineEvent]:
        """Call targets until one answers whole, the budget is used up, or text was shown that cannot be taken back."""
        prepared, clock, limiter = self._prepared, self._resources.clock, self._resources.limiter
        targets = _targets(prepared)
        budget = retry.Budget(1 + prepared.profile.retries, self._started_s + prepared.profile.timeout_s)
        waited_s = 0.0
        self.record.held_back = self._coordinator.learn()
        while following := retry.next_call(targets, budget, limiter=limiter, now=clock.monotonic()):
            target = following.target
            if not self._can_afford(target):
                continue
            if following.wait_s > 0:
                self._spending.lower()
                yield Waiting(following.wait_s, target.model.name, self._why_waiting())
                clock.sleep(following.wait_s)
                waited_s += following.wait_s
                self._coordinator.learn()
                continue  # another request may have been told to stay away for longer meanwhile
            left_s = budget.deadline - clock.monotonic()
            with limiter.taken(target.provider, target=target.key, timeout_s=left_s) as is_taken:
                if not is_taken:
                    return
                if limiter.opens_at(target.key) > clock.monotonic() or not self._may_send(target, targets):
                    continue
                budget.calls_left -= 1
                target.calls += 1
                target.asks_again = False
                failure = yield from self._call(target, waited_s, budget.deadline)
                self._tell(target, failure)
                waited_s = 0.0
                if failure is None or self._is_final(failure):
                    return
                if (failure.is_loading and prepared.profile.retries) or self._is_forgiven(failure):
                    budget.calls_left += 1  # nothing was begun: it is asked again for as long as there is time
                if budget.calls_left > retry.has_unasked(targets) and self._takes_back(target, failure):
                    continue
                if failure.error_class is ErrorClass.AUTH:
                    self._resources.forget_key(target.provider)
                self._coordinator.share_wait(target.key, failure.retry_after_s)
                retry.note_failure(target, targets, failure, limiter=limiter, now=clock.monotonic(), rng=self._resources.rng)

    def _tell(self, target: retry.Target, failure: AttemptFailed | None) -> None:
        """Tell the limiter how a call ended, and how soon its first sign of life came."""
        draft = self.record.draft
        assert draft is not None
        first_sign_s = draft.ttft_s if draft.thought_s is None else draft.thought_s
        self._resources.limiter.heard(target.key, failure, started_s=draft.started_s, first_sign_s=first_sign_s)

    def _is_forgiven(self, failure: AttemptFailed) -> bool:
        """Tell whether a refusal only says that there were too many calls, by which a limit is found."""
        return failure.error_class is ErrorClass.RATE_LIMITED and self._resources.limiter.forgives

    def _takes_back(self, target: retry.Target, failure: AttemptFailed) -> bool:
        """Take back what the target's host has refused of what nobody asked for; tell whether it is to be asked again so."""
        from deepsel.wires.taking_back import Sent, changes_for, told

        model, max_tokens = target.model, target.choice.max_tokens
        sent = Sent(
            body=self._lookup.encodings.of(model, target.provider, max_tokens).body,
            model=model,
            provider=target.provider,
            max_tokens=max_tokens,
            length_fields=wire_of(target.provider.wire).LENGTH_FIELDS,
            params=asked_members(self._prepared.request),
            is_set=frozenset(self._prepared.profile.sources),
            is_fallback=target.provider.name != self._prepared.plan.choices[0].provider,
        )
        changes = [one for one in changes_for(failure, sent) if f"{one.name} {one.value}" not in target.changed]
        if not changes:
            return False
        target.take_back(changes)
        if not self._fits(target):  # the next plan would refuse the model altogether, where this host may still answer
            changes = [one._replace(lasts=one.lasts and one.max_tokens is None) for one in changes]
        self._lookup.encodings.again(model, without=[one.value for one in changes if one.name == "param"])
        self._taken_back.setdefault(target.key, []).extend(changes)
        for change in changes:
            self.record.warn("taken_back", told(change, model))
        return True

    def _fits(self, target: retry.Target) -> bool:
        """Bound the answer as the next plan will, which knows by then what the host has said of its size: their key is the same.

        False where such a plan would find no room.
        """
        request, count = self._prepared.request, self._prepared.counts[target.model.name]
        wanted = request.max_tokens or self._prepared.profile.max_tokens
        fitted = fit_max_tokens(target.model, count.in_window, wanted=wanted, input_is_exact=count.is_exact)
        if fitted is not None and fitted < target.choice.max_tokens:
            target.choice = target.choice._replace(max_tokens=fitted)
        return fitted is not None

    def report(self, answer: Answer) -> list[Notice]:
        """Leave what happened in the log, and settle the budget; returns what went wrong with it."""
        return self._coordinator.report(answer, self._spending)

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
        endpoint = target.key
        has_others = any(other is not target and not other.is_spent and not other.is_reserve for other in targets)
        if not self._coordinator.may_call(endpoint, has_others=has_others):
            target.is_spent = True
            return False
        refusal = "" if target.provider.is_simulated else self._spending.reserve(target.worst_usd)
        if refusal:
            target.is_spent = True
            self.record.skip(endpoint.provider, endpoint.model, refusal)
            return False
        is_its_turn = self._coordinator.take_turn(endpoint)
        if not is_its_turn:
            self._spending.settle(Decimal(0))  # the call is not made, and must not count as one that was broken off
        return is_its_turn

    def _call(
        self, target: retry.Target, wait_s: float, deadline: float
    ) -> Generator[EngineEvent, None, AttemptFailed | None]:
        """Make one call and record it; return its failure, None where the answer is whole."""
        clock, prepared, record, model = self._resources.clock, self._prepared, self.record, target.model
        for name in sorted(self._lookup.encodings.foreign(target.provider)):
            record.warn("parameter_withheld", f"`{name}` belongs to another provider; {model.name} is not sent it")
        yield AttemptStarted(target.provider.name, model.name, len(record.failures) + 1)
        known = self._resources.settings.catalog
        draft = Draft(model, target.provider, target.choice.max_tokens, clock.now(), clock.monotonic(), known)
        draft.service_tier, draft.has_media = prepared.service_tier, bool(prepared.request.media)
        draft.answers = prepared.request.answers
        record.draft = draft
        failure: AttemptFailed | None = None
        try:
            try:
                for event in self._stream(draft, deadline, has_stalled=target.has_stalled):
                    draft.take(event, clock.monotonic())
                    if isinstance(event, (TextDelta, ReasoningDelta, ToolCallDelta, Passed)):
                        yield event
                self._join(draft)
                self._unwrap(draft)
                judge(draft, prepared.request.schema, self._judging(deadline))
            except AttemptFailed as error:
                self._join(draft)
                failure = error
            except ConfigError as error:  # of this provider alone: another one may well be asked
                failure = AttemptFailed(ErrorClass.AUTH, error.message, hint=error.hint)
            attempt = self._close(draft, failure, wait_s)
        except (GeneratorExit, KeyboardInterrupt, Abandoned):
            self._join(draft)
            if self._closed is not draft:
                self._close(draft, AttemptFailed(ErrorClass.STREAM_CUT, "ended by the user"), wait_s, is_cancelled=True)
            raise
        if failure is None:
            if draft.has_parted and self._is_shown:
                record.warn("thinking_shown", "what came before the closing tag of thinking is reasoning, not the answer")
            self._keep(draft)
            self._coordinator.remember(target.key, self._taken_back.get(target.key, ()))
        yield AttemptEnded(attempt)
        return failure

    def _judging(self, deadline: float) -> TimeLeft:
        """Give a judgement the rest of the request's time, a little in any case, and no more than anybody would wait for."""
        clock = self._resources.clock
        return TimeLeft.of(min(max(deadline - clock.monotonic(), _LEAST_JUDGING_S), _MOST_JUDGING_S), clock)

    def _unwrap(self, draft: Draft) -> None:
        """Take off what was put around the form of the answer, where the user's schema has no object at its root."""
        schema = self._prepared.request.schema
        if schema is not None and "json_schema" in draft.model.features and is_wrapped(schema):
            draft.text = unwrapped(draft.text)

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

    def _stream(self, draft: Draft, deadline: float, *, has_stalled: bool) -> Iterator[WireEvent]:
        """Open the call and yield what its wire says; `has_stalled`: the target was silent for longer than it may be before."""
        resources = self._resources
        key = resources.key_of(draft.provider, deadline - resources.clock.monotonic())
        if sends_key_in_clear(draft.provider.base_url, key):
            self.record.warn("key_in_clear", f"the key for {draft.provider.name} travels unencrypted; use https")
        encoded = self._lookup.encodings.of(draft.model, draft.provider, draft.max_tokens)
        body, request = encoded.body, self._prepared.request
        limit_s: float | None = self._prepared.profile.first_token_limit_s
        may_think = wire_of(draft.provider.wire).may_think(body, draft.model)
        silence_s = None if may_think or has_stalled else limit_s
        timeouts = Timeouts(
            deadline=deadline, first_token_s=silence_s, progress_s=None if has_stalled else limit_s, idle_s=silence_s
        )
        outgoing = Outgoing(resources.locate(draft.provider), key, body, is_stream=request.stream, on_wait=self.on_wait)
        if encoded.is_passed_on and request.given is not None:
            outgoing = replace(outgoing, headers=request.given.headers, passes_on=True)
        return resources.stream(
            resources.transport(),
            outgoing,
            timeouts=timeouts,
            clock=resources.clock,
            on_response=lambda facts: self._take_facts(draft, facts),
        )

    def _take_facts(self, draft: Draft, facts: ResponseFacts) -> None:
        """Note what a response's head says of the gateway and of the limits."""
        draft.heed(facts.gateway, facts.sent_bytes)
        self._coordinator.heed(Endpoint(draft.model.provider, draft.model.name), facts)


def _targets(prepared: Prepared) -> list[retry.Target]:
    """Make a target of each choice of the plan, the reserves behind the candidates."""
    own, reserve = prepared.candidates, prepared.reserve_candidates
    return [
        *(retry.Target.of(choice, own[choice.model]) for choice in prepared.plan.choices),
        *(retry.Target.of(choice, reserve[choice.model], is_reserve=True) for choice in prepared.reserves),
    ]
