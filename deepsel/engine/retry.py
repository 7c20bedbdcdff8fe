"""Decides which target is asked next and when; pure but for the targets' own marks.

One request has one budget of calls and one deadline; a server that is only starting uses up time, but no call of the budget.
A failed target is left for the next candidate at once, since that is quicker than any wait; only when every candidate has been
asked does the engine come back to those that may recover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel.chance import Rng
from deepsel.engine.limiter import Limiter
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.health.endpoint import Endpoint
from deepsel.records import NamedTuple
from deepsel.routing.candidates import Candidate, Choice
from deepsel.values import Model, Provider

if TYPE_CHECKING:
    from deepsel.wires.taking_back import TakenBack

BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 20.0
LOADING_CAP_S = 5.0
"""A server that is loading is asked at least so often: nothing is pressed, and a reader waits for it."""

# A failure that concerns everything reached with the same key, or the same host, not one model.
_CREDENTIAL = frozenset({ErrorClass.AUTH, ErrorClass.BILLING})
_HOST = frozenset({ErrorClass.NETWORK})
# The same model would give the same end again.
_FINAL_FOR_TARGET = frozenset(
    {
        ErrorClass.AUTH,
        ErrorClass.BILLING,
        ErrorClass.BAD_REQUEST,
        ErrorClass.CONTEXT_OVERFLOW,
        ErrorClass.CONTENT_POLICY,
        ErrorClass.TRUNCATED,
        ErrorClass.SCHEMA,
    }
)


@dataclass(slots=True)
class Target:
    """One choice of the plan and what this request has learned of it."""

    choice: Choice
    model: Model
    provider: Provider
    worst_usd: Decimal | None = None
    """Cost at the longest answer; None: unknown."""
    is_reserve: bool = False
    """A larger-context model: asked only where an answer was cut or a window overflowed."""
    calls: int = 0
    is_spent: bool = False
    """Not asked again by this request."""
    loading_calls: int = 0
    """How often it has said that it is only starting."""
    changed: frozenset[str] = frozenset()
    """Names of what its host refused and this request has taken back."""
    asks_again: bool = False
    """Whether it is asked at once, with what its host has refused taken back."""
    has_stalled: bool = False
    """Whether a limit on its silence was crossed, which is not held against it a second time."""

    @classmethod
    def of(cls, choice: Choice, candidate: Candidate, *, is_reserve: bool = False) -> Target:
        """Make the target of a choice."""
        return cls(choice, candidate.model, candidate.provider, candidate.worst_bill.total_usd, is_reserve=is_reserve)

    def take_back(self, changes: Sequence[TakenBack]) -> None:
        """Go on with the rows that send no more what the host has refused, at once."""
        from deepsel.wires.taking_back import without

        self.model, self.provider = without(changes, self.model, self.provider)
        bounds = [one.max_tokens for one in changes if one.max_tokens is not None]
        self.choice = self.choice._replace(max_tokens=min([self.choice.max_tokens, *bounds]))
        self.changed |= {f"{one.name} {one.value}" for one in changes}
        self.asks_again = True

    @property
    def key(self) -> Endpoint:
        """What the limiter and the other processes know it by."""
        return Endpoint(self.model.provider, self.model.name)


class NextCall(NamedTuple):
    """Who is asked next, after how many seconds."""

    target: Target
    wait_s: float


@dataclass(slots=True)
class Budget:
    """What one request may still do."""

    calls_left: int
    deadline: float
    """On the monotonic clock."""


def backoff_s(calls: int, rng: Rng, *, cap_s: float = BACKOFF_CAP_S) -> float:
    """Draw a wait by exponential back-off with equal jitter: uniform over the upper half of min(cap, base * 2^(calls-1)).

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. The floor keeps one request's few calls from
    being spent at once, which full jitter does to one in many.
    """
    ceiling: float = min(cap_s, BACKOFF_BASE_S * 2.0 ** min(calls - 1, 30))
    return rng.uniform(ceiling / 2, ceiling)


def note_failure(
    target: Target, targets: list[Target], failure: AttemptFailed, *, limiter: Limiter, now: float, rng: Rng
) -> None:
    """Mark what a failed call tells about its target and about the others."""
    kind = failure.error_class
    if kind in _FINAL_FOR_TARGET or failure.should_retry is False:
        target.is_spent = True
    target.has_stalled = target.has_stalled or kind is ErrorClass.STALLED
    if kind in _CREDENTIAL or (kind in _HOST and target.is_spent):
        for other in targets:
            other.is_spent = other.is_spent or other.model.provider == target.model.provider
    if kind is ErrorClass.TRUNCATED:
        _only_reserves(targets)
    if kind is ErrorClass.CONTEXT_OVERFLOW:
        _only_larger(target, targets)
    if not target.is_spent:
        wait_s = _wait_s(target, failure, rng)
        limiter.close_until(target.key, now + wait_s)
        if kind in _HOST:
            for other in targets:
                if other.model.provider == target.model.provider:
                    limiter.close_until(other.key, now + wait_s)


def _wait_s(target: Target, failure: AttemptFailed, rng: Rng) -> float:
    """Return how long a target is left alone: as long as it said, else by back-off; what is loading never shorter than that."""
    named_s = failure.retry_after_s
    if failure.is_loading:
        target.loading_calls += 1
        return max(named_s or 0.0, backoff_s(target.loading_calls, rng, cap_s=LOADING_CAP_S))
    return backoff_s(target.calls - target.loading_calls, rng) if named_s is None else named_s


def has_unasked(targets: list[Target]) -> bool:
    """Tell whether somebody is left whom nobody has asked: the last call of a budget is theirs."""
    return any(target.calls == 0 and not target.is_spent and not target.is_reserve for target in targets)


def _only_reserves(targets: list[Target]) -> None:
    """After a cut, leave only the reserves, which have room for a longer answer."""
    for other in targets:
        other.is_spent, other.is_reserve = other.is_spent or not other.is_reserve, False


def _only_larger(target: Target, targets: list[Target]) -> None:
    """After an overflow, leave only the reserves and candidates with a larger window."""
    window = target.model.context_window or 0
    for other in targets:
        if other.is_reserve:
            other.is_reserve = False
        elif (other.model.context_window or 0) <= window:
            other.is_spent = True


def next_call(targets: list[Target], budget: Budget, *, limiter: Limiter, now: float) -> NextCall | None:
    """Choose the next call: the best candidate not yet asked that is free now, else whichever may be asked soonest.

    None where the budget is used up, no target is left, or the soonest one opens after the deadline.
    """
    if budget.calls_left <= 0 or now >= budget.deadline:
        return None
    open_ones = [target for target in targets if not target.is_spent and not target.is_reserve]
    for target in open_ones:
        if (target.calls == 0 or target.asks_again) and limiter.opens_at(target.key) <= now:
            return NextCall(target, 0.0)
    if not open_ones:
        return None
    soonest = min(open_ones, key=lambda target: (max(limiter.opens_at(target.key), now), target.calls))
    wait_s = max(0.0, limiter.opens_at(soonest.key) - now)
    return NextCall(soonest, wait_s) if now + wait_s < budget.deadline else None
