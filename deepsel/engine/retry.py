"""Decides which target is asked next and when; pure but for the targets' own marks.

One request has one budget of calls and one deadline. A failed target is left for the next candidate at once, since that
is quicker than any wait; only when every candidate has been asked does the engine come back to those that may recover.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from deepsel.chance import Rng
from deepsel.engine.limiter import Limiter
from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.routing import Candidate, Choice
from deepsel.values import Model, Provider

BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 20.0

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

    @classmethod
    def of(cls, choice: Choice, candidate: Candidate, *, is_reserve: bool = False) -> Target:
        """Make the target of a choice."""
        return cls(choice, candidate.model, candidate.provider, candidate.worst_bill.total_usd, is_reserve=is_reserve)

    @property
    def key(self) -> tuple[str, str]:
        """What the limiter knows it by."""
        return (self.model.provider, self.model.name)


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


def backoff_s(calls: int, rng: Rng) -> float:
    """Draw a wait by exponential back-off with full jitter: uniform over [0, min(cap, base * 2^(calls-1))].

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    ceiling: float = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0 ** (calls - 1))
    return rng.uniform(0, ceiling)


def note_failure(
    target: Target, targets: list[Target], failure: AttemptFailed, *, limiter: Limiter, now: float, rng: Rng
) -> None:
    """Mark what a failed call tells about its target and about the others."""
    kind = failure.error_class
    if kind in _FINAL_FOR_TARGET or failure.should_retry is False:
        target.is_spent = True
    if kind in _CREDENTIAL:
        for other in targets:
            other.is_spent = other.is_spent or other.model.provider == target.model.provider
    if kind is ErrorClass.TRUNCATED:
        _only_reserves(targets)
    if kind is ErrorClass.CONTEXT_OVERFLOW:
        _only_larger(target, targets)
    if not target.is_spent:
        wait_s = failure.retry_after_s if failure.retry_after_s is not None else backoff_s(target.calls, rng)
        limiter.close_until(target.key, now + wait_s)
        if kind in _HOST:
            for other in targets:
                if other.model.provider == target.model.provider:
                    limiter.close_until(other.key, now + wait_s)


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
        if target.calls == 0 and limiter.opens_at(target.key) <= now:
            return NextCall(target, 0.0)
    if not open_ones:
        return None
    soonest = min(open_ones, key=lambda target: (max(limiter.opens_at(target.key), now), target.calls))
    wait_s = max(0.0, limiter.opens_at(soonest.key) - now)
    return NextCall(soonest, wait_s) if now + wait_s < budget.deadline else None
