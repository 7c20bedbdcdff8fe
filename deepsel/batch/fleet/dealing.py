"""The lines that are dealt to a worker, one after the other, read from its own copy of the source."""

from __future__ import annotations

from collections.abc import Iterator

from deepsel.batch.fleet.keeper import FleetKeeper
from deepsel.batch.fleet.link import Link
from deepsel.batch.notes import Note, Notes
from deepsel.batch.run import Stop, Task
from deepsel.batch.source import JobSource, Numbered
from deepsel.errors import UsageError
from deepsel.fleet.server import FleetUnavailable

_AT_ONCE = 8
"""Lines that are taken at once: few, so that at the end nobody sits on what others could ask."""
_LOOK_S = 0.1


class Places:
    """A job's lines by their place: goes forward through the source, and from its start again for a line that lies before."""

    def __init__(self, source: JobSource, notes: Notes) -> None:
        """Read nothing yet."""
        self._source, self._notes = source, notes
        self._at = 0
        self._lines: Iterator[tuple[Numbered, Note]] = iter(())

    def task(self, place: int) -> Task:
        """Return the line at a place, from 1; raises UsageError where the source has become shorter."""
        if place <= self._at or not self._at:
            self._at, self._lines = 0, zip(self._source.requests(lambda _: None), self._notes, strict=False)
        for one, note in self._lines:
            self._at += 1
            if self._at == place:
                return Task(one, place, note)
        raise UsageError(f"{self._source.label} has changed while it was read", "start again from a copy of it")


class Dealing:
    """What a runner is given to do, until every line of the job is done by somebody."""

    def __init__(self, link: Link, keeper: FleetKeeper, places: Places) -> None:
        """Take nothing yet."""
        self._link, self._keeper, self._places = link, keeper, places

    def __call__(self, stop: Stop) -> Iterator[Task]:
        """Yield lines as they are dealt; ends where all are done, or the run is stopped."""
        self._link.is_given_up = stop.event.is_set
        while not stop.event.is_set():
            try:
                dealt = self._link.call(lambda: self._link.ledger.take(_AT_ONCE))
                tasks = [self._places.task(place) for place in sorted(dealt.lines)]
            except FleetUnavailable:
                return
            except UsageError as error:
                self._keeper.error = error
                stop("disk", error.message)
                return
            if dealt.kind == "over":
                return
            if not tasks:
                stop.event.wait(_LOOK_S)
            for task in tasks:
                self._keeper.has(task)
            yield from tasks
