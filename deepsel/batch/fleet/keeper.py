"""Keeps what a worker of a fleet does: a line is begun in the ledger before it is sent, and counts once the ledger has its end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from deepsel.batch.fleet.link import Link
from deepsel.batch.journal import Done, Intent
from deepsel.batch.outlet import Marks
from deepsel.batch.run import Task
from deepsel.batch.tally import JobTally
from deepsel.errors import UsageError
from deepsel.fleet.server import FleetUnavailable

_MOST_IN_A_GROUP = 200
_LATER_S = 0.05
"""How often it is looked whether what others hold has become free."""
_BEATS = 4
"""Times a lease is renewed while it lasts."""


class FleetKeeper:
    """What the runner of a worker has in place of a file's keeper; its tally is of what this worker did."""

    def __init__(self, link: Link, cap_picousd: int | None) -> None:
        """Hold the line to the ledger; `cap_picousd` bounds the job, all workers together."""
        self._link, self._cap = link, cap_picousd
        self.tally, self.marks = JobTally(), Marks()
        self.error: UsageError | None = None
        """Why nothing can be kept any more."""
        self.on_done: Callable[[Done], None] = lambda _: None
        self.on_refused: Callable[[int, str], None] = lambda *_: None
        """Told of each line that was not begun, and why."""
        self._tasks: dict[int, Task] = {}
        """The lines that are this worker's, by number."""
        self._lock = threading.Lock()
        self._to_keep: queue.SimpleQueue[Done | None] = queue.SimpleQueue()
        self._to_tell: queue.SimpleQueue[Done | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"deepsel-fleet{work.__name__}", daemon=True)
            for work in (self._keep_all, self._tell_all, self._beat)
        ]

    def start(self) -> None:
        """Begin to keep ends, and leases."""
        for thread in self._threads:
            thread.start()

    def has(self, task: Task) -> None:
        """Take note of a line that was dealt to this worker."""
        with self._lock:
            self._tasks[task.one.number] = task

    def intend(self, intent: Intent, go: Callable[[], None]) -> None:
        """Reserve what a line may cost, then call `go`; where it may not be sent `on_refused` is told."""
        task = self._tasks[intent.number]
        expected = task.note.expected_picousd or 0
        worst = expected if task.note.worst_picousd is None else task.note.worst_picousd
        try:
            while (found := self._link.call(lambda: self._link.ledger.begin(task.place, expected, worst, self._cap))) == "later":
                if self._link.is_given_up():
                    break
                self._over.wait(_LATER_S)
        except FleetUnavailable:
            found = "away"
        except UsageError as error:
            self.error, found = error, "away"
        if found == "go":
            go()
            return
        if found == "lost":
            with self._lock:
                self._tasks.pop(intent.number, None)
        self.on_refused(intent.number, found)

    def keep(self, done: Done) -> None:
        """Keep a line's end; it counts once the ledger has it."""
        self._to_keep.put(done)

    def first_missing(self) -> int:
        """Wait for none: the output is written at the end."""
        return 0

    def finish(self) -> None:
        """Keep what is left, and give back the lines that were not sent."""
        if self._threads[0].ident is not None:
            self._to_keep.put(None)
            for thread in self._threads[:2]:
                thread.join()
            self._over.set()
            self._threads[2].join()
        with suppress(FleetUnavailable):  # their leases end by themselves
            for task in self._tasks.values():
                self._link.ledger.leave(task.place)
        self._tasks.clear()

    def _keep_all(self) -> None:
        """Write ends to the journal in groups, also while the server is away."""
        is_over = False
        while not is_over:
            group = [self._to_keep.get()]
            with suppress(queue.Empty):
                while len(group) < _MOST_IN_A_GROUP:
                    group.append(self._to_keep.get_nowait())
            is_over = None in group
            try:
                self._link.keep([one for one in group if one is not None])
            except OSError as error:
                self.error = UsageError(f"cannot write the journal: {(error.strerror or 'input/output error').lower()}", "make room")
            for one in group:
                self._to_tell.put(one)

    def _tell_all(self) -> None:
        """Tell the ledger each end that was kept; then it counts."""
        while (done := self._to_tell.get()) is not None:
            try:
                if self.error is None:
                    self._link.tell(done)
            except UsageError as error:
                self.error = error
            except FleetUnavailable as error:
                words = f"{error}; what was answered stands in the journal beside the output"
                self.error = UsageError(words, "run the same command again")
            with self._lock:
                self._tasks.pop(done.number, None)
                self.tally.add(done)
            self.on_done(done)

    def _beat(self) -> None:
        """Keep the leases while lines are under way, and see whether the server was started anew."""
        ledger = self._link.ledger
        while not self._over.wait(ledger.lease_s / _BEATS):
            with self._lock:
                held = [task.place for task in self._tasks.values()]
            try:
                ledger.renew(held)
                if ledger.has_restarted():
                    self._link.lose("it was started anew")
            except FleetUnavailable as error:
                self._link.lose(str(error))
