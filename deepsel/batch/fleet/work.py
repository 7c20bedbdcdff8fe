"""A fleet's job from the command to the written answers: joins it, carries out what is dealt, writes the answers out at its end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from glob import escape
from pathlib import Path
from typing import Any

from deepsel.batch.fleet.dealing import Dealing, Places
from deepsel.batch.fleet.ended import status_counts, tally_of
from deepsel.batch.fleet.keeper import FleetKeeper
from deepsel.batch.fleet.link import Kept, Link, head_of, owner_of
from deepsel.batch.job import Job
from deepsel.batch.journal import Done, Journal, parse
from deepsel.batch.outlet import Folder
from deepsel.batch.planning import JobPlan
from deepsel.batch.run import Runner, Stop, Work
from deepsel.batch.tally import JobTally
from deepsel.errors import ConfigError, UnavailableError, UsageError
from deepsel.fleet.ledger import LineLedger
from deepsel.fleet.server import FleetServer, FleetUnavailable
from deepsel.storage import files
from deepsel.storage.amounts import picousd

_WRITE_S = 60.0
"""So long may the answers be written before another worker takes that over; renewed while it lasts."""
_RENEWED_EVERY = 1000
_LOOK_S = 0.2


class FleetWork:
    """One worker's part in a job."""

    def __init__(self, job: Job, plan: JobPlan, name: str, *, told: Callable[[str], None]) -> None:
        """Connect to nothing yet; raises ConfigError where there is no server in the configuration."""
        fleet = job.session.settings.fleet
        if not fleet.redis_url:
            raise ConfigError("a fleet needs a Redis server", 'name it in profiles.toml: [fleet] redis_url = "redis://HOST:6379/1"')
        self._job, self._plan, self._name = job, plan, name
        self._server = FleetServer(fleet.redis_url, clock=job.session.clock, timeout_s=fleet.redis_timeout_s)
        self._ledger = LineLedger(self._server, name, os.urandom(8).hex(), lease_s=fleet.lease_s, keep_s=fleet.keep_s)
        self.link = Link(self._ledger, plan.job, plan.lines, job.session.clock, told=told)
        cap = job.bounds.cap_usd
        self.keeper = FleetKeeper(self.link, None if cap is None else picousd(cap))
        self.written = ""
        """Where the answers were written; empty: they are not yet."""

    # --- to begin ------------------------------------------------------------------------------------------------------

    def join(self) -> None:
        """Join the job, or make it; raises UnavailableError, and UsageError where the name is another job's."""
        kept = [*self._left_behind(), Kept(self._ledger.owner, self._new_journal())]
        try:
            self.written = self.link.join(kept)
        except (FleetUnavailable, UsageError) as error:
            kept[-1].journal.remove()
            self.link.close(is_whole=False)
            if isinstance(error, UsageError):
                raise
            raise UnavailableError(f"the fleet's server cannot be reached: {error}", "check `redis_url` in `[fleet]`") from error

    def _place(self) -> Path:
        place = self._job.where.output or self._job.where.folder
        assert place is not None
        return place

    def _new_journal(self) -> Journal:
        place = self._place()
        journal = Journal(place.with_name(f"{place.name}.{self._name}.{self._ledger.owner}.journal"), is_new=True)
        journal.append(head_of(self._plan.job, self._ledger.owner).entry())
        return journal

    def _left_behind(self) -> list[Kept]:
        """Open the journals of workers of this job that ended beside the same output."""
        place, found = self._place(), []
        for path in sorted(place.parent.glob(f"{escape(place.name)}.{escape(self._name)}.*.journal")):
            try:
                journal = Journal(path, is_new=False)
            except UsageError:  # its process is at work
                continue
            owner = owner_of(journal, self._plan.job)
            if owner is None:
                journal.close()
            else:
                found.append(Kept(owner, journal))
        return found

    def retry_failed(self) -> int:
        """Have the lines asked anew that have failed, each once however many ask for it; returns how many. Raises UnavailableError."""
        try:
            lines = self._ledger.failed()
            ended = (parse(entry) for entry in self._ledger.entries(lines))
            again = [self._ledger.ask_again(one.place, tuple(status_counts(one))) for one in ended if isinstance(one, Done)]
        except FleetUnavailable as error:
            raise _lost(error) from error
        self.written = "" if any(again) else self.written
        return sum(again)

    def runner(self) -> Runner:
        """Get ready to ask what is dealt."""
        job, notes, session, bounds = self._job, self._plan.notes, self._job.session, self._job.bounds
        limiter = job.limiter()
        dealing = Dealing(self.link, self.keeper, Places(job.source, notes))
        # no cap of its own: the ledger holds it for all workers
        work = Work(job.source, job.wanted, notes, bounds.threads, most_failed=bounds.most_failed, deal=dealing)
        return Runner(work, self.keeper, session.resources._replace(limiter=limiter), limiter, job.records)

    # --- at the end ----------------------------------------------------------------------------------------------------

    def tally(self) -> JobTally:
        """Return what all workers have done; raises UnavailableError."""
        try:
            return tally_of(self._ledger.counts())
        except FleetUnavailable as error:
            raise _lost(error) from error

    def write(self, stop: Stop) -> bool:
        """Write the answers of a job that is whole, or wait until another worker has; True where this one did.

        Raises UnavailableError, UsageError.
        """
        try:
            while (found := self._ledger.may_write(_WRITE_S)) == "busy":
                if stop.event.wait(_LOOK_S):
                    return False
            if found == "write":
                self.write_out()
                self.written = f"{self._place().absolute()} on {socket.gethostname()}"
                self._ledger.written(self.written)
                return True
            self.written = found
            return False
        except FleetUnavailable as error:
            raise _lost(error) from error

    def write_out(self) -> None:
        """Write every answer, in the order of the lines; raises UnavailableError, UsageError."""
        where = self._job.where
        try:
            if where.output is not None:
                files.write_whole(where.output, (done.record for done in self._every()), mode=0o644)
                return
            assert where.folder is not None
            folder = Folder(where.folder, where.suffix)
            for done in self._every():
                folder.take(done)
        except FleetUnavailable as error:
            raise _lost(error) from error
        except OSError as error:
            raise UsageError(f"cannot write `{self._place()}`: {(error.strerror or 'input/output error').lower()}", "make room") from error

    def _every(self) -> Iterator[Done]:
        """Yield how each line ended."""
        for number, entry in enumerate(self._ledger.entries(range(1, self._plan.lines + 1)), start=1):
            done = parse(entry)
            if not isinstance(done, Done) or done.place != number:
                raise FleetUnavailable(f"what it has of line {number} is none of ours")
            if number % _RENEWED_EVERY == 0:
                self._ledger.may_write(_WRITE_S)
            yield done

    def close(self, *, is_whole: bool) -> None:
        """Give back what was opened."""
        self.link.close(is_whole=is_whole)
        self._server.close()

    def summary(self, runner: Runner) -> dict[str, Any]:
        """Return the record of the whole job, as far as it is done."""
        summary = self._job.summary(self._plan, self.keeper, runner.limits())
        return {**summary, "fleet": {"job": self._name, "written": self.written or None}}


def _lost(error: FleetUnavailable) -> UnavailableError:
    return UnavailableError(str(error), "run the same command again when it is back: nothing is asked twice")
