"""A report for people in plain text: a table for terminals, Markdown for job summaries, JUnit for CI."""

from __future__ import annotations

from deepsel.bench.figures import counts, interval, rows_of
from deepsel.bench.records import BenchReport, Result
from deepsel.show import junit as xml
from deepsel.show import markdown as md
from deepsel.show.bars import histogram, sparkline
from deepsel.show.columns import aligned
from deepsel.show.durations import seconds
from deepsel.show.junit import JUnitTest
from deepsel.show.lines import clipped, wrapped
from deepsel.show.money import usd
from deepsel.show.screen import Screen

_BINS = 40
_SHARES = ("p50", "p90", "p95", "p99", "max")


def table(report: BenchReport, screen: Screen) -> str:
    """Return the report for a terminal."""
    lines: list[str] = []
    for result in report.results:
        lines += [*_case_lines(result, screen), ""]
    compared = [("  ", one.text) for one in report.comparisons]
    checks = [(f"  {'passed' if one.passed else 'FAILED'}  ", f"{one.name}: {one.text}") for one in report.checks]
    for title, texts in (("compared", compared), ("checks", checks)):
        if texts:
            lines += [title, *(line for head, text in texts for line in _wrapped(text, head, screen)), ""]
    for text in report.warnings:
        lines += _wrapped(text, "note: ", screen)
    partial = ", interrupted: this is what there is" if report.is_partial else ""
    lines.append(f"cost of the run {usd(report.cost_usd)}, warm-up included{partial}")
    return "\n".join(lines) + "\n"


def _case_lines(result: Result, screen: Screen) -> list[str]:
    """Write a case: what, how many, the figures, a histogram, what to know."""
    lines = _wrapped(result.case.label, "", screen) + _wrapped(counts(result), "  ", screen)
    rows = rows_of(result)
    if rows:
        cells = [(" " * 18, *(share.rjust(8) for share in _SHARES))]  # as wide in every case
        cells += [(f"  {words}", *(write(getattr(figures, name)) for name in _SHARES)) for words, _, write, figures in rows]
        lines += [line.rstrip() for line in aligned(cells, right=range(1, 6), columns=screen.columns)]
        words, metric, write, figures = rows[0]
        if figures.p50_ci95:
            lines.append(f"  {words}, 95 % interval of the median: {interval(figures.p50_ci95, write)}")
        values = result.values(metric)
        drawn = sparkline(histogram(values, _BINS), has_blocks=screen.has_blocks)
        lines.append(clipped(f"  {write(figures.min):>9} |{drawn}| {write(figures.max)}", screen.columns))
    for warning in result.warnings:
        lines += _wrapped(warning, "  note: ", screen)
    return lines


def _wrapped(text: str, head: str, screen: Screen) -> list[str]:
    """Break a text into lines of a terminal's width, the first with a head."""
    return wrapped(text, screen.columns, first=head, indent=" " * len(head))


# --- Markdown --------------------------------------------------------------------------------------------------------


def markdown(report: BenchReport) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    heads = ("Model", "How", "Answered", "Failed", "First token p50", "p50 95 % interval", "p95", "Per token", "Cost")
    blocks = [md.table(heads, [_summary(result) for result in report.results], left=(0, 1))]
    cold = [_silence(result) for result in report.results if result.case.idle_s is not None]
    if cold:
        blocks.append(md.table(("Model", "How", "Cold", "Warm", "Penalty", "New connection"), cold, left=(0, 1)))
    verdicts = [
        f"- **{'passed' if one.passed else 'failed'}** {md.code(one.name)}: {md.escape(one.text)}" for one in report.checks
    ]
    verdicts += [f"- {md.escape(one.text)}" for one in report.comparisons]
    notes = [*report.warnings, *(f"{one.case.label}: {text}" for one in report.results for text in one.warnings)]
    blocks += ["\n".join(lines) for lines in (verdicts, [f"> {md.escape(text)}<br>" for text in notes]) if lines]
    partial = " The run was interrupted: this is what there is." if report.is_partial else ""
    blocks.append(f"{report.started_at:%Y-%m-%d %H:%M %Z}, {report.tool}, {usd(report.cost_usd)} in all.{partial}")
    return "\n\n".join(blocks) + "\n"


def _summary(result: Result) -> tuple[str, ...]:
    """Write a case's line."""
    first = result.distribution("ttft_s" if result.case.idle_s is None else "cold_ttft_s")
    answered = len(result.answered)
    times = (seconds(first.p50), interval(first.p50_ci95, seconds), seconds(first.p95), seconds(result.distribution("tpot_s").p50))
    counted = (str(answered), str(len(result.samples) - answered))
    return (md.code(result.case.model), md.escape(result.case.how), *counted, *times, usd(result.cost_usd))


def _silence(result: Result) -> tuple[str, ...]:
    """Write the line of a case that had silences."""
    medians = (seconds(result.distribution(name).p50) for name in ("cold_ttft_s", "warm_ttft_s", "cold_penalty_s", "connect_s"))
    return (md.code(result.case.model), md.escape(result.case.how), *medians)


# --- JUnit -----------------------------------------------------------------------------------------------------------


def junit(report: BenchReport) -> str:
    """Return the report as JUnit XML: a test for each check, and one for each case, which fails where none was answered."""
    tests = [
        _test("case", result.case.label, None if result.answered else "no request was answered", result.wall_s)
        for result in report.results
    ]
    tests += [_test("check", f"{one.name} ({one.case or 'run'})", None if one.passed else one.text) for one in report.checks]
    tests += [_test("run", "whole run", "the run was interrupted")] if report.is_partial else []
    return xml.junit("deepsel bench", tests, at=report.started_at)


def _test(kind: str, name: str, failure: str | None, time_s: float = 0.0) -> JUnitTest:
    return JUnitTest(f"deepsel.bench.{kind}", name, failure, time_s)
