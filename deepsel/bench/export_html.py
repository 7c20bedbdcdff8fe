"""A report as one HTML page: a section for each case with its figures and plots."""

from __future__ import annotations

from html import escape

from deepsel.bench import plots
from deepsel.bench.figures import counts, interval, rows_of
from deepsel.bench.records import BenchReport, Result
from deepsel.show import html
from deepsel.show.html import Cell
from deepsel.show.money import usd

_STATISTICS = ("p50", "p90", "p95", "p99", "min", "max", "mean", "stdev")


def page(report: BenchReport) -> str:
    """Return the report as an HTML page."""
    subtitle = f"{report.started_at:%Y-%m-%d %H:%M %Z} · {report.tool} · cost of the run {usd(report.cost_usd)}"
    parts = ['<p class="warn">The run was interrupted: this is what there is.</p>'] if report.is_partial else []
    parts += [_checks(report), *(_case(result) for result in report.results)]
    settings = [f"{name}: {value}" for name, value in (*report.machine.items(), *report.settings.items())]
    lists = {"Compared": [one.text for one in report.comparisons], "Notes": report.warnings, "Machine and settings": settings}
    parts += [html.section(title, "", html.notes(texts)) for title, texts in lists.items() if texts]
    return html.page("Latency of language models", subtitle, parts)


def _checks(report: BenchReport) -> str:
    """List the checks, failed ones marked."""
    items = "".join(
        f'<li class="{"pass" if one.passed else "fail"}"><b>{"passed" if one.passed else "failed"}</b> '
        f"{escape(one.name)}: {escape(one.text)}</li>"
        for one in report.checks
    )
    return html.section("Checks", "", f"<ul>{items}</ul>") if items else ""


def _case(result: Result) -> str:
    """Show one case: figures, then plots."""
    if result.case.idle_s is not None:
        drawn = [_plot("Each round: warm to cold", plots.cold_warm(result))]
    else:
        drawn = [_plot("Time to first token", plots.distribution(result.values("ttft_s"), "Time to first token"))]
        drawn.append(_plot("Between tokens", plots.distribution(result.values("itl_s"), "Time between tokens")))
    drawn.append(_plot("Over the run", plots.timeline(result)))
    notes = "".join(f'<li class="warn">{escape(text)}</li>' for text in result.warnings)
    below = f"<ul>{notes}</ul>" if notes else ""
    return html.section(result.case.label, counts(result), f"{_figures(result)}{''.join(drawn)}{below}")


def _figures(result: Result) -> str:
    """Show a case's distributions, a line for each metric."""
    rows = []
    for words, _, write, figures in rows_of(result):
        texts = [str(figures.n), *(write(getattr(figures, name)) for name in _STATISTICS), interval(figures.p50_ci95, write)]
        rows.append([Cell(words), *(Cell(text, kind="n") for text in texts)])
    return html.table(["", "n", *_STATISTICS, "p50, 95 % interval"], rows, sorts=False) if rows else ""


def _plot(title: str, svg: str) -> str:
    return f"<h3>{escape(title)}</h3>{svg}" if svg else ""
