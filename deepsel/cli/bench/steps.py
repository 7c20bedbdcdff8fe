"""The steps of `bench`: what the options say, measuring while a person watches, saving, the verdict. Measures nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from deepsel.bench import saving
from deepsel.bench.baseline import check_baseline, read_baseline
from deepsel.bench.formats import FORMATS
from deepsel.bench.judging import Limits
from deepsel.bench.prompts import MIN_TOKENS
from deepsel.bench.records import BenchReport, Result
from deepsel.bench.run import BenchRun
from deepsel.bench.wanted import Wanted
from deepsel.cli.bench.line import WatchLine
from deepsel.cli.checked import count, money, percent, refuse, seconds, within
from deepsel.cli.options import Common
from deepsel.cli.terminal import output as out
from deepsel.cli.terminal.terminal import is_terminal, write_note
from deepsel.errors import CheckFailedError, StoppedByUser, UnavailableError

if TYPE_CHECKING:
    from deepsel.cli.bench.command import BenchOptions

_MOST = 1_000_000
_DAY_S = 86_400.0

# --- what the options say ---------------------------------------------------------------------------------------------


def check(options: BenchOptions) -> None:
    """Raise UsageError for options that cannot go together, or a form nobody knows."""
    has_load = options.concurrency is not None or options.rate is not None
    has_both = options.concurrency is not None and options.rate is not None
    has_prompts = bool(options.prompts) and options.prompt_tokens is not None
    compares_with_nothing = options.max_regression is not None and options.baseline is None
    refuse(bool(options.idle) and has_load, "`--idle` measures no load", "run it apart from `-c` and `--rate`")
    refuse(has_both, "`--rate` sends whatever is under way", "leave `-c` out")
    refuse(bool(options.warm_every) and not options.idle, "`--warm-every` keeps warm during a silence", "give `--idle`")
    refuse(has_prompts, "`--prompt` and `--prompt-tokens` are two kinds of prompts", "give one of them")
    refuse(compares_with_nothing, "`--max-regression` needs something to compare with", "give `--baseline`")
    refuse(options.form not in FORMATS, f"`--format` does not know `{options.form}`", f"one of {', '.join(FORMATS)}")


def wanted_of(options: BenchOptions) -> Wanted:
    """Read what is to be measured; raises UsageError for a number out of bounds."""
    sizes = dict.fromkeys(options.prompt_tokens or [64])
    return Wanted(
        requests=count("--requests", options.requests, most=_MOST),
        warmup=count("--warmup", options.warmup, least=0, most=_MOST),
        concurrency=tuple(count("--concurrency", one, most=256) for one in dict.fromkeys(options.concurrency or [1])),
        rate=within("--rate", options.rate, 0.001, 1000),
        idle_s=tuple(_seconds("--idle", text) for text in dict.fromkeys(options.idle or [])),
        rounds=count("--rounds", options.rounds, most=_MOST),
        warm_every_s=_seconds("--warm-every", options.warm_every) if options.warm_every else None,
        texts=tuple(dict.fromkeys(options.prompts or [])),
        prompt_tokens=tuple(count("--prompt-tokens", one, least=MIN_TOKENS, most=_MOST) for one in sizes),
        max_tokens=count("--max-tokens", options.max_tokens, most=_MOST),
        shares_prefix=options.cached_prefix,
    )


def limits_of(options: BenchOptions) -> Limits:
    """Read the limits, and see that the report has a place; raises UsageError."""
    limits = Limits(
        ttft_p95_s=within("--max-ttft-p95", options.max_ttft_p95, 0.001, _DAY_S),
        error_rate=within("--max-error-rate", options.max_error_rate, 0, 1),
        regression_pct=percent("--max-regression", options.max_regression, most=1000),
        cost_usd=money("--max-cost", options.max_cost),
    )
    if options.output:
        out.check_writable(options.output)
    return limits


def baseline_of(options: BenchOptions) -> Sequence[Result]:
    """Read the earlier run to compare with; nothing where none is named."""
    return read_baseline(options.baseline) if options.baseline else []


def _seconds(option: str, text: str) -> float:
    return seconds(option, text, least=0.01, most=_DAY_S)


# --- what is done -----------------------------------------------------------------------------------------------------


def measure(run: BenchRun, options: BenchOptions, common: Common) -> BenchReport:
    """Find the models, see that they can be compared and paid for, and measure them, with a line for whoever watches."""
    targets = run.targets(options.models or ())
    if options.baseline:
        check_baseline(options.baseline, run.baseline, [target.model.name for target in targets])
    run.reserve(targets)
    with WatchLine(is_shown=is_terminal(sys.stderr) and not common.quiet) as line:
        return run.measure(targets, line.watch)


def save(run: BenchRun, report: BenchReport, options: BenchOptions, common: Common) -> None:
    """Hand the figures on where that is wished, and tell what could not be."""
    figures = {} if report.is_partial else saving.latest(report.results)
    missing = dict.fromkeys(one.case.model for one in report.results if one.case.model not in figures)
    if missing and not report.is_partial and (options.save or options.save_profile):
        write_note(f"warning: the speed of {', '.join(missing)} was not measured under load, so that it is not saved")
    for words in run.save(report, figures, to_router=options.save):
        write_note(f"warning: {words}")
    if options.save_profile and not report.is_partial:
        path, text, names = saving.profiles_with(run.session.settings, figures)
        out.write_file(path, text)
        if not common.quiet:
            write_note(f"wrote the figures of {', '.join(names) or 'no model'} into `{path}`")


def conclude(report: BenchReport) -> None:
    """Raise what decides the exit code."""
    failed = [check for check in report.checks if not check.passed]
    if report.is_partial:
        raise StoppedByUser("")
    if failed:
        lines = [f"{check.name}: {check.text}" for check in failed]
        raise CheckFailedError(lines[0] if len(lines) == 1 else f"{len(lines)} checks failed:\n- " + "\n- ".join(lines))
    if not any(result.answered for result in report.results):
        raise UnavailableError("no request was answered", "the report says why each failed")
