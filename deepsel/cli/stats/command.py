"""`deepsel stats`: the options, the form they choose, and the record."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepsel.cli.checked import one_of, parse_duration, refuse
from deepsel.cli.context import choose_profile, load_settings, open_session
from deepsel.cli.options import AsJson, Common
from deepsel.cli.terminal.output import write_stdout
from deepsel.cli.terminal.terminal import screen_of, write_note
from deepsel.clock import SystemClock
from deepsel.records import NamedTuple
from deepsel.show.record import SCHEMA_VERSION, dump

if TYPE_CHECKING:
    from deepsel.health.summary import By, TrafficGroup
    from deepsel.session.stats import StatsReport

_BY: tuple[By, ...] = ("model", "provider", "profile", "client", "day")
_LONGEST_S = 3650 * 86_400.0


class StatsOptions(NamedTuple):
    """What `deepsel stats` takes."""

    since: Annotated[str, typer.Option("--since", metavar="AGE", help="How far back: 45s, 30m, 12h, 7d, 2w.")] = "7d"
    by: Annotated[str, typer.Option("--by", metavar="KEY", help=f"One of {', '.join(_BY)}.")] = "model"
    as_json: AsJson = False
    as_html: Annotated[bool, typer.Option("--html", help="Print one self-contained page.")] = False
    repair: Annotated[bool, typer.Option("--repair", help="Check the log, and save what can be read of a damaged one.")] = False


def stats(common: Common, options: StatsOptions) -> None:
    """Show requests, spending, latency and cache savings.

    Requests, tokens, spend, times (p50, p95, p99), errors by class, cache hits and what they saved, spend against budget.
    """
    refuse(options.as_json and options.as_html, "`--json` and `--html` exclude each other", "give one of them")
    if options.repair:
        from deepsel.cli.stats.repair import repair

        repair(common, as_json=options.as_json)
        return
    report = _gathered(common, options)
    write_stdout(_written(report, options))
    for notice in () if common.quiet else report.notices:
        write_note(f"warning: {notice.message}")
    if not report.whole.requests and not report.whole.attempts and not common.quiet:
        write_note(f"nothing was asked in the last {options.since}; `deepsel ask` leaves an observation each time")


def _written(report: StatsReport, options: StatsOptions) -> str:
    """Write the report in the form that was chosen."""
    if options.as_json:
        return dump(record(report))
    if options.as_html:
        from deepsel.cli.stats.page import page

        return page(report)
    from deepsel.cli.stats.text import text

    return text(report, screen_of(sys.stdout))


def _gathered(common: Common, options: StatsOptions) -> StatsReport:
    """Gather what is to be shown."""
    from deepsel.session.stats import gather

    settings, until = load_settings(common), SystemClock().now()
    with open_session(common, settings) as session:
        return gather(
            session.state,
            profile=choose_profile(settings, common),
            profiles=settings.profiles,
            by=one_of("--by", options.by, _BY),
            since=until - timedelta(seconds=min(parse_duration(options.since), _LONGEST_S)),
            until=until,
        )


def record(report: StatsReport) -> dict[str, Any]:
    """Build the record of `stats --json`."""
    return {
        "schema": SCHEMA_VERSION,
        "since": report.since,
        "until": report.until,
        "by": report.by,
        "total": _group_record(report.whole),
        "groups": [_group_record(one) for one in report.groups],
        "budgets": [budget._asdict() for budget in report.budgets],
        "endpoints": [state._asdict() for state in report.endpoints],
        "unsettled": report.unsettled._asdict(),
    }


def _group_record(one: TrafficGroup) -> dict[str, Any]:
    return {**one._asdict(), "error_rate": one.error_rate, "hit_rate": one.hit_rate}
