"""`deepsel stats --html`: one page with plots inline that needs nothing else; its look is the estimate report's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from html import escape
from importlib.resources import files
from string import Template

from deepsel.cli.money import count, usd
from deepsel.estimate import plots
from deepsel.health.summary import Group
from deepsel.session.stats import PARTS, Report

_HEIGHT = 90
_MOST_BARS = 30
_Column = tuple[str, Callable[[Group], tuple[str, object]]]


def page(report: Report) -> str:
    """Return the report as an HTML page."""
    template = Template(files("deepsel.estimate").joinpath("data/page.html").read_text("utf-8"))
    subtitle = f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC, by {report.by}"
    parts = [_cards(report.whole), _timeline(report), _spend(report), _waits(report), _table(report), _errors(report)]
    parts += [_budgets(report), _endpoints(report)]
    return template.substitute(title="Requests, spend and latency", subtitle=subtitle, body="\n".join(filter(None, parts)))


def _cards(whole: Group) -> str:
    cards = [
        ("requests", count(whole.requests)),
        ("spend", usd(whole.spend_usd)),
        ("tokens read", count(whole.input_tokens)),
        ("tokens written", count(whole.output_tokens)),
        ("calls that failed", _percent(whole.error_rate)),
        ("cache hits", _percent(whole.hit_rate)),
        ("saved by the cache", usd(whole.saved_usd)),
    ]
    shown = "".join(f'<div class="card"><span class="soft">{name}</span><b>{escape(text)}</b></div>' for name, text in cards)
    return f'<div class="cards">{shown}</div>'


def _timeline(report: Report) -> str:
    """Plot requests over time."""
    most = max(report.whole.timeline, default=0) or 1
    step = (report.until - report.since) / PARTS
    columns = []
    for place, number in enumerate(report.whole.timeline):
        height = _HEIGHT * number / most
        begins = report.since + place * step
        tip = f"{begins:%m-%d %H:%M} to {begins + timedelta(seconds=step.total_seconds()):%m-%d %H:%M}: {number:,}"
        columns.append(
            f'<rect class="bar" x="{100 * place / PARTS + 0.3:.2f}%" width="{100 / PARTS - 0.6:.2f}%" '
            f'y="{_HEIGHT - height:.1f}" height="{height:.1f}"><title>{tip}</title></rect>'
        )
    title = "Requests over time"
    drawn = f'<svg role="img" height="{_HEIGHT}" aria-label="{title}"><title>{title}</title>{"".join(columns)}</svg>'
    return _section(title, f"Each column is {step.total_seconds() / 3600:.3g} hours", drawn)


def _spend(report: Report) -> str:
    """Plot the spend of each group."""
    rows = [(one.key, float(one.spend_usd), usd(one.spend_usd)) for one in report.groups[:_MOST_BARS] if one.attempts]
    if not rows:
        return ""
    return _section(f"Spend by {report.by}", "Calls of unknown cost aside", plots.bars(rows, title="Spend", best=None))


def _waits(report: Report) -> str:
    """Plot the wait for a first token of each group."""
    rows = []
    for one in report.groups[:_MOST_BARS]:
        for name, value in one.ttft_s.items():
            if value is not None:
                rows.append((f"{one.key}, {name}", value, f"{value:.3g} s"))
    if not rows:
        return ""
    return _section("Wait for the first token", "Seconds", plots.bars(rows, title="Wait for the first token", best=None))


def _table(report: Report) -> str:
    """Show every figure of every group; columns sort on a click."""
    columns: list[_Column] = [
        ("Requests", lambda one: (count(one.requests), one.requests)),
        ("Calls", lambda one: (count(one.attempts), one.attempts)),
        ("Tokens read", lambda one: (count(one.input_tokens), one.input_tokens)),
        ("Written", lambda one: (count(one.output_tokens), one.output_tokens)),
        ("Spend", lambda one: (usd(one.spend_usd), one.spend_usd)),
        ("Unknown cost", lambda one: (count(one.unknown_costs), one.unknown_costs)),
        *(_times("First token", name) for name in ("p50", "p95", "p99")),
        *(_times("Total", name) for name in ("p50", "p95", "p99")),
        ("Failed", lambda one: (_percent(one.error_rate), one.error_rate)),
        ("Cache hits", lambda one: (_percent(one.hit_rate), one.hit_rate)),
        ("Saved", lambda one: (usd(one.saved_usd), one.saved_usd)),
    ]
    heads = [report.by.capitalize(), *(name for name, _ in columns)]
    top = "".join(
        f'<th scope="col"{" class=n" if place else ""}><button type="button">{escape(head)}</button></th>'
        for place, head in enumerate(heads)
    )
    body = "".join(f"<tr><td>{escape(one.key)}</td>{''.join(_cell(*read(one)) for _, read in columns)}</tr>" for one in report.groups)
    table = f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    return _section("Figures", "Times in seconds", table)


def _times(title: str, share: str) -> _Column:
    """Make the column of one quantile."""

    def read(one: Group) -> tuple[str, object]:
        value = (one.ttft_s if title == "First token" else one.total_s)[share]
        return ("-" if value is None else f"{value:.3g}", value)

    return (f"{title} {share}", read)


def _cell(text: str, key: object) -> str:
    return f'<td class="n" data-v="{"" if key is None else escape(str(key))}">{escape(text)}</td>'


def _errors(report: Report) -> str:
    """Plot failed calls by class."""
    rows = [(name, float(number), f"{number:,}") for name, number in report.whole.errors.items()]
    return _section("Failed calls by class", "", plots.bars(rows, title="Failed calls", best=None)) if rows else ""


def _budgets(report: Report) -> str:
    lines = [
        f"{one.profile}, this {one.period} (UTC): {usd(one.spent_usd)} of {usd(one.budget_usd)} spent" for one in report.budgets
    ]
    return _list("Budgets", lines)


def _endpoints(report: Report) -> str:
    lines = [
        f"{one.model} ({one.provider}): {one.state.replace('_', ' ')}" + (f", {one.why}" if one.why else "")
        for one in report.endpoints
    ]
    return _list("Endpoints that were in trouble", lines)


def _list(title: str, lines: Sequence[str]) -> str:
    shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return _section(title, "", f'<ul class="notes">{shown}</ul>') if lines else ""


def _section(title: str, explanation: str, content: str) -> str:
    below = f'<p class="soft">{escape(explanation)}</p>' if explanation else ""
    return f"<section><h2>{escape(title)}</h2>{below}{content}</section>"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
