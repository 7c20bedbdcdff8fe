"""One request's dealings with what all processes know: waits and probes before a call, observations after it; no text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from deepsel.clock import Clock
from deepsel.engine.attempt import billed_usd
from deepsel.engine.hit import observed
from deepsel.engine.limiter import MAX_PAUSE_S, Limiter, pause_before_next_s
from deepsel.engine.prepare import Prepared, thresholds_of
from deepsel.engine.spending import Spending
from deepsel.health.cooldowns import Evidence, Judgement, is_trouble
from deepsel.health.endpoint import Endpoint
from deepsel.health.limits import LONGEST_S, Limit
from deepsel.health.log import Observation, sign_s
from deepsel.health.state import SharedState
from deepsel.providers.calls import ResponseFacts
from deepsel.storage.amounts import picousd
from deepsel.storage.told import Told
from deepsel.values import Answer, Attempt, Notice

if TYPE_CHECKING:
    from deepsel.wires.taking_back import TakenBack

FEW_LEFT = 50
"""From so few requests on, processes count down together what a provider says is left."""
_LEASE_SLACK_S = 10.0
_FRESH_S = 1.0
"""So long the limits that were read with the plan are as good as read again."""
_T = TypeVar("_T")


@dataclass(slots=True)
class Coordinator:
    """What one request learns from the other processes and tells them."""

    prepared: Prepared
    state: SharedState
    limiter: Limiter
    clock: Clock
    _low: set[Endpoint] = field(default_factory=set)
    _probing: set[Endpoint] = field(default_factory=set)
    _has_learned: bool = False
    _notices: list[Notice] = field(default_factory=list)

    def learn(self) -> str:
        """Close the limiter to targets that another process was told to stay away from; returns which, for a person."""
        told = []
        for endpoint, limit in self._limits().items():
            left_s = self._keep_away(endpoint, limit.opens_at(self._now()))
            if left_s > 0:
                told.append(f"{endpoint.provider} asked to be left alone for {left_s:.0f} s more")
            left = limit.left_at(self._now())
            if left is not None and left <= FEW_LEFT:
                self._low.add(endpoint)
        return "; ".join(dict.fromkeys(told))

    def _limits(self) -> Mapping[Endpoint, Limit]:
        """Give the limits of everybody who may be asked: those read with the plan, or others where that is long ago."""
        known = self.prepared.outlooks
        is_fresh = not self._has_learned and 0 <= self._now() - known.read_at < _FRESH_S
        self._has_learned = True
        if is_fresh:
            return {endpoint: one.limit for endpoint, one in known.endpoints.items()}
        names = [Endpoint(one.model.provider, name) for name, one in self.prepared.everyone.items()]
        return self._found(self.state.limits(names)) or {}

    def may_call(self, endpoint: Endpoint, *, has_others: bool) -> bool:
        """Claim the probe where the endpoint is half open; False where another process has it and others can answer."""
        if endpoint.model not in self.prepared.half_open or endpoint in self._probing:
            return True
        thresholds, lease_s = thresholds_of(self.prepared.profile), self.prepared.profile.timeout_s + _LEASE_SLACK_S
        if self._found(self.state.claim_probe(endpoint, thresholds, at=self._now(), lease_s=lease_s)):
            self._probing.add(endpoint)
            return True
        return not has_others

    def take_turn(self, endpoint: Endpoint) -> bool:
        """Count the call against the few a provider has left; False, the target closed, where others took the last one."""
        if endpoint not in self._low or self._found(self.state.take_one(endpoint, at=self._now())):
            return True
        self._low.discard(endpoint)
        limit = (self._found(self.state.limits([endpoint])) or {}).get(endpoint, Limit())
        if limit.opens_at(self._now()) <= self._now():
            return True
        self._keep_away(endpoint, limit.opens_at(self._now()))
        return False

    def heed(self, endpoint: Endpoint, facts: ResponseFacts) -> None:
        """Slow down, with every other process, where a response says that limits run low."""
        pause_s = pause_before_next_s(facts.allowance)
        if pause_s > 0:
            self.limiter.close_until(endpoint, self.clock.monotonic() + pause_s)
            self._note(self.state.close_until(endpoint, self._now() + pause_s))
        quota = facts.allowance.requests
        if quota is None or quota.reset_s is None or quota.reset_s > MAX_PAUSE_S:
            return
        if quota.remaining <= FEW_LEFT or endpoint in self._low:
            self._low.add(endpoint)
            self._note(self.state.tell_left(endpoint, quota.remaining, self._now() + quota.reset_s))

    def share_wait(self, endpoint: Endpoint, wait_s: float | None) -> None:
        """Tell the other processes how long a provider asked to be left alone; None: it did not say."""
        if wait_s:
            self._note(self.state.close_until(endpoint, self._now() + min(wait_s, LONGEST_S)))

    def remember(self, endpoint: Endpoint, changes: Sequence[TakenBack]) -> None:
        """Tell the other processes, and the next request, what a host has refused, now that it has answered without."""
        if any(one.lasts for one in changes):
            self._note(self.state.take_back(endpoint, changes, at=self._now()))

    def report(self, answer: Answer, spending: Spending) -> list[Notice]:
        """Leave what happened in the state, settle the budget, and have it decided what it means for the endpoints.

        Returns what went wrong with the state since the request was planned, once.
        """
        found = observations_of(answer, self.clock.now(), prepared=self.prepared)
        probes = {endpoint: _probe_of(endpoint, found) for endpoint in self._probing}
        judgement = Judgement(thresholds_of(self.prepared.profile), self._now(), probes)
        self._note(
            self.state.add(found, hold=spending.reservation, assumed_picousd=spending.assumed_picousd(), judgement=judgement)
        )
        every = [*self.prepared.outlooks.notices, *spending.notices, *self._notices]
        return [*{notice.code: notice for notice in reversed(every)}.values()]

    def _found(self, result: Told[_T]) -> _T | None:
        """Take what was found, and note why it was not."""
        self._note(result.notices)
        return result.value

    def _note(self, notices: Iterable[Notice]) -> None:
        self._notices += notices

    def _keep_away(self, endpoint: Endpoint, instant: float) -> float:
        """Close a target until an instant of the wall clock; returns the seconds until then, at most 0 where it is over."""
        left_s = instant - self._now()
        if left_s > 0:
            self.limiter.close_until(endpoint, self.clock.monotonic() + left_s)
        return left_s

    def _now(self) -> float:
        return self.clock.now().timestamp()


def _probe_of(endpoint: Endpoint, found: list[Observation]) -> Evidence | None:
    """Read what a request's last call shows of an endpoint; None where there was none, or a refusal, which shows nothing."""
    probe = next((one for one in reversed(found) if (one.provider, one.model) == endpoint), None)
    if probe is None:
        return None
    has_failed, waited_s = is_trouble(probe.error_class), sign_s(probe)
    if probe.is_loading or (probe.outcome != "ok" and not has_failed and waited_s is None):
        return None
    return Evidence(1, probe.total_s if has_failed and waited_s is None else waited_s, float(has_failed))


def observations_of(answer: Answer, at: datetime, *, prepared: Prepared) -> list[Observation]:
    """List one observation for each call."""
    sent = [attempt for attempt in answer.attempts if attempt.outcome != "skipped"]
    return [_observation(answer, attempt, at, prepared, number=number) for number, attempt in enumerate(sent, start=1)]


def _observation(
    answer: Answer,
    attempt: Attempt,
    at: datetime,
    prepared: Prepared,
    *,
    number: int,
) -> Observation:
    gateway = attempt.gateway
    candidate = prepared.everyone.get(attempt.model)
    provider = candidate.provider if candidate else None
    seen = observed(answer, attempt.usage, provider, outcome=attempt.outcome, at=at)
    return seen._replace(
        provider=attempt.provider,
        model=attempt.model,
        error_class=attempt.error_class,
        http_status=attempt.http_status,
        cost_picousd=picousd(billed_usd(provider, attempt.cost_usd) if provider else attempt.cost_usd),
        ttft_s=attempt.ttft_s if prepared.request.stream else None,
        total_s=attempt.total_s,
        wait_s=attempt.wait_s,
        number=number,
        gateway_cache=gateway.cache_status if gateway else None,
        gateway_retries=gateway.retries if gateway else None,
        trace_id=gateway.trace_id if gateway else None,
        first_sign_s=attempt.first_sign_s if prepared.request.stream else None,
        is_loading=attempt.is_loading,
        client=prepared.profile.client,
    )
