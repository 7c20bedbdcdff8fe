"""`deepsel stats --html`: one page with plots inline that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepsel.health.summary import TrafficGroup
from deepsel.session.stats import PARTS, StatsReport, UnsettledUse
from deepsel.show import html, svg
from deepsel.show.html import Cell, figure
from deepsel.show.money import usd
from deepsel.show.numbers import count, percent

_HEIGHT = 90
_MOST_BARS = 30
_Column = tuple[str, Callable[[TrafficGroup], Cell]]


def page(report: StatsReport) -> str:
    """Return the report as an HTML page."""
    subtitle = f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC, by {report.by}"
    parts = [_cards(report.whole, report.unsettled), _timeline(report), _spend(report), _waits(report), _table(report), _errors(report)]
    parts += [_budgets(report), _endpoints(report)]
    return html.page("Requests, spend and latency", subtitle, parts)


def _cards(whole: TrafficGroup, unsettled: UnsettledUse) -> str:
    return html.cards(
        [
            ("requests", count(whole.requests)),
            ("spend", usd(whole.spend_usd)),
            ("tokens read", count(whole.input_tokens)),
            ("tokens written", count(whole.output_tokens)),
            ("calls that failed", percent(whole.error_rate)),
            ("cache hits", percent(whole.hit_rate)),
            ("saved by the cache", usd(whole.saved_usd)),
            *([("unsettled: bills that never came", usd(unsettled.usd))] if unsettled.calls else []),
        ]
    )


def _timeline(report: StatsReport) -> str:
    """Plot requests over time."""
    step = (report.until - report.since) / PARTS
    begins = [report.since + place * step for place in range(PARTS)]
    tips = [
        f"{begin:%m-%d %H:%M} to {begin + step:%m-%d %H:%M}: {number:,}"
        for begin, number in zip(begins, report.whole.timeline, strict=True)
    ]
    title = "Requests over time"
    drawn = svg.frame(title, svg.uprights(report.whole.timeline, tips, height=_HEIGHT), height=_HEIGHT)
    return html.section(title, f"Each column is {step.total_seconds() / 3600:.3g} hours", drawn)


def _spend(report: StatsReport) -> str:
    """Plot the spend of each group."""
    rows = [(one.key, float(one.spend_usd), usd(one.spend_usd)) for one in report.groups[:_MOST_BARS] if one.attempts]
    if not rows:
        return ""
    return html.section(f"Spend by {report.by}", "Calls of unknown cost aside", svg.bars(rows, title="Spend", best=None))


def _waits(report: StatsReport) -> str:
    """Plot the wait for a first token of each group."""
    rows = []
    for one in report.groups[:_MOST_BARS]:
        for name, value in one.ttft_s.items():
            if value is not None:
                rows.append((f"{one.key}, {name}", value, f"{value:.3g} s"))
    if not rows:
        return ""
    return html.section("Wait for the first token", "Seconds", svg.bars(rows, title="Wait for the first token", best=None))


def _table(report: StatsReport) -> str:
    """Show every figure of every group; columns sort on a click."""
    columns: list[_Column] = [
        (report.by.capitalize(), lambda one: Cell(one.key)),
        ("Requests", lambda one: figure(count(one.requests), one.requests)),
        ("Calls", lambda one: figure(count(one.attempts), one.attempts)),
        ("Tokens read", lambda one: figure(count(one.input_tokens), one.input_tokens)),
        ("Written", lambda one: figure(count(one.output_tokens), one.output_tokens)),
        ("Spend", lambda one: html.money(one.spend_usd)),
        ("Unknown cost", lambda one: figure(count(one.unknown_costs), one.unknown_costs)),
        *(_times("First token", name) for name in ("p50", "p95", "p99")),
        *(_times("Total", name) for name in ("p50", "p95", "p99")),
        ("Failed", lambda one: figure(percent(one.error_rate), one.error_rate)),
        ("Cache hits", lambda one: figure(percent(one.hit_rate), one.hit_rate)),
        ("Saved", lambda one: html.money(one.saved_usd)),
    ]
    rows = [[read(one) for _, read in columns] for one in report.groups]
    return html.section("Figures", "Times in seconds", html.table([head for head, _ in columns], rows))


def _times(title: str, share: str) -> _Column:
    """Make the column of one quantile."""

    def read(one: TrafficGroup) -> Cell:
        value = (one.ttft_s if title == "First token" else one.total_s)[share]
        return figure("-" if value is None else f"{value:.3g}", value)

    return (f"{title} {share}", read)


def _errors(report: StatsReport) -> str:
    """Plot failed calls by class."""
    rows = [(name, float(number), f"{number:,}") for name, number in report.whole.errors.items()]
    return html.section("Failed calls by class", "", svg.bars(rows, title="Failed calls", best=None)) if rows else ""


def _budgets(report: StatsReport) -> str:
    lines = [
        f"{one.profile}, this {one.period} (UTC): {usd(one.spent_usd)} of {usd(one.budget_usd)} spent"
        + (f", {usd(one.unsettled_usd)} of it unsettled" if one.unsettled_usd else "")
        for one in report.budgets
    ]
    return _list("Budgets", lines)


def _endpoints(report: StatsReport) -> str:
    lines = [
        f"{one.model} ({one.provider}): {one.state.replace('_', ' ')}" + (f", {one.why}" if one.why else "")
        for one in report.endpoints
    ]
    return _list("Endpoints that were in trouble", lines)


def _list(title: str, lines: Sequence[str]) -> str:
    return html.section(title, "", html.notes(lines)) if lines else ""
