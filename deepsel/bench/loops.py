"""The ways to send: closed loop, open loop, rounds of silence. Owns threads and turns; computes no figure.

Several models are measured in turn within one run, so that what changes meanwhile changes for all of them alike.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from deepsel.bench.measure import BenchTarget, Caller, Seen, undisturbed
from deepsel.bench.records import Case, Role
from deepsel.bench.statistics import quantile
from deepsel.carried import Carried

TICK_S = 0.25
"""How often whoever watches is told how far it is: seldom, since showing it takes time from the measured threads."""
_TURN = 4
"""Requests each worker makes for one model before it is the next one's turn; one where only one runs at a time."""
_MOST_AT_ONCE = 512
_KEEP_ALIVE_TOKENS = 1


@dataclass(slots=True)
class CaseRun:
    """A case under way."""

    case: Case
    target: BenchTarget
    prompts: deque[str]
    """One for each request to come."""
    seen: list[Seen] = field(default_factory=list)
    """In order of their ends; appended to by several threads."""
    wall_s: float = 0.0
    total: int = 0
    """Requests in all, where that is known."""

    def so_far(self) -> str:
        """Say how far it is, and the percentiles as they stand."""
        taken = list(self.seen)
        times = sorted(one.text_at[0] - one.exchange.write_began_at for one in taken
                       if one.text_at and one.exchange and one.exchange.write_began_at)  # fmt: skip
        words = f"{self.case.model}  {len(taken)} of {self.total}"
        if times:
            words += f"  first token p50 {quantile(times, 0.5) * 1000:.0f} ms, p95 {quantile(times, 0.95) * 1000:.0f} ms"
        failed = sum(1 for one in taken if one.failure)
        return f"{words}  {failed} failed" if failed else words


@dataclass(slots=True)
class Sender:
    """Sends the requests of one phase after the other. KeyboardInterrupt leaves what was seen in the runs."""

    caller: Caller
    max_tokens: int
    rng: random.Random
    watch: Callable[[str], None] | None = None
    """Told what is waited for, TICK_S apart at least."""
    overhead: list[Seen] = field(default_factory=list)
    """Warm-up and keep-alive requests."""
    _failure: Carried = field(default_factory=Carried)
    """Of any thread."""
    _is_stopped: bool = False

    # --- load --------------------------------------------------------------------------------------------------------

    def warm_up(self, target: BenchTarget, prompts: Sequence[str], workers: int) -> None:
        """Send requests that count nowhere, so that connections are open, and names and certificates known."""
        self._crowd(CaseRun(Case(target.model.name, ""), target, deque(prompts), self.overhead), workers, lambda: "warming up")

    def closed(self, runs: Sequence[CaseRun], workers: int) -> None:
        """Let `workers` threads each send the next request when their last answer is whole; models take turns."""
        with undisturbed():
            while waiting := [run for run in runs if run.prompts]:
                for run in waiting:
                    size = len(run.prompts) if len(runs) == 1 else workers * (_TURN if workers > 1 else 1)
                    turn = deque(run.prompts.popleft() for _ in range(min(size, len(run.prompts))))
                    began_at = self._now()
                    self._crowd(CaseRun(run.case, run.target, turn, run.seen), workers, run.so_far)
                    run.wall_s += self._now() - began_at

    def open(self, runs: Sequence[CaseRun], rate: float) -> None:
        """Send at random instants, `rate` a second for each model (a Poisson process), whatever has been answered.

        Latency counts from the instant a request was to be sent, so that a server that stalls cannot hide it by
        keeping us from sending.
        """
        arrivals = sorted(chain.from_iterable(self._arrivals(run, rate) for run in runs), key=lambda one: one[0])
        places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        threads: list[threading.Thread] = []
        with undisturbed():
            began_at = self._now()

            def send(run: CaseRun, prompt: str, at: float) -> None:
                """Send one request from a thread of its own."""
                with places:
                    self._call(run, prompt, intended_at=at)

            for offset, run in arrivals:
                self._wait_until(began_at + offset, run.so_far)
                thread = threading.Thread(target=send, args=(run, run.prompts.popleft(), began_at + offset), daemon=True)
                threads.append(thread)
                thread.start()
                self._failure.raise_it()
            self._join(threads, runs[0].so_far)
            for run in runs:
                run.wall_s = self._now() - began_at

    def _arrivals(self, run: CaseRun, rate: float) -> Iterator[tuple[float, CaseRun]]:
        """Yield when each request of a case is to be sent."""
        at = 0.0
        for _ in range(len(run.prompts)):
            at += self.rng.expovariate(rate)
            yield at, run

    # --- silence -----------------------------------------------------------------------------------------------------

    def round(self, runs: Sequence[CaseRun], words: str) -> None:
        """Be silent for the time of the runs, which is the same for all, then ask each model twice at once.

        Two prompts of each run are used. With a fresh connection all kept ones are closed before.
        """
        case = runs[0].case
        assert case.idle_s is not None
        began_at = self._now()
        end, next_warm = began_at + case.idle_s, began_at + (case.warm_every_s or case.idle_s)
        while next_warm < end:
            self._wait_until(next_warm, lambda: f"{words}: {end - self._now():.1f} s of silence left, kept warm")
            for run in runs:
                self.overhead.append(self.caller.call(run.target, "hi", max_tokens=_KEEP_ALIVE_TOKENS))
            next_warm += case.warm_every_s or case.idle_s
        self._wait_until(end, lambda: f"{words}: {end - self._now():.1f} s of silence left")
        if case.connection == "fresh":
            self.caller.transport.drop_connections()
        for run in runs:
            with undisturbed():
                asked_at = self._now()
                roles: tuple[Role, Role] = ("cold", "warm")
                pair = [
                    self.caller.call(run.target, run.prompts.popleft(), max_tokens=self.max_tokens, role=role)
                    for role in roles
                ]
                run.wall_s += self._now() - asked_at
            run.seen.extend(pair)  # both or none: a penalty needs the two

    # --- threads -----------------------------------------------------------------------------------------------------

    def _crowd(self, run: CaseRun, workers: int, words: Callable[[], str]) -> None:
        """Let threads send a run's prompts until there are none left."""

        def work() -> None:
            """Send one after the other."""
            while not (self._is_stopped or self._failure):
                try:
                    prompt = run.prompts.popleft()
                except IndexError:
                    return
                self._call(run, prompt)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(run.prompts)))]
        for thread in threads:
            thread.start()
        self._join(threads, words)

    def _call(self, run: CaseRun, prompt: str, *, intended_at: float | None = None) -> None:
        """Make one call in a thread; what is no failure of the call, a bug too, stops the run and is raised by it."""
        with self._failure:
            run.seen.append(self.caller.call(run.target, prompt, max_tokens=self.max_tokens, intended_at=intended_at))

    def _join(self, threads: Sequence[threading.Thread], words: Callable[[], str]) -> None:
        """Wait for threads, and tell how far they are."""
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(TICK_S)
                    self._tell(words)
        except KeyboardInterrupt:
            self._is_stopped = True
            raise
        self._failure.raise_it()

    def _wait_until(self, instant: float, words: Callable[[], str]) -> None:
        """Sleep, and tell what for."""
        while (left_s := instant - self._now()) > 0:
            if left_s > TICK_S:
                self._tell(words)
            self.caller.clock.sleep(min(left_s, TICK_S))

    def _tell(self, words: Callable[[], str]) -> None:
        if self.watch is not None:
            self.watch(words())

    def _now(self) -> float:
        return self.caller.clock.monotonic()
