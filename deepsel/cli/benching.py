"""The steps of `bench`: targets, cost cap, run, report, checks. Measures and judges nothing itself."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from deepsel import __version__, config
from deepsel.bench import judging, saving
from deepsel.bench.export_data import read_results
from deepsel.bench.judging import Limits
from deepsel.bench.loops import Sender
from deepsel.bench.measure import Caller, Target
from deepsel.bench.measurement import Measurement, Wanted, worst_cost_usd
from deepsel.bench.prompts import Prompter
from deepsel.bench.records import Report, Result
from deepsel.cli import output as out
from deepsel.cli.context import choose_profile, load_settings, open_session
from deepsel.cli.options import Common
from deepsel.cli.terminal import is_terminal, plain, screen_of, write_note
from deepsel.clock import SystemClock
from deepsel.config import Profile, Settings
from deepsel.engine.spending import Spending, budgets_of
from deepsel.errors import (
    CheckFailedError,
    ConfigError,
    OverBudgetError,
    StoppedByUser,
    UnavailableError,
    UsageError,
)
from deepsel.show.lines import clipped
from deepsel.show.screen import Screen
from deepsel.storage.amounts import picousd
from deepsel.values import Json, Latency

__all__ = ["Limits", "Wishes", "run"]


class Wishes(NamedTuple):
    """What was asked for on the command line."""

    models: list[str]
    wanted: Wanted
    limits: Limits
    baseline: Path | None
    saves: bool
    saves_profile: bool
    form: str
    output: Path | None


def run(common: Common, wishes: Wishes, env: Mapping[str, str]) -> None:
    """Measure and write one report; raise the error that decides the exit code, with the report written."""
    if wishes.output:
        out.check_writable(wishes.output)
    settings = load_settings(common, env)
    profile = choose_profile(settings, common, env)
    baseline = _read_baseline(wishes.baseline)
    with open_session(common, settings) as opened:
        clock = SystemClock()
        targets = _targets(wishes, settings, profile, env)
        _check_baseline(baseline, targets, wishes)
        prompter = Prompter(random.SystemRandom(), wishes.wanted.shares_prefix)
        started_at = clock.now()
        spending = Spending(profile, opened.state, clock, cap_usd=wishes.limits.cost_usd)
        _ensure_cost(wishes, spending, targets, prompter, at=started_at)
        located = [replace(target, provider=opened.locate(target.provider)) for target in targets]
        caller = Caller(
            opened.transport, clock, settings.catalog, profile.timeout_s, profile.first_token_timeout_s, profile.temperature
        )
        with _Line(common) as line:
            sender = Sender(caller, wishes.wanted.max_tokens, random.SystemRandom(), line.watch)
            session = Measurement(wishes.wanted, located, sender, prompter, clock.monotonic())
            try:
                session.run()
                is_partial = False
            except KeyboardInterrupt:
                is_partial = True
        report = _report(session, wishes, baseline, started_at=started_at, is_partial=is_partial)
        out.deliver(render(report, wishes.form, _screen(wishes)), wishes.output)
        figures = {} if is_partial else saving.latest(report.results)
        _save(report, wishes, spending, figures, config.find_paths(env, common.config).data_dir)
        if wishes.saves_profile and not is_partial:
            _save_profile(settings, figures, common)
    _conclude(report)


# --- before ----------------------------------------------------------------------------------------------------------


def _targets(wishes: Wishes, settings: Settings, profile: Profile, env: Mapping[str, str]) -> list[Target]:
    """Find the named models, else the profile's candidates that have a key."""
    found = []
    for name in dict.fromkeys(wishes.models or profile.models):
        model = config.find_model(settings, name)
        provider = config.find_provider(settings, model.provider)
        if wishes.models or config.has_key(provider, env):
            found.append(Target(model, provider, config.resolve_key(provider, env)))
    if not found:
        raise ConfigError(
            f"no candidate of the profile `{profile.name}` has a key",
            "export one (`deepsel models` names the variables), or try without: `deepsel bench -p demo`",
        )
    return found


def _ensure_cost(
    wishes: Wishes, spending: Spending, targets: Sequence[Target], prompter: Prompter, *, at: datetime
) -> None:
    """Reserve the longest answers of all requests under `--max-cost` and the profile's budgets, before anything is sent."""
    if spending.cap_usd is None and not budgets_of(spending.profile):
        return
    costs = {target.model.name: worst_cost_usd(wishes.wanted, target, prompter, at=at) for target in targets}
    unknown = [name for name, cost in costs.items() if cost is None]
    refusal = spending.may(None if unknown else sum(filter(None, costs.values()), Decimal(0)))
    if refusal:
        who = f"{', '.join(unknown)}:" if unknown else "the run"
        raise OverBudgetError(
            f"nothing was sent: {who} {refusal}", "lower `-n`, `--max-tokens` or `--prompt-tokens`, or raise the limit"
        )


def _read_baseline(path: Path | None) -> list[Result]:
    """Read an earlier run."""
    if path is None:
        return []
    try:
        return read_results(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    except ValueError as error:
        raise UsageError(f"`{path}` {error}") from None


def _check_baseline(baseline: Sequence[Result], targets: Sequence[Target], wishes: Wishes) -> None:
    """Refuse a baseline of other models before anything is paid for."""
    known = {one.case.model for one in baseline}
    if wishes.baseline and not known & {target.model.name for target in targets}:
        raise UsageError(f"`{wishes.baseline}` holds none of the models to measure", f"it has {', '.join(sorted(known)) or 'none'}")


# --- after -----------------------------------------------------------------------------------------------------------


def _report(
    session: Measurement, wishes: Wishes, baseline: Sequence[Result], *, started_at: datetime, is_partial: bool
) -> Report:
    """Build the report of what was measured."""
    results = session.results()
    comparisons = [*judging.compare_models(results), *judging.compare_baseline(results, baseline)]
    missing = judging.missing_in(baseline, [one.case for one in results]) if baseline else []
    report = Report(
        started_at=started_at,
        tool=f"deepsel {__version__}",
        machine=_machine(),
        settings=_settings(wishes),
        results=results,
        overhead_usd=session.overhead_usd(),
        is_partial=is_partial,
        comparisons=tuple(comparisons),
        warnings=(*_simulated(session), *(f"the baseline has no case `{case.label}`" for case in missing)),
    )
    return replace(report, checks=tuple(judging.checks_of(results, comparisons, wishes.limits, report.cost_usd)))


def _simulated(session: Measurement) -> list[str]:
    """Say which models were not asked."""
    names = [target.model.name for target in session.targets if target.provider.is_simulated]
    return [f"simulated, no model was asked and nothing is paid: {', '.join(names)}"] if names else []


def _machine() -> dict[str, Json]:
    """Say what measured: figures of two machines are not comparable."""
    import os
    import platform
    from importlib.metadata import version

    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "httpx": version("httpx"),
    }


def _settings(wishes: Wishes) -> dict[str, Json]:
    """List what was asked for, without the text of prompts."""
    given: dict[str, Json] = {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(wishes.wanted).items()}
    return {**given, "texts": len(wishes.wanted.texts)}


def _screen(wishes: Wishes) -> Screen:
    """Tell what is drawn on: a file is UTF-8, and as wide as a pipe."""
    return Screen() if wishes.output else screen_of(sys.stdout)


def render(report: Report, form: str, screen: Screen) -> str:
    """Write a report in one of the formats."""
    if form == "html":
        from deepsel.bench.export_html import page

        return page(report)
    if form in ("json", "csv"):
        from deepsel.bench.export_data import csv_text, record
        from deepsel.cli.records import dump

        return dump(record(report)) if form == "json" else csv_text(report)
    from deepsel.bench import export_text

    if form == "table":
        return export_text.table(report, screen)
    return export_text.markdown(report) if form == "markdown" else export_text.junit(report)


def _deliver(text: str, path: Path | None) -> None:
    """Write to stdout or to the file."""
    if path is None:
        out.write_stdout(text)
    else:
        out.write_file(path, text)


def _save(report: Report, wishes: Wishes, spending: Spending, figures: Mapping[str, Latency], data_dir: Path) -> None:
    """Give the figures to the router where that is wished, and the bill to the budgets where there are any."""
    missing = dict.fromkeys(one.case.model for one in report.results if one.case.model not in figures)
    if missing and not report.is_partial and (wishes.saves or wishes.saves_profile):
        write_note(f"warning: the speed of {', '.join(missing)} was not measured under load, so that it is not saved")
    notices = spending.notices
    if wishes.saves or spending.reservation is not None:
        entries = saving.observations(report.results, profile=spending.profile.name, began_at=report.started_at)
        notices += spending.state.add(entries, hold=spending.reservation, assumed_picousd=picousd(report.overhead_usd) or 0)
    if wishes.saves and not report.is_partial:
        try:
            saving.write_latest(data_dir, figures, at=report.started_at)
        except OSError as error:
            write_note(f"warning: the figures cannot be kept: {(error.strerror or 'input/output error').lower()}")
    for notice in notices[:1]:
        write_note(f"warning: {notice.message}")


def _save_profile(settings: Settings, figures: Mapping[str, Latency], common: Common) -> None:
    """Write the figures of the models that a profiles.toml can hold."""
    from deepsel.config.writer import with_latency

    path = settings.config_file
    if path is None:
        raise ConfigError("there is no profiles.toml to write to", "make one with `deepsel init`")
    own = {name: one for name, one in figures.items() if name in settings.models or name in settings.catalog.models}
    text = with_latency(path.read_text("utf-8-sig"), own)
    config.parse_settings(text.encode(), path, settings.catalog)
    out.write_file(path, text)
    if not common.quiet:
        write_note(f"wrote the figures of {', '.join(own) or 'no model'} into `{path}`")


def _conclude(report: Report) -> None:
    """Raise what decides the exit code."""
    failed = [check for check in report.checks if not check.passed]
    if report.is_partial:
        raise StoppedByUser("")
    if failed:
        lines = [f"{check.name}: {check.text}" for check in failed]
        raise CheckFailedError(lines[0] if len(lines) == 1 else f"{len(lines)} checks failed:\n- " + "\n- ".join(lines))
    if report.results and not any(result.answered for result in report.results):
        raise UnavailableError("no request was answered", "the report says why each failed")


class _Line:
    """A progress line on stderr that is drawn over itself; only where a person watches."""

    def __init__(self, common: Common) -> None:
        self._is_shown = is_terminal(sys.stderr) and not common.quiet

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    @property
    def watch(self) -> Callable[[str], None] | None:
        """Give what draws; None where nobody watches, so that nothing is computed for it."""
        return self._draw if self._is_shown else None

    def _draw(self, text: str) -> None:
        columns = shutil.get_terminal_size().columns
        with suppress(OSError):
            sys.stderr.write("\r" + clipped(plain(text), max(1, columns - 1)) + "\x1b[K")
            sys.stderr.flush()
