"""The steps of `estimate`: what the options say, models, reading, report, checks. Counts and prices nothing itself."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel import catalog, config
from deepsel.catalog import Catalog
from deepsel.cli.checked import count, instant, money, number, one_of, parse_duration, refuse, share
from deepsel.cli.context import choose_profile, load_settings
from deepsel.cli.options import Common
from deepsel.cli.terminal.output import check_writable
from deepsel.cli.terminal.terminal import is_terminal, write_note
from deepsel.clock import SystemClock
from deepsel.errors import CheckFailedError, StoppedByUser, UsageError
from deepsel.estimate.exports.formats import FORMATS
from deepsel.estimate.history import HISTORY_DAYS, usual_answer
from deepsel.estimate.models import choose_models, notices_on, targets_of
from deepsel.estimate.pricing import checks, report
from deepsel.estimate.pricing.portions import Answers, By
from deepsel.estimate.pricing.spend import Assumptions
from deepsel.estimate.records import Change, Reading, Report
from deepsel.messages.piped import patient
from deepsel.records import NamedTuple
from deepsel.values import TASKS, Model, Provider

if TYPE_CHECKING:
    from deepsel.cli.estimate.command import EstimateOptions
    from deepsel.cli.terminal.progress import ProgressLine

GROUPS: tuple[By, ...] = ("model", "file", "language")
PERIODS = ("day", "month")
SAMPLE_SEED = 0
"""Fixed, so that the same files give the same estimate."""


class Basis(NamedTuple):
    """What a cost is computed on."""

    catalog: Catalog
    models: list[Model]
    providers: dict[str, Provider]
    """By name."""
    assumptions: Assumptions
    answers_from: str
    """Where the length of answers comes from, if not from the command line."""


# --- what the options say ---------------------------------------------------------------------------------------------


def check(options: EstimateOptions) -> None:
    """Raise UsageError for options that cannot go together, or words nobody knows."""
    lengths = (options.output_tokens, options.output_ratio, options.output_history)
    refuse(
        sum(given is not None for given in lengths) > 1,
        "`--output-tokens`, `--output-ratio` and `--output-history` say different things",
        "give one of them",
    )
    one_of("--by", options.by, GROUPS)
    one_of("--format", options.form, FORMATS)
    if options.per:
        one_of("--per", options.per, PERIODS)
    _check_change(options)
    refuse(options.exact and not options.models, "`--exact` asks only about models that are named", "name them with `-m`")


def _check_change(options: EstimateOptions) -> None:
    """Raise UsageError for what a change cannot have, and for what only a change has."""
    if not options.is_change:
        refuse(not options.paths, "nothing to read", "name files or folders, `-` for standard input, or give `--staged`")
        needs_change = options.max_increase is not None
        refuse(needs_change, "`--max-increase` needs something to compare with", "give `--staged` or `--diff REV`")
        return
    has_both = options.staged and options.diff is not None
    refuse(has_both, "`--staged` and `--diff` compare with different things", "give one of them")
    is_partial = options.sample or options.exact
    refuse(is_partial, "a change is read whole and offline", "leave `--sample` and `--exact` out")
    reads_stdin = "-" in (options.paths or [])
    refuse(reads_stdin, "standard input has no earlier version", "name files of the repository, or none for all")


def limits_of(options: EstimateOptions) -> checks.CostLimits:
    """Read the limits; raises UsageError for what is none."""
    text = options.max_increase or ""
    is_share = text.endswith("%")
    return checks.CostLimits(
        max_cost_usd=money("--max-cost", options.max_cost),
        max_increase_usd=None if is_share else money("--max-increase", options.max_increase),
        max_increase_pct=number("--max-increase", text.removesuffix("%")) if is_share else None,
        stale_after_s=parse_duration(options.fail_on_stale) if options.fail_on_stale else None,
    )


def basis_of(options: EstimateOptions, common: Common) -> Basis:
    """Find the models, their providers and what is assumed of time, requests and answers."""
    at = instant("--at", options.at) if options.at is not None else SystemClock().now()
    requests = count("--requests", options.requests)
    cached_share = share("--cached-share", options.cached_share) if options.cached_share is not None else Decimal(0)
    answers, answers_from = _answers(options, common, at.timestamp())
    if options.output:
        check_writable(options.output)
    settings = load_settings(common)
    names = options.models or (choose_profile(settings, common).models if common.profile else ())
    models = choose_models(names, settings, at=at)
    providers = {model.provider: config.find_provider(settings, model.provider) for model in models}
    return Basis(settings.catalog, models, providers, Assumptions(at, answers, requests, cached_share), answers_from)


def _answers(options: EstimateOptions, common: Common, at_s: float) -> tuple[Answers, str]:
    """Return how long answers are taken to be, and, where the user's own say so, that they do."""
    if options.output_history is None:
        tokens = count("--output-tokens", options.output_tokens or 0, least=0)
        ratio = None if options.output_ratio is None else number("--output-ratio", options.output_ratio)
        return Answers(tokens, ratio), ""
    from deepsel.health.sqlite_state import SqliteState

    task = one_of("--output-history", options.output_history, TASKS)
    with SqliteState(config.find_paths(os.environ, common.config).data_dir) as state:
        usual = usual_answer(state, task, at_s=at_s)
    if usual is None:
        raise UsageError(f"no answers of the task {task} in the last {HISTORY_DAYS} days", "give `--output-tokens`")
    words = f"the median of your {usual.answers:,} answers of the task {task} in {HISTORY_DAYS} days"
    return Answers(usual.tokens, None), words


# --- what is read -----------------------------------------------------------------------------------------------------


def report_of(options: EstimateOptions, common: Common, basis: Basis) -> Report:
    """Read, count and price everything."""
    reading, change = _read(options, common, basis)
    by, period = one_of("--by", options.by, GROUPS), options.per or ""
    return report.build(
        reading,
        basis.models,
        providers=basis.providers,
        assumptions=basis.assumptions,
        wanted=report.ReportOptions(by, period, basis.catalog.as_of.isoformat(), basis.answers_from),
        change=change,
        notices=notices_on(basis.models, at=basis.assumptions.at),
    )


def _read(options: EstimateOptions, common: Common, basis: Basis) -> tuple[Reading, Change | None]:
    """Read and count the paths, or what changed in them."""
    models, providers = basis.models, basis.providers
    if options.is_change:
        from deepsel.estimate.changed import price_change

        candidates = models[:1] if options.models else models
        paths, assumptions = options.paths or [], basis.assumptions
        return price_change(options.diff, paths, models, candidates, providers, assumptions, env=os.environ)
    reading = _read_paths(options, common, basis)
    if options.exact:
        from deepsel.estimate.reading.reported import ask_providers

        reading = ask_providers(reading, models, providers=providers, env=os.environ, clock=SystemClock())
    return reading, None


def _read_paths(options: EstimateOptions, common: Common, basis: Basis) -> Reading:
    """Read and count the paths, with a progress line where a person watches."""
    from deepsel.estimate.reading.read import ReadingInterrupted, read

    stdin = sys.stdin
    with ExitStack() as stack:
        on_progress = None
        if is_terminal(sys.stderr) and not common.quiet:
            on_progress = stack.enter_context(_progress_line(basis)).take
        try:
            return read(
                options.paths or [],
                targets=targets_of(basis.models),
                sample=SAMPLE_SEED if options.sample else None,
                on_progress=on_progress,
                stdin=patient(stdin) if stdin is not None and not stdin.closed else None,
            )
        except ReadingInterrupted as interrupted:
            return interrupted.reading


def _progress_line(basis: Basis) -> ProgressLine:
    """Make the line that shows a reading's progress, with what the input costs on the first model."""
    from deepsel.cli.terminal.progress import ProgressLine, running_cost

    model, assumptions = basis.models[0], basis.assumptions
    rule = catalog.rule_at(model, at=assumptions.at, input_tokens=0)
    cost = None
    if rule is not None and rule.input is not None:
        cost = running_cost(model.name, rule.input * assumptions.requests)
    return ProgressLine(SystemClock(), vocabulary=model.vocabulary or "", cost=cost)


# --- what is said -----------------------------------------------------------------------------------------------------


def tell_notices(built: Report) -> None:
    """Warn of what the report cannot be sure of."""
    for notice in (*built.reading.notices, *built.notices):
        write_note(f"warning: {notice.message}")


def conclude(built: Report, limits: checks.CostLimits, options: EstimateOptions, basis: Basis) -> None:
    """Raise CheckFailedError naming every limit that is crossed: by any named model, else by the cheapest.

    Raises StoppedByUser for a partial report, which is held against nothing.
    """
    if built.reading.is_partial:
        raise StoppedByUser("interrupted, and no limit was checked" if not limits.are_none else "interrupted")
    models = basis.models
    found = checks.crossed(
        built,
        limits,
        judged=models if options.models else [model for model in models if model.name == built.cheapest.get("")],
        providers=basis.providers,
        assumptions=basis.assumptions,
        now=SystemClock().now(),
    )
    if found:
        several = f"{len(found)} limits are crossed:\n- "
        raise CheckFailedError(found[0] if len(found) == 1 else several + "\n- ".join(found))
