"""Carries a planned job out: feeds its lines to threads, each of which asks one request after the other through one session."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from deepsel.batch.asking import Wishes, ask_of
from deepsel.batch.cap import Cap, Room
from deepsel.batch.journal import Done, Intent
from deepsel.batch.keeping import LineKeeper
from deepsel.batch.notes import Note, Notes
from deepsel.batch.outlet import Marks
from deepsel.batch.planning import kind_of
from deepsel.batch.results import LineResult, Records, is_out_of_budget, is_worth_another_turn
from deepsel.batch.source import JobSource, LineFault, Numbered
from deepsel.engine.ask import Ask
from deepsel.engine.paced import PacedLimiter
from deepsel.engine.resources import Resources
from deepsel.engine.run import Run
from deepsel.errors import DeepselError
from deepsel.storage.amounts import picousd

FIRST_LINES = 50
"""Lines after which it is looked whether the job goes wrong."""
_LOOK_S = 0.1
_ROW_FOR_EACH = 4
"""Lines that wait for a thread, as a share of the threads: one in so many."""
_WINDOW = 1024
"""Lines that may be done before one that is not, so that the output is in order in bounded memory."""
_TURNS = 5
"""How often a line is asked anew that found no place, or was only told to wait."""


@dataclass(frozen=True, slots=True)
class Task:
    """One line on its way."""

    one: Numbered
    place: int
    note: Note


@dataclass(slots=True)
class Work:
    """What there is to do, and within which bounds."""

    source: JobSource
    wanted: Wishes
    notes: Notes
    threads: int
    cap_usd: Decimal | None = None
    held_picousd: int = 0
    """What is held for lines that providers have."""
    most_failed: float | None = None
    """Share of failed lines from which the job is stopped; None: half of the first 50."""
    goes: Callable[[Note], bool] = lambda _: True
    """Whether a line is asked by itself: others go to their provider in a job."""
    lane_name: Callable[[Note], str] = lambda _: "now"
    """Names the lane of a line."""
    opens_in_s: Callable[[Note], float] = lambda _: 0.0
    """Seconds until a line may be sent."""
    is_windowed: bool = True
    """Whether the output waits for no line that goes another way."""
    deal: Callable[[Stop], Iterator[Task]] | None = None
    """Yields the lines that this process is to ask, where others ask the rest; None: all of them."""


@dataclass(slots=True)
class Stop:
    """Why no more lines are taken; empty: they are."""

    why: str = ""
    """`user`, `cap`, `budget`, `failures` or `disk`."""
    words: str = ""
    event: threading.Event = field(default_factory=threading.Event)

    def __call__(self, why: str, words: str = "") -> None:
        """Stop; the first reason holds."""
        if not self.event.is_set():
            self.why, self.words = why, words
            self.event.set()


class Runner:
    """One run over a job's lines."""

    def __init__(self, work: Work, keeper: LineKeeper, resources: Resources, limiter: PacedLimiter, records: Records) -> None:
        """Get ready; `resources` have the limiter in them."""
        self._work, self._keeper, self._resources, self._limiter, self._records = work, keeper, resources, limiter, records
        self.stop = Stop()
        spent = keeper.tally.cost_picousd + keeper.tally.lost_picousd + work.held_picousd
        self._cap = Cap(None if work.cap_usd is None else picousd(work.cap_usd), spent)
        self._lock = threading.Condition()
        self._outstanding = 0
        """Lines that were handed on and are not done."""
        self._asking = 0
        """Threads that are asking."""
        self._ready: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._started_ok = keeper.tally.ok
        self._started_bad = keeper.tally.failed + keeper.tally.skipped
        self._pending: set[Future[None]] = set()

    def start(self) -> None:
        """Begin to ask, in threads."""
        self._keeper.on_done, self._keeper.on_refused = self._take_done, self._take_back
        self._keeper.start()
        pool = ThreadPoolExecutor(self._work.threads + 1, thread_name_prefix="deepsel-batch")
        self._pending = {pool.submit(self._feed), *(pool.submit(self._ask_in_turn) for _ in range(self._work.threads))}
        pool.shutdown(wait=False)

    def is_over(self, timeout_s: float) -> bool:
        """Wait for the threads; True where all of them have ended. Raises what one of them ended with, which is an error of ours."""
        done, self._pending = wait(self._pending, timeout=timeout_s, return_when=FIRST_EXCEPTION)
        for one in done:
            if one.exception() is not None:
                self.stop_soon()
            one.result()
        return not self._pending

    def stop_soon(self) -> None:
        """Take no more lines; those under way are finished."""
        self.stop("user")
        self._wake()

    @property
    def under_way(self) -> int:
        """Lines that were handed on and are not done."""
        return self._outstanding

    def limits(self) -> dict[str, Any]:
        """Return what was found of each endpoint, as members of the summary."""
        found = self._limiter.found()
        return {name: {"peak": one.peak, "last": one.pace.places, "refused": one.refused} for name, one in found.items()}

    def _wake(self) -> None:
        with self._lock:
            self._lock.notify_all()

    # --- feeding --------------------------------------------------------------------------------------------------------

    def _feed(self) -> None:
        """Hand on line after line, as many as there is room for; then let the threads end."""
        try:
            deal = self._work.deal
            for task in deal(self.stop) if deal else tasks_of(self._work, self._keeper.marks):
                if not self._work.goes(task.note):
                    continue
                if self.stop.event.is_set() or not self._hand_on(task):
                    break
        finally:
            with self._lock:
                while self._outstanding and not self.stop.event.is_set():
                    self._lock.wait(_LOOK_S)
            for _ in range(self._work.threads):
                self._ready.put(None)

    def _hand_on(self, task: Task) -> bool:
        """Hand a line on when it may be; False where the job is to end before it."""
        one, note = task.one, task.note
        if note.is_duplicate:
            fault = LineFault("duplicate_id", f"line {one.number}: the id `{one.id}` stands in an earlier line")
            return self._skip(task, fault)
        if one.request is None:
            return self._skip(task, one.fault or LineFault("bad_line", "nothing is asked"))
        held = self._wait_for_room(task)
        if held is None:
            return False
        self._keeper.intend(Intent(one.number, held), lambda: self._ready.put(task))
        return True

    def _wait_for_room(self, task: Task) -> int | None:
        """Wait until a line may be sent; returns what it is held at, None where it may not be."""
        note = task.note
        with self._lock:
            while not self.stop.event.is_set():
                room = self._cap.room_for(note.expected_picousd, note.worst_picousd)
                if room is Room.NEVER:
                    self.stop("cap")
                elif room is Room.NOW and self._has_place(task) and self._work.opens_in_s(note) <= 0:
                    self._outstanding += 1
                    return self._cap.send(task.one.number, note.expected_picousd, note.worst_picousd)
                else:
                    self._lock.wait(_LOOK_S)
        return None

    def _has_place(self, task: Task) -> bool:
        """Tell whether a line may wait for a thread, or for those before it in the output."""
        first = self._keeper.first_missing() if self._work.is_windowed else 0
        is_far = first and task.place - first > max(_WINDOW, 16 * self._work.threads)
        room = min(self._limiter.room, self._work.threads)
        return not is_far and self._outstanding < room + max(2, room // _ROW_FOR_EACH)

    def _skip(self, task: Task, fault: LineFault) -> bool:
        """Record a line that cannot be sent."""
        with self._lock:
            first = self._keeper.first_missing() if self._work.is_windowed else 0
            while first and task.place - first > _WINDOW * 4 and not self.stop.event.is_set():
                self._lock.wait(_LOOK_S)
                first = self._keeper.first_missing()
            self._outstanding += 1
        self._keeper.keep(self._records.refused(task.one, task.place, fault, lane=self._work.lane_name(task.note)))
        return True

    # --- asking ---------------------------------------------------------------------------------------------------------

    def _ask_in_turn(self) -> None:
        """Ask one line after the other."""
        while (task := self._ready.get()) is not None:
            done = None if self._keeper.error else self._ask(task)
            if done is None:
                with self._lock:
                    self._cap.settle(task.one.number, 0)
                    self._outstanding -= 1
                    self._lock.notify_all()
            else:
                self._keeper.keep(done)

    def _ask(self, task: Task) -> Done | None:
        """Ask a line until it has an end that says something of it; None where the job's money is spent, or it is stopped."""
        assert task.one.request is not None
        before: LineResult | None = None
        for turn in range(1, _TURNS + 1):
            if not self._enter():
                return None
            try:
                result = self._asked(task, before)
            finally:
                self._leave()
            if is_out_of_budget(result, self._work.wanted.profile):
                if self._is_alone():
                    self.stop("budget", result.error.message if result.error else "")
                    return None
                continue
            if turn == _TURNS or not is_worth_another_turn(result):
                break
            before = result
        else:
            return None
        return self._records.done(task.one, task.place, result, lane=self._work.lane_name(task.note))

    def _asked(self, task: Task, before: LineResult | None) -> LineResult:
        """Make one run of the line."""
        assert task.one.request is not None
        try:
            ask = judged(ask_of(task.one.request, self._work.wanted), task.note)
            run = Run(ask, self._resources, is_shown=False)
        except DeepselError as error:
            return LineResult(None, error, kind_of(error))
        failure: DeepselError | None = None
        try:
            for _ in run.events():
                pass
        except DeepselError as error:
            failure = error
        return LineResult(run.answer(), failure or run.failure(), "", before)

    def _enter(self) -> bool:
        """Wait for as many threads to be at work as the limits allow; False where the job is stopped before it is sent."""
        with self._lock:
            while self._asking >= max(1, self._limiter.room):
                if self.stop.event.is_set():
                    return False
                self._lock.wait(_LOOK_S)
            if self.stop.event.is_set():
                return False
            self._asking += 1
            return True

    def _leave(self) -> None:
        with self._lock:
            self._asking -= 1
            self._lock.notify_all()

    def _is_alone(self) -> bool:
        """Wait for another line to end, whose reservation may become free; True where there is none under way."""
        with self._lock:
            if self._asking == 0:
                return True
            self._lock.wait(_LOOK_S * 10)
            return False

    # --- what has come of it ---------------------------------------------------------------------------------------------

    def _take_done(self, done: Done) -> None:
        """Go on where a line counts as done: called by the keeper."""
        with self._lock:
            self._cap.settle(done.number, 0 if done.is_simulated else done.cost_picousd)
            self._outstanding -= 1
            self._lock.notify_all()
        if self._keeper.error is not None:
            self.stop("disk", self._keeper.error.message)
        elif self._goes_wrong():
            self.stop("failures")

    def _take_back(self, number: int, why: str) -> None:
        """Go on without a line that must not be sent here: called by the keeper."""
        with self._lock:
            self._cap.settle(number, 0)
            self._outstanding -= 1
            self._lock.notify_all()
        if why == "cap":
            self.stop("cap")
        elif self._keeper.error is not None:
            self.stop("disk", self._keeper.error.message)

    def _goes_wrong(self) -> bool:
        """Tell whether so many lines have failed that the rest is not worth its money."""
        tally = self._keeper.tally
        bad = tally.failed + tally.skipped - self._started_bad
        done = bad + tally.ok - self._started_ok
        if self._work.most_failed is None:
            return done <= FIRST_LINES and bad * 2 >= FIRST_LINES
        return done >= FIRST_LINES and bad > self._work.most_failed * done


def tasks_of(work: Work, marks: Marks) -> Iterator[Task]:
    """Yield the lines that are still to be done."""
    pairs = zip(work.source.requests(lambda _: None), work.notes, strict=False)
    for place, (one, note) in enumerate(pairs, start=1):
        if one.number not in marks:
            yield Task(one, place, note)


def judged(ask: Ask, note: Note) -> Ask:
    """Return the request with what the plan judged of it, so that nobody has to do it again."""
    return ask._replace(task=ask.task or note.task, difficulty=note.difficulty if ask.difficulty is None else ask.difficulty)
