"""A job from its command to its summary: what is opened, planned, carried out and closed, in this order. Shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from deepsel.batch.asking import Wishes
from deepsel.batch.journal import Journal
from deepsel.batch.keeping import Keeper, LineKeeper
from deepsel.batch.lanes import LaneChoice, Wish, choose
from deepsel.batch.outlet import Folder, LineFile, Marks, Outlet
from deepsel.batch.planning import JobPlan, ModelShare, Planner, job_of
from deepsel.batch.results import Records
from deepsel.batch.source import JobSource
from deepsel.engine.gather import price_note
from deepsel.engine.paced import PacedLimiter
from deepsel.errors import ConfigError, NoRouteError, OverBudgetError, UsageError
from deepsel.records import NamedTuple
from deepsel.session.open import Session
from deepsel.values import Model

SCHEMA_VERSION = 1


class Where(NamedTuple):
    """Where a job's answers go."""

    output: Path | None
    """The file of records; None: a file for each answer."""
    folder: Path | None = None
    suffix: str = ".md"
    is_ordered: bool = True

    @property
    def journal(self) -> Path:
        """The journal's place, beside the answers."""
        place = self.output or self.folder
        assert place is not None
        return place.with_name(place.name + ".journal")

    def has_answers(self) -> bool:
        """Tell whether something stands where the answers go."""
        place = self.output or self.folder
        return place is not None and (any(place.iterdir()) if place.is_dir() else place.exists() and place.stat().st_size > 0)

    def ensure_new(self) -> None:
        """Raise UsageError where an earlier run has left something."""
        for path in (self.journal, self.output or self.folder):
            if path is not None and path.exists() and not (path.is_dir() and not any(path.iterdir())):
                hint = "go on with `--resume`" if self.journal.exists() else "name another output, or remove it"
                raise UsageError(f"`{path}` exists", hint)

    def open_outlet(self) -> Outlet:
        """Open what takes the records; raises UsageError."""
        place = self.output or self.folder
        try:
            if self.output is not None:
                return LineFile(self.output, is_ordered=self.is_ordered)
            assert self.folder is not None
            return Folder(self.folder, self.suffix)
        except OSError as error:
            words = (error.strerror or "input/output error").lower()
            raise UsageError(f"cannot write `{place}`: {words}", "name another output") from error


class Bounds(NamedTuple):
    """How far a job may go."""

    threads: int
    cap_usd: Decimal | None = None
    most_failed: float | None = None
    lane: Wish = "now"
    by: datetime | None = None
    """When the answers are needed."""


@dataclass(slots=True)
class Job:
    """One job of this process."""

    source: JobSource
    wanted: Wishes
    where: Where
    bounds: Bounds
    session: Session
    records: Records
    started_s: float = 0.0
    before_usd: Decimal = Decimal(0)
    """What earlier runs of the job have spent."""

    def plan(self, *, done: Marks | None = None, watch: Callable[[int, Decimal], None] = lambda *_: None) -> JobPlan:
        """Go through every line; raises the error of a job of which no line can be sent, or that no cap can bound."""
        self.started_s = self.session.clock.monotonic()
        plan = Planner(self.source, self.wanted, self.session, self._choose).plan(done or Marks(), watch)
        if plan.lines == 0:
            raise UsageError(f"{self.source.label} holds no request", 'a line is a JSON object such as {"prompt": "..."}')
        error = plan.first_error
        if plan.to_do and not plan.sendable and isinstance(error, ConfigError | NoRouteError | OverBudgetError):
            raise error
        if self.bounds.cap_usd is not None and plan.unpriced:
            raise OverBudgetError(
                f"nothing was sent: the price of {plan.unpriced:,} lines is unknown, and there is a limit on cost",
                "name a model whose cost is known, or leave `--max-cost` out",
            )
        return plan

    def _choose(self, model: Model) -> LaneChoice:
        """Choose the lane of a model's lines."""
        bounds, lanes = self.bounds, self.session.settings.catalog.lanes(model)
        return choose(model, lanes, bounds.lane, at=self.session.clock.now(), by=bounds.by)

    def price_note(self, share: ModelShare) -> str:
        """Say what happens to the price of a model's lines within a day; empty where nothing does."""
        size = share.input_tokens // share.lines if share.lines else 0
        return price_note(share.model, self.session.clock.now(), size)

    def restored(self) -> Keeper:
        """Open the journal of an earlier run and take over what it did; raises UsageError."""
        if not self.where.journal.exists():
            raise UsageError(f"there is no journal `{self.where.journal}`: nothing is left to go on with", "start without `--resume`")
        job = job_of(self.source, self.wanted)
        journal = Journal(self.where.journal, is_new=False)
        keeper = Keeper(journal, self.where.open_outlet(), self.where.output)
        keeper.restore(job)
        self.before_usd = keeper.tally.cost_usd
        return keeper

    def begun(self, plan: JobPlan) -> Keeper:
        """Make the journal of a new job; raises UsageError."""
        journal = Journal(self.where.journal, is_new=True)
        keeper = Keeper(journal, self.where.open_outlet(), self.where.output)
        keeper.begin(plan.job)
        return keeper

    def limiter(self) -> PacedLimiter:
        """Make what finds how many calls each endpoint takes at once."""
        session = self.session
        return PacedLimiter(session.paths.data_dir / "slots", session.clock, most=self.bounds.threads, state=session.state)

    def summary(self, plan: JobPlan, keeper: LineKeeper, limits: dict[str, Any]) -> dict[str, Any]:
        """Return the record of the whole."""
        tally = keeper.tally
        return {
            "schema": SCHEMA_VERSION,
            "job": plan.job,
            "lines": plan.lines,
            **tally.members(),
            "cost_usd": None if tally.unknown else tally.cost_usd,
            "projected_usd": None if plan.unpriced else plan.cost_usd + self.before_usd,
            "seconds": round(self.session.clock.monotonic() - self.started_s, 3),
            "limits": limits,
            "lanes": tally.lane_members(),
            "errors": tally.error_members(),
        }

    def projected(self, plan: JobPlan) -> dict[str, Any]:
        """Return the record of a plan: the same members with what is to be expected."""
        lanes: dict[str, dict[str, Any]] = {}
        for (lane, _), share in plan.shares.items():
            member = lanes.setdefault(lane, {"lines": 0, "cost_usd": Decimal(0)})
            member["lines"] += share.lines
            member["cost_usd"] += share.cost_usd
        refused = sum(plan.refused.values())
        return {
            "schema": SCHEMA_VERSION,
            "job": plan.job,
            "lines": plan.lines,
            "ok": plan.sendable,
            "failed": 0,
            "skipped": refused,
            "calls": plan.sendable,
            "cached": 0,
            "input_tokens": sum(share.input_tokens for share in plan.shares.values()),
            "output_tokens": sum(share.output_tokens for share in plan.shares.values()),
            "cost_usd": None,
            "projected_usd": None if plan.unpriced else plan.cost_usd,
            "seconds": None,
            "limits": {},
            "lanes": lanes,
            "errors": dict(sorted(plan.refused.items())),
        }
