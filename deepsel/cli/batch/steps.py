"""The steps of `batch run`: what was typed as a job, its plan shown and agreed to, the run watched, its end told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.batch.asking import Wishes
from deepsel.batch.course import Course
from deepsel.batch.job import Bounds, Job, Where
from deepsel.batch.outlet import Marks
from deepsel.batch.results import Records
from deepsel.batch.source import FileSource, JobSource, find_files, open_lines
from deepsel.cli.ask.command import AskOptions
from deepsel.cli.ask.records import answer_record, unasked_record
from deepsel.cli.ask.request import cache_mode, read_request, whom_to_ask
from deepsel.cli.batch import text
from deepsel.cli.batch.line import BatchLine
from deepsel.cli.batch.options import LANES, BatchRunOptions, EachLine
from deepsel.cli.checked import count, instant, money, one_of, parse_duration, refuse, within
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import is_terminal, write_note
from deepsel.ending import leave_at_next_signal, shielded
from deepsel.errors import (
    CheckFailedError,
    DeepselError,
    IncompleteError,
    OverBudgetError,
    StoppedByUser,
    UnavailableError,
    UsageError,
)
from deepsel.messages.piped import patient
from deepsel.show.record import dump

if TYPE_CHECKING:
    from deepsel.batch.keeping import LineKeeper
    from deepsel.batch.planning import JobPlan
    from deepsel.batch.run import Runner, Stop
    from deepsel.cli.options import Common
    from deepsel.config import Profile, Settings
    from deepsel.session.open import Session

_MOST_THREADS = 1024
_LOOK_S = 0.1


def job_of(options: BatchRunOptions, profile: Profile, session: Session) -> Job:
    """Read what was typed; raises UsageError before anything of the source is read."""
    bounds = Bounds(
        threads=count("--concurrency", options.concurrency, most=_MOST_THREADS),
        cap_usd=money("--max-cost", options.max_cost),
        most_failed=within("--on-fail-ratio", options.on_fail_ratio, 0, 1),
        lane=one_of("--lane", options.lane, LANES),
        by=None if options.by is None else deadline("--by", options.by, session.clock.now()),
    )
    wanted = _wanted(options.line, profile, session.settings)
    where = _where(options)
    goes_on = options.resume or options.retry_failed or options.fleet is not None
    if options.fleet is not None:
        _ensure_name(options.fleet)
        refuse(bounds.lane != "now", f"`--fleet` asks every line now, and has no `--lane {bounds.lane}`", "leave one of the two out")
    if not options.dry_run and not goes_on:
        where.ensure_new()
    return Job(_source(options), wanted, where, bounds, session, Records(answer_record, unasked_record))


def _ensure_name(fleet: str) -> None:
    """Refuse what would be no part of a key on the server, or of a file's name."""
    is_name = 0 < len(fleet) <= 64 and fleet.isascii() and all(one.isalnum() or one in "-_." for one in fleet)
    refuse(not is_name, "`--fleet` takes a name of letters, digits, `-`, `_` and `.`", "e.g. `--fleet march-catalogue`")


def deadline(option: str, value: str, at: datetime) -> datetime:
    """Read a deadline: an instant, or a length of time from now; raises UsageError where it is over."""
    is_length = value[-1:].lower() in ("s", "m", "h", "d", "w") and value[:-1].isdigit()
    found = at + timedelta(seconds=parse_duration(value)) if is_length else instant(option, value)
    refuse(found <= at, f"`{option} {value}` is over", "name a later time")
    return found


def _where(options: BatchRunOptions) -> Where:
    refuse(bool(options.output and options.out_dir), "`--output` and `--out-dir` are two places for the answers", "give one of them")
    if options.output is None and options.out_dir is None and not options.dry_run:
        raise UsageError("there is no place for the answers", "name a file, e.g. `-o answers.jsonl`, or a folder with `--out-dir`")
    place = options.output or options.out_dir
    if place is not None and not place.parent.is_dir():
        raise UsageError(f"the folder `{place.parent}` does not exist", "make it first, or name another output")
    if place is not None and not place.name:
        raise UsageError("the output has no name", "name a file, e.g. `-o answers.jsonl`")
    refuse("/" in options.suffix, "`--suffix` is the end of a name, and holds no `/`", "e.g. `--suffix .txt`")
    return Where(options.output, options.out_dir, options.suffix, is_ordered=not options.unordered)


def _source(options: BatchRunOptions) -> JobSource:
    words = options.words or []
    if options.each:
        prompt = " ".join(words)
        if not prompt.strip():
            raise UsageError("there is no prompt for the files", "e.g. `--each 'docs/*.md' \"Summarise {text}\"`")
        return FileSource(find_files(options.each), prompt)
    if len(words) != 1:
        what = "name one file of JSON lines" if words else "there is no source"
        raise UsageError(what, "e.g. `deepsel batch run prompts.jsonl -o answers.jsonl`")
    stdin = sys.stdin
    is_open = stdin is not None and not stdin.closed
    return open_lines(Path(words[0]), patient(stdin) if is_open and words[0] == "-" else None)


def _wanted(line: EachLine, profile: Profile, settings: Settings) -> Wishes:
    """Read what is asked of every line, as `ask` does."""
    asked = AskOptions(
        models=line.models, task=line.task, strategy=line.strategy, difficulty=line.difficulty, max_tokens=line.max_tokens,
        temperature=line.temperature, seed=line.seed, schema=line.schema, tools=line.tools, params=line.params,
        timeout=line.timeout, cache=line.cache, refresh=line.refresh,
    )  # fmt: skip
    request, flags = read_request(asked)
    return Wishes(
        request,
        profile.override(**flags, **whom_to_ask(asked, settings, profile)),
        system=line.system,
        task=line.task,
        difficulty=line.difficulty,
        cache_mode=cache_mode(asked),
        has_models=bool(line.models),
    )


# --- what is done -----------------------------------------------------------------------------------------------------


def carry_out(job: Job, options: BatchRunOptions, common: Common, *, waits: bool = True) -> None:
    """Plan, ask whether to go on, ask the lines, tell how it ended, and raise what decides the exit code.

    Not `waits`: what providers have is collected as far as it is ready, and nothing is sent to them.
    """
    if options.resume and not options.dry_run and not job.where.journal.exists() and job.where.has_answers():
        if not common.quiet:
            write_note("nothing is left to do: there is no journal beside the answers")
        return
    goes_on = options.retry_failed or (options.resume and job.where.journal.exists())
    keeper = None if options.dry_run or not goes_on else job.restored()
    is_watched = is_terminal(sys.stderr) and not common.quiet
    retried = keeper.retry_failed() if keeper is not None and options.retry_failed else 0
    with BatchLine(job.session.clock, is_shown=is_watched) as line:
        plan = job.plan(done=keeper.marks if keeper else Marks(), watch=line.planning)
    if options.dry_run:
        _tell_plan(job, plan, options, common)
        return
    if not common.quiet:
        for told in text.plan_lines(plan, keeper, job, retried=retried):
            write_note(told)
    confirm(options, plan)
    keeper = keeper or job.begun(plan)
    with BatchLine(job.session.clock, is_shown=is_watched) as line:
        course = Course(
            job, plan, keeper, lambda runner: run_watched(runner, line.watching(plan, keeper, runner), common), line.waiting(plan, keeper)
        )
        left = _go(course, waits=waits)
    if not common.quiet:
        write_note(text.summary_line(job.summary(plan, keeper, course.limits)))
    _conclude(course, options, left)


def _go(course: Course, *, waits: bool) -> int:
    """Let the job take its course; whatever ends it, what was kept is in order afterwards. Returns the parts providers still have."""
    try:
        return course.go(waits=waits)
    except KeyboardInterrupt:
        course.stop("user")
        return len(course.floor().open_chunks())
    except DeepselError:
        with shielded():
            course.keeper.finish()
            course.keeper.close(is_whole=False)
        raise


def confirm(options: BatchRunOptions, plan: JobPlan) -> None:
    """Ask whoever sits at a terminal whether to go on."""
    is_agreed = options.yes or options.max_cost is not None or not plan.to_do
    if is_agreed or not (is_terminal(sys.stderr) and is_terminal(sys.stdin)):
        return
    import typer

    if not typer.confirm("Go on?", err=True):
        raise StoppedByUser("nothing was sent")


def run_watched(runner: Runner, watch: Callable[[], None], common: Common) -> None:
    """Ask the lines; the first Ctrl-C takes no more of them, the next one leaves at once."""
    runner.start()
    is_over = False
    while not is_over:
        try:
            while not (is_over := runner.is_over(_LOOK_S)):
                watch()
        except KeyboardInterrupt:
            runner.stop_soon()
            leave_at_next_signal()
            if not common.quiet:
                write_note(f"stopping: waiting for {runner.under_way:,} requests under way; once more, and they are left for `--resume`")


def _tell_plan(job: Job, plan: JobPlan, options: BatchRunOptions, common: Common) -> None:
    """Print the plan, as a record or in words."""
    if options.as_json:
        write_stdout(dump(job.projected(plan)))
    elif not common.quiet:
        for told in text.plan_lines(plan, None, job):
            write_stdout(told + "\n")


def _conclude(course: Course, options: BatchRunOptions, left: int) -> None:
    """Hand the summary over, and raise what decides the exit code."""
    job, plan, keeper = course.job, course.plan, course.keeper
    with shielded():
        keeper.finish()
        summary = job.summary(plan, keeper, course.limits)
        keeper.close(is_whole=keeper.tally.ok == plan.lines)
    if options.as_json:
        write_stdout(dump(summary))
    failure = failure_of(job, plan, keeper, course.stop, left)
    if failure is not None:
        failure.is_recorded = options.as_json
        raise failure


def failure_of(job: Job, plan: JobPlan, keeper: LineKeeper, stop: Stop, parts: int = 0) -> DeepselError | None:
    """Say why not every line has succeeded; None where it has. `parts` are jobs that providers still have."""
    tally = keeper.tally
    left = f"{plan.lines - tally.done:,} of {plan.lines:,} lines are left"
    go_on = "go on with `--resume`"
    bad = tally.failed + tally.skipped
    classes = ", ".join(f"{name} {count:,}" for name, count in tally.error_members().items())
    again = "`--retry-failed` asks them anew"
    if keeper.error is not None:
        return keeper.error
    at_providers = f"; {parts} jobs are with providers, and `--resume` collects them" if parts else ""
    if stop.why == "user" and plan.lines > tally.done:
        return StoppedByUser(f"stopped: {left}{at_providers}", go_on)
    if stop.why == "cap":
        return OverBudgetError(f"the limit on cost is reached: {left}", f"raise `--max-cost` and {go_on}")
    if stop.why == "budget":
        return OverBudgetError(f"a budget is reached: {left}: {stop.words}", f"raise it, or wait, and {go_on}")
    if stop.why == "failures":
        return CheckFailedError(f"too many lines fail: {bad:,} of {tally.done:,} ({classes})", f"mend what they say; {again}")
    if parts:
        return UnavailableError(f"not ready: {left}{at_providers}", "ask again later")
    if plan.lines > tally.done:
        hint = f"{go_on}, which gives them to the providers again; without `--lane batch` they are asked at the full price"
        return UnavailableError(f"providers have not done all: {left}", hint)
    if bad:
        hint = f"they stand in `{job.where.output}`; {again}" if job.where.output else again
        return IncompleteError(f"{bad:,} of {plan.lines:,} lines have no answer ({classes})", hint)
    return None
