"""A report as one HTML page that needs nothing else: tables and plots inline, light and dark, no reference out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from deepsel.bench import plots
from deepsel.bench.figures import counts, interval, rows_of, usd
from deepsel.bench.records import Report, Result

_STATISTICS = ("p50", "p90", "p95", "p99", "min", "max", "mean", "stdev")


def page(report: Report) -> str:
    """Return the report as an HTML page."""
    template = Template(files("deepsel.bench").joinpath("data/page.html").read_text("utf-8"))
    subtitle = f"{report.started_at:%Y-%m-%d %H:%M %Z} · {report.tool} · cost of the run {usd(report.cost_usd)}"
    parts = ['<p class="warn">The run was interrupted: this is what there is.</p>'] if report.is_partial else []
    parts += [_checks(report), *(_case(result) for result in report.results)]
    parts += [_list("Compared", [one.text for one in report.comparisons]), _list("Notes", list(report.warnings))]
    settings = [f"{name}: {value}" for name, value in (*report.machine.items(), *report.settings.items())]
    parts.append(_list("Machine and settings", settings))
    return template.substitute(subtitle=escape(subtitle), body="\n".join(filter(None, parts)))


def _checks(report: Report) -> str:
    """List the checks, failed ones marked."""
    items = "".join(
        f'<li class="{"pass" if one.passed else "fail"}"><b>{"passed" if one.passed else "failed"}</b> '
        f"{escape(one.name)}: {escape(one.text)}</li>"
        for one in report.checks
    )
    return f"<section><h2>Checks</h2><ul>{items}</ul></section>" if items else ""


def _case(result: Result) -> str:
    """Show one case: figures, then plots."""
    rows = [
        [words, str(figures.n), *(write(getattr(figures, name)) for name in _STATISTICS), interval(figures.p50_ci95, write)]
        for words, _, write, figures in rows_of(result)
    ]
    table = _table(["", "n", *_STATISTICS, "p50, 95 % interval"], rows) if rows else ""
    if result.case.idle_s is not None:
        drawn = [_plot("Each round: warm to cold", plots.cold_warm(result))]
    else:
        drawn = [_plot("Time to first token", plots.distribution(result.values("ttft_s"), "Time to first token"))]
        drawn.append(_plot("Between tokens", plots.distribution(result.values("itl_s"), "Time between tokens")))
    drawn.append(_plot("Over the run", plots.timeline(result)))
    notes = "".join(f'<li class="warn">{escape(text)}</li>' for text in result.warnings)
    head = f'<h2>{escape(result.case.label)}</h2><p class="soft">{escape(counts(result))}</p>'
    return f"<section>{head}{table}{''.join(drawn)}{f'<ul>{notes}</ul>' if notes else ''}</section>"


def _plot(title: str, svg: str) -> str:
    return f"<h3>{escape(title)}</h3>{svg}" if svg else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>'


def _list(title: str, texts: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<section><h2>{escape(title)}</h2><ul class="soft">{items}</ul></section>' if items else ""
