"""The course of a job over its lanes: what providers take as jobs is sent first, the rest is asked meanwhile, then all is collected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deepsel.batch.collecting import Collector
from deepsel.batch.job import Job
from deepsel.batch.keeping import Keeper
from deepsel.batch.lanes import opens_in_s
from deepsel.batch.notes import Note
from deepsel.batch.planning import JobPlan, LanePlan
from deepsel.batch.replaying import in_tier, moved
from deepsel.batch.run import Runner, Stop, Work
from deepsel.batch.sending import PartSender
from deepsel.batch.shared import Floor
from deepsel.engine.resources import Resources
from deepsel.values import Lane, Provider

_ROUNDS = 5
"""How often what a provider's jobs leave undone is given to it; then it is asked now, unless its price was asked for by name."""


@dataclass(slots=True)
class Course:
    """One run of a job. `ask` lets a runner run to its end, `watch` is told how many jobs are still under way at providers."""

    job: Job
    plan: JobPlan
    keeper: Keeper
    ask: Callable[[Runner], None]
    watch: Callable[[int], None]
    stop: Stop = field(default_factory=Stop)
    """Why no more lines were taken."""
    limits: dict[str, Any] = field(default_factory=dict)
    """What was found of each endpoint, as members of the summary."""

    def go(self, *, waits: bool = True) -> int:
        """Take every line its way; returns how many parts providers still have, which is 0 where it `waits` for them.

        Raises DeepselError where a provider refuses a part; what is done stays done.
        """
        floor = self.floor()
        work = self._work(floor, everything=False)
        collector, left = Collector(floor, work), 0
        has_jobs = any(self._is_sent(plan) for plan in self.plan.lanes)
        sender = PartSender(floor, work, self.job.bounds.by)
        if has_jobs or floor.open_chunks():
            collector.find_intended()
        if has_jobs and waits:
            sender.send()
        self._run(floor, work)
        for _ in range(_ROUNDS if not self.stop.why else 0):
            left = collector.look()
            if left and not waits:
                return left
            if left:
                collector.wait(self.watch)
            if not has_jobs or not waits or sender.is_over_cap or not sender.send():
                break
        if sender.is_over_cap:
            self.stop("cap")
        is_price_asked_for = self.job.bounds.lane == "batch"
        if not self.stop.why and has_jobs and waits and not floor.open_chunks() and not is_price_asked_for:
            self._run(floor, self._work(floor, everything=True))
        return len(floor.open_chunks())

    def floor(self) -> Floor:
        """Open the job's dealings with providers."""
        return Floor(self.job.session, self.keeper, self.job.records, self.plan.lanes, self.plan.job)

    def _run(self, floor: Floor, work: Work) -> None:
        """Ask the lines of a piece of work, and note how that ended."""
        session = self.job.session
        limiter = self.job.limiter()
        work.held_picousd = floor.held()
        resources = self._held_lanes(session.resources._replace(limiter=limiter))
        runner = Runner(work, self.keeper, resources, limiter, self.job.records)
        self.ask(runner)
        self.keeper.pause()
        self.limits |= runner.limits()
        if runner.stop.why:
            self.stop(runner.stop.why, runner.stop.words)

    def _work(self, floor: Floor, *, everything: bool) -> Work:
        """Put together what is asked line by line; not `everything`: only what goes to no provider as a job."""
        job = self.job
        bounds, clock = job.bounds, job.session.clock

        def goes(note: Note) -> bool:
            plan = floor.plan_of(note)
            return everything or plan is None or not self._is_sent(plan)

        def opens(note: Note) -> float:
            plan = floor.plan_of(note)
            return opens_in_s(plan.model, at=clock.now()) if plan is not None and plan.choice.name == "off-peak" else 0.0

        def name(note: Note) -> str:
            plan = floor.plan_of(note)
            return "now" if plan is None or self._is_sent(plan) else plan.choice.name

        has_jobs = any(self._is_sent(plan) for plan in self.plan.lanes)
        return Work(
            job.source, self._wishes(), self.plan.notes, bounds.threads, bounds.cap_usd, most_failed=bounds.most_failed,
            goes=goes, lane_name=name, opens_in_s=opens, is_windowed=not has_jobs,
        )  # fmt: skip

    @staticmethod
    def _is_sent(plan: LanePlan) -> bool:
        """Tell whether lines go to their provider as a job."""
        return plan.choice.lane is not None and bool(plan.choice.lane.api)

    def _held(self) -> dict[str, Lane]:
        """Return the lanes whose calls are held open, by provider."""
        lanes = {plan.provider.name: plan.choice.lane for plan in self.plan.lanes if plan.choice.lane and not plan.choice.lane.api}
        return {name: lane for name, lane in lanes.items() if lane is not None}

    def _wishes(self) -> Any:
        """Give requests the time that a held lane may take."""
        wanted, held = self.job.wanted, self._held()
        longest = max((lane.window_s[1] for lane in held.values() if lane.window_s), default=0)
        if not longest:
            return wanted
        seconds = float(max(longest, wanted.profile.timeout_s))
        profile = wanted.profile._replace(timeout_s=seconds, first_token_timeout_s=seconds)
        return wanted._replace(profile=profile, request=wanted.request._replace(stream=False))

    def _held_lanes(self, resources: Resources) -> Resources:
        """Send the calls of held lanes to their host, where they are billed in its tier."""
        held, locate, catalog = self._held(), resources.locate, resources.settings.catalog
        if not held:
            return resources

        def located(provider: Provider) -> Provider:
            lane, found = held.get(provider.name), locate(provider)
            return found if lane is None else moved(found, catalog.providers.get(provider.name), lane.base_url)

        tier = next(iter(held.values())).service_tier
        return resources._replace(locate=located, stream=in_tier(resources.stream, tier))
