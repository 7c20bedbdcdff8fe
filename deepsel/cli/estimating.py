"""The steps of `estimate`: models, reading, projection, report, checks. Counts and prices nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from deepsel import catalog, config
from deepsel.cli import output as out
from deepsel.cli.context import choose_profile, load_settings
from deepsel.cli.options import Common
from deepsel.cli.terminal import is_terminal, screen_of, write_note
from deepsel.clock import SystemClock
from deepsel.errors import CheckFailedError, UsageError
from deepsel.estimate.models import choose_models, notices_on, vocabularies_of
from deepsel.estimate.pricing import checks, report, spend
from deepsel.estimate.pricing.portions import Answers, By
from deepsel.estimate.records import Change, Reading, Report
from deepsel.show.screen import Screen
from deepsel.values import Model, Provider

if TYPE_CHECKING:
    from deepsel.cli.progress import ProgressLine

HISTORY_S = 30 * 86_400.0
SAMPLE_SEED = 0
"""Fixed, so that the same files give the same estimate."""


class Wishes(NamedTuple):
    """What was asked for on the command line."""

    paths: list[str]
    models: list[str]
    output_tokens: int
    output_ratio: Decimal | None
    output_history: str | None
    """A task whose usual answer is assumed."""
    requests: int
    period: str
    cached_share: Decimal
    by: By
    at: datetime | None
    sample: bool
    exact: bool
    staged: bool
    diff: str | None
    max_cost_usd: Decimal | None
    max_increase_usd: Decimal | None
    max_increase_pct: Decimal | None
    stale_after_s: float | None
    form: str
    output: Path | None

    @property
    def is_change(self) -> bool:
        """Whether two versions are compared."""
        return self.staged or self.diff is not None


def run(common: Common, wishes: Wishes, env: Mapping[str, str], stdin: TextIO | None) -> None:
    """Write one report; raise CheckFailedError, with the report written, where a limit is crossed."""
    _refuse_contradictions(wishes)
    if wishes.output:
        out.check_writable(wishes.output)
    clock = SystemClock()
    settings = load_settings(common, env)
    at = wishes.at or clock.now()
    names = wishes.models or (choose_profile(settings, common, env).models if common.profile else ())
    models = choose_models(names, settings, at=at)
    providers = {model.provider: config.find_provider(settings, model.provider) for model in models}
    answers, answers_from = _answers(wishes, common, env, at)
    assumptions = spend.Assumptions(at, answers, wishes.requests, wishes.cached_share)
    change = None
    if wishes.is_change:
        reading, change = _read_change(wishes, models, providers, assumptions, env)
    else:
        reading = _read(wishes, common, models, stdin, at)
    if wishes.exact:
        from deepsel.estimate.reading.reported import ask_providers

        reading = ask_providers(reading, models, providers=providers, env=env, clock=clock)
    wanted = report.ReportOptions(wishes.by, wishes.period, settings.catalog.as_of.isoformat(), answers_from)
    built = report.build(
        reading, models, providers=providers, assumptions=assumptions, wanted=wanted, change=change,
        notices=notices_on(models, at=at),
    )  # fmt: skip
    out.deliver(render(built, wishes.form, _screen(wishes)), wishes.output)
    if not common.quiet:
        for notice in (*built.reading.notices, *built.notices):
            write_note(f"warning: {notice.message}")
    judged = models if wishes.models else [model for model in models if model.name == built.cheapest.get("")]
    limits = checks.CostLimits(wishes.max_cost_usd, wishes.max_increase_usd, wishes.max_increase_pct, wishes.stale_after_s)
    _conclude(
        checks.crossed(built, limits, judged=judged, providers=providers, assumptions=assumptions, now=clock.now())
    )


def _answers(wishes: Wishes, common: Common, env: Mapping[str, str], at: datetime) -> tuple[Answers, str]:
    """Return how long answers are taken to be, and, where the user's own say so, that they do."""
    if wishes.output_history is None:
        return Answers(wishes.output_tokens, wishes.output_ratio), ""
    from deepsel.health.sqlite_state import SqliteState

    with SqliteState(config.find_paths(env, common.config).data_dir) as state:
        rows = state.since(at.timestamp() - HISTORY_S).value or []
    lengths = sorted(
        row.output_tokens
        for row in rows
        if row.task == wishes.output_history and row.outcome == "ok" and row.output_tokens is not None
    )
    if not lengths:
        raise UsageError(f"no answers of the task {wishes.output_history} in the last 30 days", "give `--output-tokens`")
    words = f"the median of your {len(lengths):,} answers of the task {wishes.output_history} in 30 days"
    return Answers(lengths[len(lengths) // 2], None), words


def _refuse_contradictions(wishes: Wishes) -> None:
    """Raise UsageError for options that cannot go together."""
    if wishes.staged and wishes.diff is not None:
        raise UsageError("`--staged` and `--diff` compare with different things", "give one of them")
    if wishes.is_change and (wishes.sample or wishes.exact):
        raise UsageError("a change is read whole and offline", "leave `--sample` and `--exact` out")
    if wishes.is_change and "-" in wishes.paths:
        raise UsageError("standard input has no earlier version", "name files of the repository, or none for all")
    if not wishes.is_change and not wishes.paths:
        raise UsageError("nothing to read", "name files or folders, `-` for standard input, or give `--staged`")
    if not wishes.is_change and (wishes.max_increase_usd is not None or wishes.max_increase_pct is not None):
        raise UsageError("`--max-increase` needs something to compare with", "give `--staged` or `--diff REV`")
    if wishes.exact and not wishes.models:
        raise UsageError("`--exact` asks only about models that are named", "name them with `-m`")


# --- what is read -----------------------------------------------------------------------------------------------------


def _read(wishes: Wishes, common: Common, models: Sequence[Model], stdin: TextIO | None, at: datetime) -> Reading:
    """Read and count the paths, with a progress line where a person watches."""
    from deepsel.estimate.reading.read import read

    with ExitStack() as stack:
        on_progress = None
        if is_terminal(sys.stderr) and not common.quiet:
            on_progress = stack.enter_context(_progress_line(models[0], wishes, at)).take
        return read(
            wishes.paths,
            vocabularies=vocabularies_of(models),
            sample=SAMPLE_SEED if wishes.sample else None,
            on_progress=on_progress,
            stdin=stdin.buffer if stdin is not None and not stdin.closed else None,
        )


def _progress_line(model: Model, wishes: Wishes, at: datetime) -> ProgressLine:
    """Make the line that shows a reading's progress, with what the input costs on the first model."""
    from deepsel.cli.progress import ProgressLine, running_cost

    rule = catalog.rule_at(model, at=at, input_tokens=0)
    cost = running_cost(model.name, rule.input * wishes.requests) if rule and rule.input is not None else None
    return ProgressLine(SystemClock(), vocabulary=model.vocabulary or "", cost=cost)


def _read_change(
    wishes: Wishes,
    models: Sequence[Model],
    providers: Mapping[str, Provider],
    assumptions: spend.Assumptions,
    env: Mapping[str, str],
) -> tuple[Reading, Change]:
    """Read what changed and compare it on the first model that was named, else on the cheapest of known price."""
    from deepsel.estimate.pricing.change import cheapest_model, compare
    from deepsel.estimate.reading.sides import read_change

    sides = read_change(wishes.diff, wishes.paths, vocabularies=vocabularies_of(models), env=env)
    model = models[0]
    if not wishes.models:
        model = cheapest_model(sides, models, providers=providers, assumptions=assumptions)
    return sides.after, compare(sides, model, providers=providers, assumptions=assumptions)


# --- what is written --------------------------------------------------------------------------------------------------


def _screen(wishes: Wishes) -> Screen:
    """Tell what is drawn on: a file is UTF-8, and as wide as a pipe."""
    return Screen() if wishes.output else screen_of(sys.stdout)


def render(built: Report, form: str, screen: Screen) -> str:
    """Write a report in one of the formats."""
    if form == "json":
        from deepsel.cli.records import dump
        from deepsel.estimate.exports.data import record

        return dump(record(built))
    if form == "csv":
        from deepsel.estimate.exports.data import csv_text

        return csv_text(built)
    if form == "markdown":
        from deepsel.estimate.exports.markdown import markdown

        return markdown(built)
    if form == "html":
        from deepsel.estimate.exports.html import page

        return page(built)
    from deepsel.estimate.exports.table import table

    return table(built, screen)


def _conclude(found: Sequence[str]) -> None:
    """Raise CheckFailedError naming every limit that is crossed."""
    if found:
        several = f"{len(found)} limits are crossed:\n- "
        raise CheckFailedError(found[0] if len(found) == 1 else several + "\n- ".join(found))
