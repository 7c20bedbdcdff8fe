"""How a line's end becomes its record: that of `ask --json` with the line's own members before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepsel.batch.journal import Done
from deepsel.batch.source import LineFault, Numbered
from deepsel.config import Profile
from deepsel.engine.spending import budgets_of
from deepsel.errors import DeepselError, ErrorClass, OverBudgetError, UnavailableError
from deepsel.records import NamedTuple
from deepsel.show.record import dump
from deepsel.storage.amounts import picousd
from deepsel.values import Answer, Attempt


class LineResult(NamedTuple):
    """How asking a line ended."""

    answer: Answer | None
    """None: it could not even be tried."""
    error: DeepselError | None
    kind: str = ""
    """The class of an error before anything was sent."""
    before: LineResult | None = None
    """The turn before, where it was asked anew."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every call, those of earlier turns first."""
        earlier = self.before.attempts if self.before else ()
        return (*earlier, *(self.answer.attempts if self.answer else ()))


class Records:
    """Writes records in the form the command line has for answers."""

    def __init__(
        self, answered: Callable[[Answer, DeepselError | None], dict[str, Any]], unasked: Callable[[DeepselError], dict[str, Any]]
    ) -> None:
        """Take the form of `ask --json`: of an answer, and of an error before anything was asked."""
        self._answered, self._unasked = answered, unasked

    def done(self, one: Numbered, place: int, result: LineResult, *, lane: str) -> Done:
        """Make the result of a line that was asked."""
        answer, error = result.answer, result.error
        attempts = result.attempts
        calls = sum(attempt.outcome != "skipped" for attempt in attempts)
        status = "ok" if error is None else "failed" if calls else "skipped"
        if answer is None:
            assert error is not None
            return self._refused(one, place, LineFault(result.kind, error.message), self._unasked(error), lane=lane)
        answer = _with_turns(answer, result)
        record = self._answered(answer, error)
        fault = record.pop("error", None)
        if fault is not None and not calls:
            fault = {**fault, "class": _class_of(error, fault["class"])}
        return Done(
            number=one.number,
            place=place,
            status=status,
            record=_dumped(one, status, lane, record, fault),
            cost_picousd=picousd(answer.cost_usd),
            calls=calls,
            lane=lane,
            error=None if fault is None else fault["class"],
            input_tokens=answer.usage.input_tokens or 0,
            output_tokens=answer.usage.output_tokens or 0,
            is_cached=answer.cache.status == "hit",
            is_simulated=answer.is_simulated,
        )

    def refused(self, one: Numbered, place: int, fault: LineFault, *, lane: str) -> Done:
        """Make the result of a line that cannot be asked."""
        return self._refused(one, place, fault, self._unasked(DeepselError(fault.message)), lane=lane)

    def _refused(self, one: Numbered, place: int, fault: LineFault, record: dict[str, Any], *, lane: str) -> Done:
        record.pop("error", None)
        member = {"class": fault.kind, "message": fault.message}
        return Done(one.number, place, "skipped", _dumped(one, "skipped", lane, record, member), lane=lane, error=fault.kind)


def _dumped(one: Numbered, status: str, lane: str, record: dict[str, Any], fault: dict[str, Any] | None) -> bytes:
    """Write a record, its own members first."""
    own = {"schema": record.pop("schema"), "id": one.id, "line": one.number, "status": status, "error": fault, "lane": lane}
    return dump({**own, **record}).encode("utf-8")


def _class_of(error: DeepselError | None, kind: str) -> str:
    """Name the class of an error before anything was sent."""
    from deepsel.batch.planning import kind_of

    return kind_of(error) if error is not None else kind


def _with_turns(answer: Answer, result: LineResult) -> Answer:
    """Add the calls and the costs of earlier turns."""
    if result.before is None:
        return answer
    costs = [attempt.cost_usd for attempt in result.attempts if attempt.outcome != "skipped"]
    known = [cost for cost in costs if cost is not None]
    return answer._replace(attempts=result.attempts, cost_usd=sum(known) if len(known) == len(costs) else None)  # type: ignore[arg-type]


def is_out_of_budget(result: LineResult, profile: Profile) -> bool:
    """Tell whether nothing was sent because a budget of the profile is spent, or held by others."""
    if not isinstance(result.error, OverBudgetError) or not budgets_of(profile):
        return False
    return profile.max_cost_usd is None or " budget of " in result.error.message


def is_worth_another_turn(result: LineResult) -> bool:
    """Tell whether a line only found no place in time, or was told to wait, which says nothing of itself."""
    if result.error is None or result.answer is None:
        return False
    failed = [attempt.error_class for attempt in result.answer.attempts if attempt.outcome == "failed"]
    if not failed:
        return isinstance(result.error, UnavailableError)
    return set(failed) == {ErrorClass.RATE_LIMITED}
