"""Gathers a job's lines into parts for providers' batch APIs, and gives each part to its provider, its intent written first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from deepsel.batch.asking import ask_of
from deepsel.batch.chunks import Chunk
from deepsel.batch.lanes import window_s
from deepsel.batch.planning import LanePlan, prepared_of, price_in
from deepsel.batch.replaying import finished
from deepsel.batch.run import Task, Work, judged, tasks_of
from deepsel.batch.shared import Floor
from deepsel.ending import shielded
from deepsel.engine.ask import Ask
from deepsel.engine.encoded import Encoded, Encodings
from deepsel.engine.lookup import may_read, may_store
from deepsel.engine.run import Run
from deepsel.engine.spending import budgets_of
from deepsel.errors import AttemptFailed, DeepselError, ErrorClass, OverBudgetError, RefusedError, UnavailableError
from deepsel.jsontext import loads
from deepsel.providers.batches import BatchClient
from deepsel.storage.amounts import picousd, usd
from deepsel.values import Lane
from deepsel.wires.batches.records import JobOrder
from deepsel.wires.batches.table import APIS
from deepsel.wires.bodies import serialise

MOST_LINES, MOST_BYTES = 9_000, 48 << 20
"""Of one part, where the provider takes more: what is held in memory at once."""
_NOT_SENT = ("stream", "stream_options")
_CREATE_TURNS = 4


@dataclass(slots=True)
class _Part:
    """Lines that one provider is to get."""

    plan: LanePlan
    rows: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    size: int = 0
    expected: int = 0
    worst: int = 0

    def is_full(self, more: int) -> bool:
        """Tell whether so many bytes more are too many."""
        lane = self.plan.choice.lane
        assert lane is not None
        most = min(MOST_LINES, lane.max_requests or MOST_LINES, lane.max_inline_requests or MOST_LINES)
        return len(self.rows) >= most or (bool(self.rows) and self.size + more > min(MOST_BYTES, lane.max_bytes or MOST_BYTES))


class PartSender:
    """Gives lines to providers."""

    def __init__(self, floor: Floor, work: Work, by: datetime | None) -> None:
        """Send nothing yet."""
        self._floor, self._work, self._by = floor, work, by
        self._parts: dict[tuple[str, str], _Part] = {}
        self._seen: set[str] = set()
        self.is_over_cap = False

    def send(self) -> int:
        """Give every line to its provider whose lane has a batch API, those from the cache aside; returns how many parts.

        Raises DeepselError where a provider refuses, or a budget is spent.
        """
        before = len(self._floor.keeper.chunks)
        self._seen.clear()
        taken = {number for chunk in self._floor.keeper.chunks.values() if chunk.state in ("intended", "created") for number in chunk.lines}
        for task in tasks_of(self._work, self._floor.keeper.marks):
            plan = self._floor.plan_of(task.note)
            if plan is None or plan.choice.lane is None or not plan.choice.lane.api or task.one.number in taken:
                continue
            if task.one.request is None or task.note.is_duplicate:
                continue
            self._add(task, plan)
            if self.is_over_cap:
                break
        for part in self._parts.values():
            self._give(part)
        self._parts.clear()
        return len(self._floor.keeper.chunks) - before

    def _add(self, task: Task, plan: LanePlan) -> None:
        """Put a line into a part, unless the cache has its answer, or the same line is on its way."""
        floor, lane = self._floor, plan.choice.lane
        assert task.one.request is not None
        assert lane is not None
        try:
            ask = judged(ask_of(task.one.request, self._work.wanted), task.note)
            ask = ask._replace(request=ask.request._replace(stream=False), profile=ask.profile._replace(models=(plan.model.name,)))
            at = floor.session.clock.now()
            prepared = prepared_of(ask, floor.session, at)
            candidate = prepared.candidates[plan.model.name]
            assert candidate.max_tokens is not None
            encoded = Encodings(ask.request, [candidate.provider.name]).of(candidate.model, candidate.provider, candidate.max_tokens)
        except DeepselError:
            return  # asked now, where the same error becomes its record
        if self._is_cached(task, ask, encoded) or (may_store(ask.cache_mode, encoded) and encoded.key in self._seen):
            return
        row = self._row(task, encoded, lane)
        is_long = lane.max_input_tokens is not None and candidate.input_tokens > lane.max_input_tokens
        if is_long or (lane.max_line_bytes is not None and len(row) > lane.max_line_bytes):
            return
        expected, worst = (picousd(price_in(prepared, candidate.model, lane.service_tier, most=most, at=at)) or 0 for most in (False, True))
        if not self._has_money(expected):
            self.is_over_cap = True
            return
        if may_store(ask.cache_mode, encoded):
            self._seen.add(encoded.key)
        part = self._parts.setdefault((plan.model.name, lane.name), _Part(plan))
        if part.is_full(len(row)):
            self._give(part)
            part = self._parts[plan.model.name, lane.name] = _Part(plan)
        part.rows.append(row)
        part.numbers.append(task.one.number)
        part.size, part.expected, part.worst = part.size + len(row), part.expected + expected, part.worst + worst

    def _has_money(self, expected: int) -> bool:
        cap = self._work.cap_usd
        if cap is None:
            return True
        tally = self._floor.keeper.tally
        held = self._floor.held() + sum(part.expected for part in self._parts.values())
        return tally.cost_picousd + tally.lost_picousd + held + expected <= (picousd(cap) or 0)

    def _is_cached(self, task: Task, ask: Ask, encoded: Encoded) -> bool:
        """Answer a line from the cache, where that has it."""
        if not may_read(ask.cache_mode, encoded):
            return False
        try:
            result = finished(Run(ask._replace(cache_mode="only"), self._floor.session.resources, is_shown=False))
        except DeepselError:
            return False
        if result.error is not None or result.answer is None or result.answer.cache.status != "hit":
            return False
        lane = self._floor.lane_name(task.note)
        with shielded():
            self._floor.keeper.keep_now([self._floor.records.done(task.one, task.place, result, lane=lane)])
        return True

    def _row(self, task: Task, encoded: Encoded, lane: Lane) -> bytes:
        body = {name: value for name, value in encoded.body.items() if name not in _NOT_SENT}
        return serialise(APIS[lane.api].line(custom_id(task.one.number), body)) + b"\n"

    # --- one part ------------------------------------------------------------------------------------------------------

    def _give(self, part: _Part) -> None:
        """Write the intent, make the provider's job, write that."""
        if not part.rows:
            return
        floor, plan = self._floor, part.plan
        assert plan.choice.lane is not None
        at = floor.session.clock.now()
        number = max(floor.keeper.chunks, default=0) + 1
        chunk = Chunk(
            number, "intended", plan.provider.name, plan.model.name, plan.choice.name, f"{floor.job}-{number}", tuple(part.numbers),
            part.expected, at.timestamp(), hold=self._hold(part, at),
        )  # fmt: skip
        with shielded():
            floor.keeper.keep_chunk(chunk)
            self._make(part, chunk, floor.client(plan), window_s(plan.choice.lane, at=at, by=self._by))

    def _make(self, part: _Part, chunk: Chunk, client: BatchClient, seconds: int) -> None:
        """Make the job; where nobody can say whether it was made, the chunk stays an intent, to be looked for."""
        lane = part.plan.choice.lane
        assert lane is not None
        order = JobOrder(part.plan.model.id, chunk.tag, seconds)
        for turn in range(1, _CREATE_TURNS + 1):
            try:
                if APIS[lane.api].UPLOADS and not order.file_id:
                    order = order._replace(file_id=client.upload(part.rows, chunk.tag))
                elif not order.lines and not order.file_id:
                    order = order._replace(lines=[loads(row) for row in part.rows])
                job = client.create(order)
            except AttemptFailed as error:
                found = client.find(order, lines=len(part.rows), since=chunk.made_at) if _may_be_made(error) else None
                if found is None:
                    if turn == _CREATE_TURNS or not error.error_class.is_retryable:
                        self._floor.void(chunk)
                        raise _told(error, chunk) from error
                    self._floor.session.clock.sleep(min(error.retry_after_s or 2.0**turn, 60.0))
                    continue
                job = found
            self._floor.keeper.keep_chunk(chunk._replace(state="created", lines=(), job_id=job.id, word=job.word))
            return

    def _hold(self, part: _Part, at: datetime) -> int | None:
        """Hold the money for a part under the profile's budgets; raises OverBudgetError where there is too little."""
        profile = self._work.wanted.profile
        budgets = budgets_of(profile)
        if not budgets or part.plan.provider.is_simulated:
            return None
        held = self._floor.session.state.hold(budgets, usd(part.expected) or usd(0), at=at, ttl_s=86_400.0).value  # type: ignore[arg-type]
        if held is None or held.refusal:
            why = held.refusal if held else "what was spent cannot be read"
            raise OverBudgetError(f"nothing more was sent: {why}", "raise the budget, or wait, and go on with `--resume`")
        return held.hold


def custom_id(number: int) -> str:
    """Name a line at a provider."""
    return f"line-{number}"




def _may_be_made(error: AttemptFailed) -> bool:
    """Tell whether a job may have been made although its making failed: no answer came, or one that says nothing."""
    return error.error_class in (ErrorClass.NETWORK, ErrorClass.STREAM_CUT, ErrorClass.STALLED, ErrorClass.MALFORMED, ErrorClass.SERVER)


def _told(error: AttemptFailed, chunk: Chunk) -> DeepselError:
    kind = RefusedError if error.error_class.is_refusal else UnavailableError
    what = f"{chunk.provider} took no job of {len(chunk.lines):,} lines: {error.message}"
    return kind(what, "go on with `--resume`, or with `--lane now`")
