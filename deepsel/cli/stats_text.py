"""`deepsel stats` as plain text of at most 80 columns, the same on a terminal, in a pipe and without colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from deepsel.cli.money import usd
from deepsel.health.summary import Group
from deepsel.session.stats import Budget, EndpointState, Report

_COLUMNS = 80
_BAR_COLUMNS = 20
_NAME_COLUMNS = 24
_BLOCKS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(share: float, columns: int) -> str:
    """Draw a share in [0, 1] in eighths of a column; what is above nothing shows at least one eighth."""
    eighths = round(max(0.0, min(1.0, share)) * columns * 8)
    eighths = max(eighths, 1) if share > 0 else 0
    whole, rest = divmod(eighths, 8)
    return (_BLOCKS[8] * whole + (_BLOCKS[rest] if rest else "")).ljust(columns)


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts as one character each; a count of nothing is a space."""
    most = max(counts, default=0)
    return "".join(_LEVELS[(len(_LEVELS) - 1) * count // most] if count else " " for count in counts)


def text(report: Report) -> str:
    """Write the whole report."""
    lines = [f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC, by {report.by}", ""]
    lines += _group_lines("all", report.whole, most=report.whole.requests)
    most = max((one.requests or one.attempts for one in report.groups), default=0)
    for one in report.groups:
        lines += ["", *_group_lines(one.key, one, most=most)]
    if report.budgets:
        lines += ["", "budgets", *map(_budget_line, report.budgets)]
    if report.endpoints:
        lines += ["", "endpoints", *(line for one in report.endpoints for line in _endpoint_lines(one))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _group_lines(name: str, one: Group, *, most: int) -> list[str]:
    """Write what some requests add up to: a bar and a sparkline of requests, then figures."""
    shown = name if len(name) <= _NAME_COLUMNS else "…" + name[-_NAME_COLUMNS + 1 :]
    share = (one.requests or one.attempts) / most if most else 0.0
    lines = [
        f"{shown.ljust(_NAME_COLUMNS)} {bar(share, _BAR_COLUMNS)} {one.requests:>7,}  {sparkline(one.timeline)}",
        f"  spend {usd(one.spend_usd)}{_unknown(one)} · {_short(one.input_tokens)} + {_short(one.output_tokens)} tokens"
        + (f" ({_short(one.cached_input_tokens)} cached)" if one.cached_input_tokens else ""),
    ]
    if one.attempts:
        lines.append(f"  first token {_times(one.ttft_s)} · total {_times(one.total_s)}  (p50 p95 p99)")
    if one.errors:
        lines += _wrapped(f"  errors {one.error_rate:.0%} of {one.attempts:,} calls: ", one.errors)
    if one.lookups:
        lines.append(f"  cache hits {one.hit_rate:.0%} ({one.hits:,} of {one.lookups:,}), saved {usd(one.saved_usd)}")
    return lines


def _unknown(one: Group) -> str:
    """Say how many calls the spend leaves out."""
    return f" and {one.unknown_costs:,} of unknown cost" if one.unknown_costs else ""


def _wrapped(start: str, errors: Mapping[str, int]) -> list[str]:
    """Write classes with their numbers, in as many lines as they need."""
    lines = [start]
    for place, (name, number) in enumerate(errors.items()):
        piece = f"{name} {number:,}" + (", " if place + 1 < len(errors) else "")
        if len(lines[-1]) + len(piece) > _COLUMNS:
            lines.append("    ")
        lines[-1] += piece
    return lines


def _times(quantiles: Mapping[str, float | None]) -> str:
    """Write quantiles in seconds."""
    known = [value for value in quantiles.values() if value is not None]
    return " ".join(f"{value:.3g}" for value in known) + " s" if known else "unknown"


def _short(number: int) -> str:
    """Write a number of tokens in three digits and a unit."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def _budget_line(budget: Budget) -> str:
    """Write what is spent of a budget."""
    share = float(budget.spent_usd / budget.budget_usd) if budget.budget_usd else 1.0
    left = max(Decimal(0), budget.budget_usd - budget.spent_usd)
    name = f"{budget.profile}, this {budget.period}"[-_NAME_COLUMNS:]
    return f"{name.ljust(_NAME_COLUMNS)} {bar(share, _BAR_COLUMNS)} {share:>7.0%}  {usd(left)} of {usd(budget.budget_usd)} left"


def _endpoint_lines(one: EndpointState) -> list[str]:
    """Write how an endpoint stands."""
    words = {
        "well": "well again",
        "cooling": f"left alone for {one.seconds_left:.0f} s more",
        "probing": "a probe is under way",
        "half_open": "the next request tests it",
    }
    lines = [f"  {one.model} ({one.provider}): {words[one.state]}"]
    return [*lines, f"    {one.why}"] if one.why else lines
