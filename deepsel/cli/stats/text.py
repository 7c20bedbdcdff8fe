"""`deepsel stats` as plain text without colours, as wide as what it is drawn on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from deepsel.health.summary import TrafficGroup
from deepsel.session.stats import PARTS, BudgetUse, EndpointState, StatsReport, UnsettledUse
from deepsel.show.bars import bar, sparkline
from deepsel.show.lines import clipped, cut, padded, wrapped
from deepsel.show.money import usd
from deepsel.show.numbers import short_count
from deepsel.show.screen import Screen

_BAR_COLUMNS = 20
_LEAST_BAR, _LEAST_NAME, _MOST_NAME = 4, 8, 48
_FIGURE_COLUMNS = 7


def text(report: StatsReport, screen: Screen) -> str:
    """Write the whole report."""
    lines = [f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC, by {report.by}", ""]
    lines += _group_lines("all", report.whole, screen, most=report.whole.requests)
    most = max((one.requests or one.attempts for one in report.groups), default=0)
    for one in report.groups:
        lines += ["", *_group_lines(one.key, one, screen, most=most)]
    if report.unsettled.calls:
        lines += ["", *wrapped(_unsettled(report.unsettled), screen.columns, indent="  ")]
    if report.budgets:
        lines += ["", "budgets", *(_budget_line(one, screen) for one in report.budgets)]
    if report.endpoints:
        lines += ["", "endpoints", *(line for one in report.endpoints for line in _endpoint_lines(one, screen))]
    return "\n".join(clipped(line, screen.columns) for line in lines) + "\n"


def _unsettled(use: UnsettledUse) -> str:
    """Say what was reserved for calls whose bill never came."""
    which = "1 call whose bill never came" if use.calls == 1 else f"{use.calls:,} calls whose bill never came"
    return f"unsettled {usd(use.usd)}: the most that {which} may have cost, counted in the budgets"


def _group_lines(name: str, one: TrafficGroup, screen: Screen, *, most: int) -> list[str]:
    """Write what some requests add up to: a bar and a sparkline of requests, then figures."""
    share = (one.requests or one.attempts) / most if most else 0.0
    lines = [
        f"{_head(name, share, screen)} {one.requests:>{_FIGURE_COLUMNS},}  {sparkline(one.timeline, has_blocks=screen.has_blocks)}",
        f"  spend {usd(one.spend_usd)}{_unknown(one)} · {short_count(one.input_tokens)} + {short_count(one.output_tokens)} tokens"
        + (f" ({short_count(one.cached_input_tokens)} cached)" if one.cached_input_tokens else ""),
    ]
    if one.attempts:
        lines.append(f"  first token {_times(one.ttft_s)} · total {_times(one.total_s)}  (p50 p95 p99)")
    if one.errors:
        head = f"  errors {one.error_rate:.0%} of {one.attempts - one.cancelled:,} calls: "
        lines += _wrapped(head, one.errors, screen)
    if one.cancelled:
        lines.append(f"  ended by you {one.cancelled:,}")
    if one.lookups:
        lines.append(f"  cache hits {one.hit_rate:.0%} ({one.hits:,} of {one.lookups:,}), saved {usd(one.saved_usd)}")
    return lines


def _head(name: str, share: float, screen: Screen) -> str:
    """Write a name and a bar, which leave room for a figure and a sparkline."""
    room = screen.columns - _FIGURE_COLUMNS - PARTS - 5
    bar_columns = max(_LEAST_BAR, min(_BAR_COLUMNS, room - _LEAST_NAME))
    name_columns = max(_LEAST_NAME, min(_MOST_NAME, room - bar_columns))
    drawn = bar(share, bar_columns, has_blocks=screen.has_blocks)
    return f"{padded(cut(name, name_columns), name_columns)} {padded(drawn, bar_columns)}"


def _unknown(one: TrafficGroup) -> str:
    """Say how many calls the spend leaves out."""
    return f" and {one.unknown_costs:,} of unknown cost" if one.unknown_costs else ""


def _wrapped(head: str, errors: Mapping[str, int], screen: Screen) -> list[str]:
    """Write classes with their numbers, in as many lines as they need."""
    return wrapped(", ".join(f"{name} {number:,}" for name, number in errors.items()), screen.columns, first=head, indent="    ")


def _times(quantiles: Mapping[str, float | None]) -> str:
    """Write quantiles in seconds."""
    known = [value for value in quantiles.values() if value is not None]
    return " ".join(f"{value:.3g}" for value in known) + " s" if known else "unknown"


def _budget_line(budget: BudgetUse, screen: Screen) -> str:
    """Write what is spent of a budget."""
    share = float(budget.spent_usd / budget.budget_usd) if budget.budget_usd else 1.0
    left = max(Decimal(0), budget.budget_usd - budget.spent_usd)
    head = _head(f"{budget.profile}, this {budget.period}", share, screen)
    unsettled = f", {usd(budget.unsettled_usd)} unsettled" if budget.unsettled_usd else ""
    return f"{head} {share:>{_FIGURE_COLUMNS}.0%}  {usd(left)} of {usd(budget.budget_usd)} left{unsettled}"


def _endpoint_lines(one: EndpointState, screen: Screen) -> list[str]:
    """Write how an endpoint stands."""
    words = {
        "well": "well again",
        "cooling": f"left alone for {one.seconds_left:.0f} s more",
        "probing": "a probe is under way",
        "half_open": "the next request tests it",
    }
    lines = [f"  {one.model} ({one.provider}): {words[one.state]}"]
    return [*lines, *wrapped(one.why, screen.columns, first="    ", indent="    ")] if one.why else lines
