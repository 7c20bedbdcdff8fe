"""A worker's line to the ledger: what it has done stays in a journal beside the output, and is told again to a server that was lost.

While the server cannot be reached no line is taken and none is sent; what is under way is finished, and told when it is back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock
from typing import TypeVar

from deepsel.batch.fleet.ended import ended_of
from deepsel.batch.journal import Done, Head, Journal
from deepsel.clock import Clock
from deepsel.errors import UsageError
from deepsel.fleet.ledger import Dealt, LineLedger, OtherJob
from deepsel.fleet.server import FleetUnavailable
from deepsel.records import NamedTuple

LOOK_S = 0.25
"""How often it is looked whether the server is back."""
_T = TypeVar("_T")


class Kept(NamedTuple):
    """A journal, and in whose name its lines were done."""

    owner: str
    journal: Journal


class Link:
    """The ledger as a worker uses it, through losses of the server. Safe to use from many threads."""

    def __init__(self, ledger: LineLedger, job: str, lines: int, clock: Clock, *, told: Callable[[str], None]) -> None:
        """Join nothing yet; `told` is given what a person should know."""
        self.ledger = ledger
        self._job, self._lines, self._clock, self._told = job, lines, clock, told
        self._kept: list[Kept] = []
        self._lock = RLock()
        self._is_lost = False
        self.is_given_up: Callable[[], bool] = lambda: False
        """Whether nobody waits for the server any more."""

    def join(self, kept: Sequence[Kept]) -> str:
        """Join the job, and tell what journals hold, this worker's own last.

        Returns where the answers were written, empty where they are not. Raises FleetUnavailable, UsageError.
        """
        self._kept = list(kept)
        written = self._join(is_back=False)
        self._tell_again()
        return written

    def _join(self, *, is_back: bool) -> str:
        try:
            return self.ledger.join(self._job, self._lines, is_back=is_back)
        except OtherJob as error:
            raise UsageError(f"the fleet has a job of that name, {error}", "give another name with `--fleet`") from None

    def keep(self, group: Sequence[Done]) -> None:
        """Write ends to the journal; raises OSError."""
        with self._lock:
            self._kept[-1].journal.append(b"".join(done.entry() for done in group))

    def tell(self, done: Done) -> None:
        """Tell the ledger an end that the journal has; raises UsageError, and FleetUnavailable where that was given up."""
        self.call(lambda: self.ledger.done(ended_of(done)))

    def call(self, action: Callable[[], _T]) -> _T:
        """Do something with the ledger, however long that takes to be possible; raises FleetUnavailable where that was given up."""
        while True:
            try:
                self._ensure_there()
                found = action()
                if found != "gone" and not (isinstance(found, Dealt) and found.kind == "gone"):
                    return found
                self.lose("it has lost the job")
            except FleetUnavailable as error:
                self.lose(str(error))
                if self.is_given_up():
                    raise
                self._clock.sleep(LOOK_S)

    def lose(self, words: str) -> None:
        """Note that the server is not what it was."""
        with self._lock:
            if not self._is_lost:
                self._told(f"no lines are taken while the fleet's server is away: {words}")
            self._is_lost = True

    def _ensure_there(self) -> None:
        """Join again where the server was lost, and tell it all that was done here; raises FleetUnavailable, UsageError."""
        with self._lock:
            if self._is_lost:
                self._join(is_back=True)
                self._tell_again()
                self._is_lost = False
                self._told("the fleet's server is back")

    def _tell_again(self) -> None:
        for owner, journal in self._kept:
            for _, entry in journal.entries():
                if isinstance(entry, Done):
                    self.ledger.done(ended_of(entry), owner=owner)

    def close(self, *, is_whole: bool) -> None:
        """Give the journals back; they stay until the job is whole."""
        for _, journal in self._kept:
            if is_whole:
                journal.remove()
            journal.close()


def head_of(job: str, owner: str) -> Head:
    """Make the first line of a worker's journal."""
    return Head(f"{job} {owner}")


def owner_of(journal: Journal, job: str) -> str | None:
    """Read in whose name a journal was kept; None where it is another job's."""
    found = next((entry for _, entry in journal.entries() if isinstance(entry, Head)), None)
    named, _, owner = found.job.partition(" ") if found else ("", "", "")
    return owner if named == job and owner else None
