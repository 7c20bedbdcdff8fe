"""The steps of `batch run --fleet`: the job joined, this machine's share asked, the answers written out by one of all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deepsel.batch.fleet.work import FleetWork
from deepsel.cli.batch import text
from deepsel.cli.batch.line import BatchLine
from deepsel.cli.batch.options import BatchRunOptions
from deepsel.cli.batch.steps import confirm, failure_of, run_watched
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import is_terminal, write_note
from deepsel.errors import UsageError
from deepsel.show.record import dump

if TYPE_CHECKING:
    from deepsel.batch.job import Job
    from deepsel.batch.planning import JobPlan
    from deepsel.cli.options import Common


def carry_share(job: Job, options: BatchRunOptions, common: Common) -> None:
    """Plan, join, ask what is dealt, have the answers written, tell how it ended; raises what decides the exit code."""
    assert options.fleet is not None

    def note(words: str) -> None:
        if not common.quiet:
            write_note(words)

    is_watched = is_terminal(sys.stderr) and not common.quiet
    with BatchLine(job.session.clock, is_shown=is_watched) as line:
        plan = job.plan(watch=line.planning)
    for told in text.plan_lines(plan, None, job):
        note(told)
    confirm(options, plan)
    work = FleetWork(job, plan, options.fleet, told=note)
    work.join()
    is_whole = False
    try:
        if options.retry_failed:
            note(f"{work.retry_failed():,} failed lines are asked anew")
        if job.where.has_answers() and not work.written and not options.retry_failed:
            raise UsageError(f"`{job.where.output or job.where.folder}` exists, and is not this job's", "name another output")
        is_whole = _carry_out(work, job, plan, options, common, is_watched=is_watched)
    finally:
        work.close(is_whole=is_whole)


def _carry_out(work: FleetWork, job: Job, plan: JobPlan, options: BatchRunOptions, common: Common, *, is_watched: bool) -> bool:
    """Ask what is dealt, and write the answers of a job that is whole; True where every line has succeeded."""
    runner, was_written = work.runner(), bool(work.written)
    try:
        with BatchLine(job.session.clock, is_shown=is_watched) as line:
            run_watched(runner, line.watching(plan, work.keeper, runner), common)
    finally:
        work.keeper.finish()
    own = work.keeper.tally.done
    work.keeper.tally = work.tally()
    is_done = work.keeper.tally.done == plan.lines
    if is_done and work.keeper.error is None:
        if was_written and not job.where.has_answers():  # a machine that comes later, or writes elsewhere
            work.write_out()
        else:
            work.write(runner.stop)
    summary = work.summary(runner)
    if not common.quiet:
        write_note(f"{own:,} lines were asked here")
        write_note(text.summary_line(summary))
        if work.written:
            write_note(f"the answers were written to {work.written}")
    if options.as_json:
        write_stdout(dump(summary))
    failure = failure_of(job, plan, work.keeper, runner.stop)
    if failure is not None:
        failure.is_recorded = options.as_json
        raise failure
    return is_done
