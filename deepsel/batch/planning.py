"""Goes through a job before it starts: counts every line, plans it as it will be planned, adds up what it will cost. Sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from deepsel import catalog
from deepsel.batch.asking import Wishes, ask_of
from deepsel.batch.lanes import LaneChoice
from deepsel.batch.notes import Ids, Note, Notes
from deepsel.batch.outlet import Marks
from deepsel.batch.source import JobSource, Numbered
from deepsel.engine.ask import Ask
from deepsel.engine.prepare import Prepared, ensure_route, prepare
from deepsel.errors import ConfigError, DeepselError, UsageError
from deepsel.health.refusals import Rows
from deepsel.records import NamedTuple
from deepsel.session.open import Session
from deepsel.storage.amounts import picousd, usd
from deepsel.values import Model, Provider

_SOON = 20
"""Lines after which a job of which none can be sent says so."""


class LanePlan(NamedTuple):
    """How the lines of a model are sent."""

    choice: LaneChoice
    model: Model
    provider: Provider


@dataclass(slots=True)
class ModelShare:
    """What of a job one model will carry."""

    model: Model
    provider: Provider
    lines: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_picousd: int = 0
    unpriced: int = 0
    """Lines whose cost nobody knows."""

    @property
    def cost_usd(self) -> Decimal:
        """What they will probably cost, those of unknown price aside."""
        return usd(self.cost_picousd) or Decimal(0)


@dataclass(slots=True)
class JobPlan:
    """A job before it starts; `notes` are those of its lines."""

    notes: Notes
    job: str = ""
    """The hash of what is asked."""
    lines: int = 0
    to_do: int = 0
    """Lines that are still to be asked."""
    refused: Counter[str] = field(default_factory=Counter)
    """Lines that will not be sent, by class."""
    shares: dict[tuple[str, str], ModelShare] = field(default_factory=dict)
    """By lane and model, of the lines that are to be asked."""
    lanes: list[LanePlan] = field(default_factory=list)
    """How the lines of each model are sent; a line's note has the number, from 1."""
    first_error: DeepselError | None = None
    """Why the first line that cannot be sent cannot."""

    @property
    def cost_usd(self) -> Decimal:
        """What the lines to do will probably cost, those of unknown price aside."""
        return sum((share.cost_usd for share in self.shares.values() if not share.provider.is_simulated), Decimal(0))

    @property
    def unpriced(self) -> int:
        """Lines to do whose cost nobody knows."""
        return sum(share.unpriced for share in self.shares.values() if not share.provider.is_simulated)

    @property
    def sendable(self) -> int:
        """Lines to do that have a model."""
        return sum(share.lines for share in self.shares.values())


def prepared_of(ask: Ask, session: Session, at: datetime) -> Prepared:
    """Plan one request as it would be planned now; raises DeepselError where nobody can or may be asked."""
    settings, state = session.settings, session.state
    prepared = prepare(ask, Rows(settings, ask.profile.all_models, state, at), env=session.env, at=at, state=state)
    ensure_route(prepared, settings)
    return prepared


def checked(source: JobSource, feed: Callable[[bytes], object]) -> Iterator[tuple[Numbered, bool]]:
    """Yield every line, and whether an earlier one has its id."""
    ids = Ids()
    try:
        for one in source.requests(feed):
            is_new = one.request is None or ids.is_new(one.id)
            yield one, not is_new
    finally:
        ids.close()


def job_of(source: JobSource, wanted: Wishes) -> str:
    """Return what tells this job from every other: the hash of its lines and of what is asked of them."""
    content = hashlib.sha256()
    for _ in source.requests(content.update):
        pass
    return _named(content.hexdigest(), wanted)


def _named(content: str, wanted: Wishes) -> str:
    words = json.dumps([content, wanted.words()], sort_keys=True, default=str).encode("utf-8", "surrogatepass")
    return hashlib.sha256(words).hexdigest()[:24]


@dataclass(slots=True)
class Planner:
    """Plans a job line by line."""

    source: JobSource
    wanted: Wishes
    session: Session
    lane_of: Callable[[Model], LaneChoice]
    """Chooses the lane that a model's lines will take."""
    _numbers: dict[str, int] = field(default_factory=dict)
    """By model, where its choice stands in the plan's lanes, from 1."""

    def plan(self, done: Marks, watch: Callable[[int, Decimal], None] = lambda *_: None) -> JobPlan:
        """Plan every line that is not `done`; `watch` is told how many were counted and what they will cost."""
        plan, content = JobPlan(Notes()), hashlib.sha256()
        at = self.session.clock.now()
        for one, is_duplicate in checked(self.source, content.update):
            plan.lines += 1
            note = Note(one.number, is_duplicate=is_duplicate)
            if one.number not in done:
                plan.to_do += 1
                note = self._planned(one, note, plan, at)
            plan.notes.add(note)
            if plan.lines == _SOON and not plan.sendable and isinstance(plan.first_error, ConfigError):
                raise plan.first_error
            if plan.lines % 200 == 0:
                watch(plan.lines, plan.cost_usd)
        plan.job = _named(content.hexdigest(), self.wanted)
        return plan

    def _planned(self, one: Numbered, note: Note, plan: JobPlan, at: datetime) -> Note:
        """Plan a line, and add it up."""
        if note.is_duplicate or one.request is None:
            plan.refused["duplicate_id" if note.is_duplicate else one.fault.kind if one.fault else "bad_line"] += 1
            return note
        try:
            prepared = prepared_of(ask_of(one.request, self.wanted), self.session, at)
        except DeepselError as error:
            plan.refused[kind_of(error)] += 1
            plan.first_error = plan.first_error or error
            return note
        candidate = prepared.candidates[prepared.plan.choices[0].model]
        number = self._numbers.get(candidate.model.name, 0)
        if not number:
            plan.lanes.append(LanePlan(self.lane_of(candidate.model), candidate.model, candidate.provider))
            number = self._numbers[candidate.model.name] = len(plan.lanes)
        choice = plan.lanes[number - 1].choice
        lane = choice.name
        share = plan.shares.setdefault((lane, candidate.model.name), ModelShare(candidate.model, candidate.provider))
        share.lines += 1
        share.input_tokens += candidate.input_tokens
        share.output_tokens += candidate.expected_output_tokens
        expected, worst = candidate.bill.total_usd, candidate.worst_bill.total_usd
        tier, then = (choice.lane.service_tier if choice.lane else "standard"), choice.starts_at or at
        if tier != "standard" or then != at:
            expected, worst = (price_in(prepared, candidate.model, tier, most=most, at=then) for most in (False, True))
        if expected is None:
            share.unpriced += 1
        else:
            share.cost_picousd += picousd(expected) or 0
        return note._replace(
            lane=number,
            expected_picousd=picousd(expected),
            worst_picousd=picousd(worst),
            task=prepared.task,
            difficulty=prepared.difficulty,
        )


def price_in(prepared: Prepared, model: Model, tier: str, *, most: bool, at: datetime) -> Decimal | None:
    """Return what a line will probably cost, or the most it can, in a price tier at an instant; None: unknown."""
    candidate, count = prepared.candidates[model.name], prepared.counts[model.name]
    if most and count.most is None:
        return None
    return catalog.project(
        model,
        input_tokens=(count.most or 0) if most else candidate.input_tokens,
        output_tokens=(candidate.max_tokens or 0) if most else candidate.expected_output_tokens,
        at=at,
        service_tier=tier,
        multiplier=candidate.provider.price_multiplier,
    ).total_usd


def kind_of(error: DeepselError) -> str:
    """Name the class of an error that came before anything was sent."""
    return "bad_line" if isinstance(error, UsageError) else error.kind
