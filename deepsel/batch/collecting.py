"""Asks after the parts of a job that providers have, and collects them: every line is accounted for, or asked anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from deepsel.batch.asking import ask_of
from deepsel.batch.chunks import Chunk
from deepsel.batch.journal import Done
from deepsel.batch.lanes import LaneChoice
from deepsel.batch.planning import LanePlan
from deepsel.batch.replaying import replayed
from deepsel.batch.run import Task, Work, judged, tasks_of
from deepsel.batch.sending import custom_id
from deepsel.batch.shared import Floor
from deepsel.config import find_model, find_provider
from deepsel.ending import shielded
from deepsel.engine.ask import CacheMode
from deepsel.engine.encoded import Encodings
from deepsel.errors import RefusedError
from deepsel.wires.batches.records import JobOrder, ProviderJob, RowOutcome

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 300.0
_GROUP = 200


class Collector:
    """Collects the parts of one job."""

    def __init__(self, floor: Floor, work: Work) -> None:
        """Ask nobody yet."""
        self._floor, self._work = floor, work

    def find_intended(self) -> None:
        """Look for parts whose making was not answered: found at the provider they are its jobs, else they never were."""
        for chunk in self._floor.open_chunks():
            if chunk.state == "intended":
                order = JobOrder("", chunk.tag, 0)
                known = {one.job_id for one in self._floor.keeper.chunks.values()}
                job = self._floor.client(self._plan(chunk)).find(order, lines=len(chunk.lines), since=chunk.made_at)
                if job is None or job.id in known:
                    self._floor.void(chunk)
                else:
                    self._floor.keeper.keep_chunk(chunk._replace(state="created", lines=(), job_id=job.id, word=job.word))

    def look(self) -> int:
        """Ask after every part once and collect what has ended; returns how many are still under way. Raises DeepselError."""
        left = 0
        for chunk in self._floor.open_chunks():
            job = self._floor.client(self._plan(chunk)).look(chunk.job_id)
            if job.state == "open":
                left += 1
                if job.word != chunk.word:
                    self._floor.keeper.keep_chunk(chunk._replace(lines=(), word=job.word))
            elif job.state == "refused":
                self._floor.void(chunk)
                raise RefusedError(
                    f"{chunk.provider} refused a job of {len(chunk.lines):,} lines: {job.message or job.word}",
                    "nothing of it is billed; mend what it says, and go on with `--resume`",
                )
            else:
                self._collect(chunk, job)
        return left

    def wait(self, watch: Callable[[int], None]) -> None:
        """Look until no part is under way, more and more seldom; `watch` is told how many are."""
        pause_s = FIRST_PAUSE_S
        while left := self.look():
            watch(left)
            self._floor.session.clock.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    # --- one part -------------------------------------------------------------------------------------------------------

    def _collect(self, chunk: Chunk, job: ProviderJob) -> None:
        """Give each line of a part its result; what was not carried out, or is missing, stays to be done."""
        plan = self._plan(chunk)
        outcomes: dict[str, RowOutcome] = {}
        for one in self._floor.client(plan).outcomes(job):
            outcomes.setdefault(one.custom_id, one)
        self._floor.release(chunk)
        wanted = set(chunk.lines)
        tasks = (task for task in tasks_of(self._work, self._floor.keeper.marks) if task.one.number in wanted)
        answered = self._answered(tasks, outcomes, plan)
        while group := list(islice(answered, _GROUP)):
            with shielded():
                self._floor.keeper.keep_now(group)
        with shielded():
            self._floor.keeper.keep_chunk(chunk._replace(state="ended", lines=(), word=job.word))

    def _answered(self, tasks: Iterator[Task], outcomes: dict[str, RowOutcome], plan: LanePlan) -> Iterator[Done]:
        """Yield the results of the lines that have one."""
        for task in tasks:
            outcome = outcomes.get(custom_id(task.one.number))
            if outcome is None or outcome.kind == "undone" or task.one.request is None:
                continue
            ask = judged(ask_of(task.one.request, self._work.wanted), task.note)
            ask = ask._replace(request=ask.request._replace(stream=False))
            lane = plan.choice.lane
            assert lane is not None
            mode = self._mode(ask.cache_mode, Encodings(ask.request, [plan.provider.name]), plan)
            result = replayed(ask, plan.model.name, outcome, self._floor.session.resources, tier=lane.service_tier, mode=mode)
            yield self._floor.records.done(task.one, task.place, result, lane=plan.choice.name)

    def _mode(self, mode: CacheMode, encodings: Encodings, plan: LanePlan) -> CacheMode:
        """Say whether an answer is kept; it is not looked for, since this one was paid for."""
        is_kept = mode in ("on", "refresh")
        if mode == "auto":
            is_kept = encodings.of(plan.model, plan.provider, 1).is_deterministic
        return "refresh" if is_kept else "off"

    def _plan(self, chunk: Chunk) -> LanePlan:
        """Find how a part was sent, which may be another way than its lines would go now."""
        session = self._floor.session
        model = find_model(session.settings, chunk.model)
        provider = find_provider(session.settings, chunk.provider)
        lane = next((lane for lane in session.settings.catalog.lanes(model) if lane.name == chunk.lane), None)
        if lane is None:
            raise RefusedError(f"{chunk.model} has no lane `{chunk.lane}` any more", "collect it with the version that sent it")
        return LanePlan(LaneChoice(chunk.lane, "", lane), model, provider)
