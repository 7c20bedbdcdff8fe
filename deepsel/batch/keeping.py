"""Keeps what a job does: reads back what an earlier run left, and writes intents and results in groups, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from deepsel.batch.chunks import Chunk
from deepsel.batch.journal import Again, Done, Head, Intent, Journal, Lost
from deepsel.batch.outlet import Marks, Outlet, replace_records
from deepsel.batch.tally import JobTally
from deepsel.errors import UsageError
from deepsel.records import NamedTuple

_MOST_IN_A_GROUP = 1000


class Intended(NamedTuple):
    """An intent, and what follows once it is on the disk."""

    intent: Intent
    go: Callable[[], None]


class LineKeeper(Protocol):
    """What a runner has done with lines: where their ends are kept, and their sums."""

    tally: JobTally
    marks: Marks
    error: UsageError | None
    on_done: Callable[[Done], None]
    on_refused: Callable[[int, str], None]

    def start(self) -> None:
        """Begin to take intents and results."""

    def intend(self, intent: Intent, go: Callable[[], None]) -> None:
        """Make sure that a line may be sent, then call `go`; where it may not be, tell `on_refused` why."""

    def keep(self, done: Done) -> None:
        """Keep a result; `on_done` is told when it counts."""

    def first_missing(self) -> int:
        """Return the place of the line whose record is waited for; 0 where none waits for another."""


class Keeper:
    """The journal, the output and the counts of one job."""

    def __init__(self, journal: Journal, outlet: Outlet, output: Path | None) -> None:
        """Hold what was opened; `output` is the file of records, None where there is none."""
        self._journal, self._outlet, self._output = journal, outlet, output
        self.tally = JobTally()
        self.marks = Marks()
        """Lines that are done."""
        self.retried = Marks()
        """Lines that had failed and are asked anew."""
        self.chunks: dict[int, Chunk] = {}
        """Parts of the job that providers have, by number."""
        self.error: UsageError | None = None
        """Why nothing can be kept any more."""
        self.on_done: Callable[[Done], None] = lambda _: None
        """Told of each line that counts as done."""
        self.on_refused: Callable[[int, str], None] = lambda *_: None
        """Told of none: here every line that has room may be sent."""
        self._failed: dict[int, Done] = {}
        self._fresh: dict[int, int] = {}
        self._rounds = 0
        self._queue: queue.SimpleQueue[Intended | Done | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    # --- what an earlier run left --------------------------------------------------------------------------------------

    def begin(self, job: str) -> None:
        """Write the head of a new journal; raises UsageError."""
        self._write(Head(job).entry())

    def restore(self, job: str) -> None:
        """Read the journal back; raises UsageError where it is another job's."""
        pending: dict[int, int] = {}
        has_head = False
        for place, entry in self._journal.entries():
            if isinstance(entry, Head):
                has_head = True
                if entry.job != job:
                    raise UsageError(
                        f"`{self._journal.path}` is the journal of another job",
                        "the requests, or what is asked of them, have changed; name another output",
                    )
            elif isinstance(entry, Intent):
                pending[entry.number] = pending.get(entry.number, 0) + entry.held_picousd
            elif isinstance(entry, Again):
                self._start_round(entry.number)
            elif isinstance(entry, Chunk):
                self._restore_chunk(entry)
            elif isinstance(entry, Lost):
                pending.clear()
                self.tally.lose(*entry)
            else:
                pending.pop(entry.number, None)
                self._restore_done(entry, place)
        if not has_head:
            self.begin(job)
        if pending:
            lost = Lost(len(pending), sum(pending.values()))
            self._write(lost.entry())
            self.tally.lose(*lost)

    def _restore_chunk(self, chunk: Chunk) -> None:
        known = self.chunks.get(chunk.number)
        self.chunks[chunk.number] = chunk if chunk.lines or known is None else chunk._replace(lines=known.lines)

    def keep_chunk(self, chunk: Chunk) -> None:
        """Write how a part at a provider stands, and have it on the disk; raises UsageError. Not while lines are asked."""
        self._write(chunk.entry())
        self._restore_chunk(chunk)

    def keep_now(self, done: list[Done]) -> None:
        """Write results and let them count; raises UsageError. Not while lines are asked."""
        self._keep_group(list(done))
        if self.error is not None:
            raise self.error

    def _restore_done(self, done: Done, place: int) -> None:
        if self._outlet.is_out(done):
            if done.number in self.retried:
                self._fresh[done.number] = place
        else:
            self._outlet.take(done)
        self._count(done)

    def _count(self, done: Done) -> None:
        self.tally.add(done)
        self.marks.add(done.number)
        if done.status != "ok":
            self._failed[done.number] = done._replace(record=b"")
        else:
            self._failed.pop(done.number, None)

    def retry_failed(self) -> int:
        """Have the lines asked anew that have failed; returns how many they are. Raises UsageError."""
        self._rounds += 1
        self._write(Again(self._rounds).entry())
        return self._start_round(self._rounds)

    def _start_round(self, number: int) -> int:
        self._rounds = number
        count = len(self._failed)
        for line, done in self._failed.items():
            self.tally.take_back(done)
            self.marks.discard(line)
            self.retried.add(line)
        self._failed.clear()
        return count

    # --- while it runs --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to take intents and results."""
        self._thread = threading.Thread(target=self._work, name="deepsel-journal", daemon=True)
        self._thread.start()

    def intend(self, intent: Intent, go: Callable[[], None]) -> None:
        """Write an intent, then call `go`."""
        self._queue.put(Intended(intent, go))

    def keep(self, done: Done) -> None:
        """Write a result; it counts once it is on the disk."""
        self._queue.put(done)

    def first_missing(self) -> int:
        """Return the place of the line whose record is waited for; 0 where none waits for another."""
        return self._outlet.first_missing()

    def pause(self) -> None:
        """Write what is left, and take no more until it is started again."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def finish(self) -> None:
        """Write what is left and close the output; lines that were asked anew get their new records."""
        self.pause()
        with suppress(OSError):  # what is in the journal is written again by the next run
            self._outlet.close()
        if self.error is None and self._fresh and self._output is not None:
            try:
                replace_records(self._output, self._journal, self._fresh)
            except OSError as error:
                self.error = _full(self._output, error)

    def close(self, *, is_whole: bool) -> None:
        """Give the journal back; it stays until the job is whole."""
        if is_whole and self.error is None:
            self._journal.remove()
        self._journal.close()

    def _work(self) -> None:
        """Take what comes in groups: write, sync, then let it count."""
        is_over = False
        while not is_over:
            group = [self._queue.get()]
            with suppress(queue.Empty):
                while len(group) < _MOST_IN_A_GROUP:
                    group.append(self._queue.get_nowait())
            is_over = None in group
            self._keep_group([one for one in group if one is not None])

    def _keep_group(self, group: list[Intended | Done]) -> None:
        if self.error is None:
            try:
                places = self._append(group)
                for one in group:
                    if isinstance(one, Done):
                        self._let_count(one, places[id(one)])
            except OSError as error:
                self.error = _full(self._journal.path, error)
            except UsageError as error:
                self.error = error
        for one in group:  # also where nothing could be kept: those who wait for it see `error`
            if isinstance(one, Intended):
                one.go()
            else:
                self.on_done(one)

    def _append(self, group: list[Intended | Done]) -> dict[int, int]:
        """Write a group; returns the place in the file of each result, by its identity."""
        entries, places = [], {}
        place = self._journal.size
        for one in group:
            entry = one.entry() if isinstance(one, Done) else one.intent.entry()
            places[id(one)] = place
            place += len(entry)
            entries.append(entry)
        self._journal.append(b"".join(entries))
        return places

    def _let_count(self, done: Done, place: int) -> None:
        if self._outlet.is_out(done):
            self._fresh[done.number] = place
        else:
            self._outlet.take(done)
        self._count(done)

    def _write(self, data: bytes) -> None:
        try:
            self._journal.append(data)
        except OSError as error:
            raise _full(self._journal.path, error) from error


def _full(path: Path, error: OSError) -> UsageError:
    words = (error.strerror or "input/output error").lower()
    return UsageError(f"cannot write `{path}`: {words}", "make room, then go on with `--resume`")
