"""A report for people in plain text: a table for terminals of 80 columns, Markdown for job summaries, JUnit for CI."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape

from deepsel.bench.figures import counts, duration, interval, rows_of, spark, usd
from deepsel.bench.records import Check, Report, Result

_COLUMNS = 80
_BINS = 40


def table(report: Report, *, has_blocks: bool) -> str:
    """Return the report for a terminal; `has_blocks` says that it can show U+2581 to U+2588."""
    lines: list[str] = []
    for result in report.results:
        lines += [*_case_lines(result, has_blocks=has_blocks), ""]
    for title, texts in (("compared", [one.text for one in report.comparisons]), ("checks", _verdicts(report.checks))):
        if texts:
            lines += [title, *(line for text in texts for line in _wrapped(text, "  ")), ""]
    for text in report.warnings:
        lines += _wrapped(text, "note: ")
    partial = ", interrupted: this is what there is" if report.is_partial else ""
    lines.append(f"cost of the run {usd(report.cost_usd)}, warm-up included{partial}")
    return "\n".join(lines) + "\n"


def _case_lines(result: Result, *, has_blocks: bool) -> list[str]:
    """Write a case: what, how many, the figures, a histogram, what to know."""
    lines = _wrapped(result.case.label, "") + _wrapped(counts(result), "  ")
    rows = rows_of(result)
    if rows:
        lines.append(f"  {'':16}{'p50':>10}{'p90':>10}{'p95':>10}{'p99':>10}{'max':>10}")
    for words, _, write, figures in rows:
        cells = (figures.p50, figures.p90, figures.p95, figures.p99, figures.max)
        lines.append(f"  {words:16}" + "".join(f"{write(cell):>10}" for cell in cells))
    if rows:
        words, metric, write, figures = rows[0]
        if figures.p50_ci95:
            lines.append(f"  {words}, 95 % interval of the median: {interval(figures.p50_ci95, write)}")
        drawn = spark(result.values(metric), _BINS, has_blocks=has_blocks)
        lines.append(f"  {write(figures.min):>9} |{drawn}| {write(figures.max)}")
    for warning in result.warnings:
        lines += _wrapped(warning, "  note: ")
    return lines


def _verdicts(checks: Sequence[Check]) -> list[str]:
    return [f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.text}" for check in checks]


def _wrapped(text: str, head: str) -> list[str]:
    """Break a text into lines of a terminal's width."""
    return textwrap.wrap(text, _COLUMNS, initial_indent=head, subsequent_indent=" " * len(head)) or [head]


# --- Markdown --------------------------------------------------------------------------------------------------------


def markdown(report: Report) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    heads = ("Model", "How", "Answered", "Failed", "First token p50", "p50 95 % interval", "p95", "Per token", "Cost")
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * 7]
    for result in report.results:
        first = result.distribution("ttft_s" if result.case.idle_s is None else "cold_ttft_s")
        cells = (
            f"`{result.case.model}`", result.case.how, str(len(result.answered)), str(len(result.samples) - len(result.answered)),
            duration(first.p50), interval(first.p50_ci95, duration), duration(first.p95),
            duration(result.distribution("tpot_s").p50), usd(result.cost_usd),
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    cold = [result for result in report.results if result.case.idle_s is not None]
    if cold:
        lines += ["", "| Model | How | Cold | Warm | Penalty | New connection |", "|---|---|---:|---:|---:|---:|"]
    for result in cold:
        medians = [duration(result.distribution(name).p50) for name in ("cold_ttft_s", "warm_ttft_s", "cold_penalty_s", "connect_s")]
        lines.append(f"| `{result.case.model}` | {result.case.how} | " + " | ".join(medians) + " |")
    lines += [""] if report.checks or report.comparisons else []
    lines += [f"- **{'passed' if one.passed else 'failed'}** `{one.name}`: {_plain(one.text)}" for one in report.checks]
    lines += [f"- {_plain(one.text)}" for one in report.comparisons]
    notes = [*report.warnings, *(f"{one.case.label}: {text}" for one in report.results for text in one.warnings)]
    lines += ["", *(f"> {_plain(text)}<br>" for text in notes)] if notes else []
    partial = " The run was interrupted: this is what there is." if report.is_partial else ""
    lines += ["", f"{report.started_at:%Y-%m-%d %H:%M %Z}, {report.tool}, {usd(report.cost_usd)} in all.{partial}"]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Keep Markdown from taking text from outside for markup."""
    return escape(" ".join(text.split()), quote=False).replace("`", "'").replace("|", "\\|")


# --- JUnit -----------------------------------------------------------------------------------------------------------


def junit(report: Report) -> str:
    """Return the report as JUnit XML: a test for each check, and one for each case, which fails where none was answered."""
    tests = [
        _test(result.case.label, "case", None if result.answered else "no request was answered", result.wall_s)
        for result in report.results
    ]
    tests += [_test(f"{one.name} ({one.case or 'run'})", "check", None if one.passed else one.text, 0.0) for one in report.checks]
    tests += [_test("whole run", "run", "the run was interrupted", 0.0)] if report.is_partial else []
    failures = sum("<failure" in test for test in tests)
    seconds = sum(result.wall_s for result in report.results)
    head = f'name="deepsel bench" tests="{len(tests)}" failures="{failures}" errors="0" time="{seconds:.3f}"'
    stamp = f'timestamp="{report.started_at:%Y-%m-%dT%H:%M:%S}"'
    body = "\n".join(tests)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite {head} {stamp}>\n{body}\n</testsuite>\n</testsuites>\n'


def _test(name: str, kind: str, failure: str | None, seconds: float) -> str:
    """Write one test."""
    head = f'<testcase classname="deepsel.bench.{kind}" name="{_xml(name)}" time="{seconds:.3f}"'
    return f"{head}/>" if failure is None else f'{head}><failure message="{_xml(failure)}"/></testcase>'


def _xml(text: str) -> str:
    """Escape a text; XML has no form for control characters."""
    return escape("".join(char if char.isprintable() else " " for char in text))
