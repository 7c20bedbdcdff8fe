"""Each format says the same; the JSON record reads back as it was written."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bench_builders import report, result, silence

from deepsel.bench import saving
from deepsel.bench.baseline import read_results
from deepsel.bench.export_data import csv_text, record
from deepsel.bench.export_html import page
from deepsel.bench.export_text import junit, markdown, table
from deepsel.bench.judging import compare_baseline
from deepsel.bench.records import BenchReport, Check
from deepsel.health.benches import Benches
from deepsel.show.record import dump
from deepsel.show.screen import Screen

NASTY = "<b>&\x1b|`"
FAILED = Check("--max-ttft-p95", "quick", 0.1, 0.5, False, "quick: p95 too late <&>")
DISTRIBUTION = {"n", "mean", "stdev", "min", "p50", "p90", "p95", "p99", "max", "p50_ci95"}
CONTRACT = {
    "model", "provider", "concurrency", "rate", "prompt_tokens", "idle_s", "requests", "errors", "ttfb_s", "ttft_s", "itl_s",
    "tpot_s", "e2e_s", "output_tokens_per_s", "connect_s", "cold_ttft_s", "warm_ttft_s", "cold_penalty_s", "cost_usd", "samples",
}  # fmt: skip


@pytest.fixture
def whole() -> BenchReport:
    """A load with a failure, one nobody answered, and a silence."""
    load = result([0.2, 0.3, 0.4], errors=["server"], warnings=("look out",))
    dead = result([], errors=["rate_limited"], model=NASTY)
    return report(load, dead, silence([(1.2, 0.2), (1.4, 0.3)]), checks=(FAILED,), warnings=("a note",))


def test_record_is_the_contracts(whole: BenchReport) -> None:
    """The record has every name of the contract; money is text, unknown is null, times are numbers."""
    found = json.loads(dump(record(whole)))
    assert {"schema", "started_at", "tool", "cases", "checks"} <= found.keys()
    for case in found["cases"]:
        assert case.keys() >= CONTRACT
        assert case["ttft_s"].keys() >= DISTRIBUTION
    load, _, cold = found["cases"]
    assert (load["errors"], load["requests"], load["cost_usd"]) == ({"server": 1}, 4, "0.0003")
    assert load["ttft_s"]["p50"] == 0.3
    assert load["cold_ttft_s"]["p50"] is None
    assert cold["cold_penalty_s"]["p50"] == pytest.approx(1.05)
    assert found["checks"] == [
        {"name": "--max-ttft-p95", "case": "quick", "limit": 0.1, "value": 0.5, "passed": False, "text": FAILED.text}
    ]


def test_record_reads_back(whole: BenchReport) -> None:
    """A baseline has the cases and samples that were written."""
    back = read_results(dump(record(whole)))
    assert [one.case for one in back] == [one.case for one in whole.results]
    assert [one.samples for one in back] == [one.samples for one in whole.results]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', '{"schema": 1, "cases": [{}]}', '{"schema": 2, "cases": []}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    """Anything else is refused in words, never by a traceback."""
    with pytest.raises(ValueError, match="is not a record"):
        read_results(text)


def read_words(text: str) -> str:
    """Compare with a baseline; what is said where that cannot be, and empty where it can."""
    try:
        compare_baseline(read_results(text), read_results(text))
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("value", [{}, [], [[]], "x", True, None, -1, 1.5, 10**400, "1e999", "\u0663"])
def test_a_member_of_another_type_is_refused(whole: BenchReport, value: object) -> None:
    """A record made by hand can be compared with, or is refused by the member that cannot be."""
    for place in ("case", "sample"):
        for name in json.loads(dump(record(whole)))["cases"][0]["samples"][0] if place == "sample" else CONTRACT:
            document = json.loads(dump(record(whole)))
            row = document["cases"][0] if place == "case" else document["cases"][0]["samples"][0]
            row[name] = value
            text = json.dumps(document)
            words = read_words(text)
            assert not words or words.startswith("is not a record of `bench --format json`: ")


def test_table_fits_a_terminal(whole: BenchReport) -> None:
    """80 columns, with and without block characters; failures, notes and checks are in it."""
    text = table(whole, Screen())
    assert max(map(len, text.splitlines())) <= 80
    for words in ("3 of 4 answered (failed: 1 server)", "0 of 1 answered", "cold penalty", "look out", "FAILED", "a note"):
        assert words in " ".join(text.split())
    assert table(whole, Screen(has_blocks=False)).isascii()


def test_markdown_is_not_broken_by_names(whole: BenchReport) -> None:
    """Every line of a table has the same number of cells, whatever a name holds."""
    lines = [re.sub(r"\\\|", "", line) for line in markdown(whole).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines[:5]}) == 1
    assert "**failed** `--max-ttft-p95`" in markdown(whole)


def test_junit_is_xml_with_a_failure(whole: BenchReport) -> None:
    """The failed check and the case nobody answered are failures; the rest pass."""
    suite = ElementTree.fromstring(junit(whole)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    assert [test.get("name") for test in suite if test.find("failure") is not None][1] == "--max-ttft-p95 (quick)"
    partial = ElementTree.fromstring(junit(report(is_partial=True)))
    assert partial[0].get("failures") == "1"


def test_csv_has_a_line_for_each_metric(whole: BenchReport) -> None:
    """A line a case and metric; a name cannot become a formula."""
    rows = list(csv.DictReader(io.StringIO(csv_text(report(result([0.2, 0.4], model="=cmd"))))))
    assert {row["metric"] for row in rows} >= {"ttft_s", "itl_s", "tpot_s", "e2e_s"}
    assert rows[0]["model"] == "'=cmd"
    assert next(row for row in rows if row["metric"] == "ttft_s")["p50"] == "0.3"


def test_page_needs_nothing_else(whole: BenchReport) -> None:
    """One file: no script, no reference out, names escaped, plots drawn, dark where that is wished."""
    html = page(whole)
    assert not re.search(r"<script|https?://|<link rel=.stylesheet|url\(", html)
    assert "prefers-color-scheme: dark" in html
    assert NASTY not in html
    assert html.count("<svg") >= 5
    assert "interrupted" in page(report(is_partial=True))
    for svg in re.findall(r"<svg.*?</svg>", html):
        ElementTree.fromstring(svg)


def test_partial_is_said(whole: BenchReport) -> None:
    """A run that was interrupted says so in every format."""
    partial = report(result([0.2]), is_partial=True)
    assert record(partial)["is_partial"] is True
    assert "interrupted" in table(partial, Screen(has_blocks=False))
    assert "interrupted" in markdown(partial)


# --- handing on ------------------------------------------------------------------------------------------------------


def test_router_reads_what_was_saved(tmp_path: Path) -> None:
    """The medians of the least load are kept beside those of other models; a later run replaces its own, and is seen at once."""
    at = datetime(2026, 11, 25, tzinfo=UTC)
    results = [result([0.9] * 3, concurrency=8), result([0.3] * 3), silence([(5.0, 1.0)])]
    saving.write_latest(tmp_path, saving.latest(results), at=at)
    saving.write_latest(tmp_path, saving.latest([result([0.5], model="other")]), at=at)
    benches = Benches(tmp_path)
    known = benches.latest()
    assert (known["quick"].ttft_s, known["quick"].tokens_per_s, known["other"].ttft_s) == (0.3, 100.0, 0.5)
    assert stat.S_IMODE((tmp_path / "bench.json").stat().st_mode) == 0o600
    assert benches.latest() is known, "read once for as long as it stays"
    saving.write_latest(tmp_path, saving.latest([result([0.7], model="other")]), at=at)
    assert benches.latest()["other"].ttft_s == 0.7, "seen by a process that has read it before"
    (tmp_path / "bench.json").write_text("no figures")
    assert benches.latest() == {}
    (tmp_path / "bench.json").unlink()
    assert benches.latest() == {}


def test_observations_are_of_loads_alone() -> None:
    """Each request of a load is observed, failures with their class; a cold start would mislead."""
    results = [result([0.2], errors=["server"]), silence([(5.0, 1.0)])]
    found = saving.observations(results, profile="main", began_at=datetime(2026, 11, 25, tzinfo=UTC))
    assert [(one.outcome, one.error_class, one.ttft_s, one.task) for one in found] == [
        ("ok", None, 0.2, "bench"),
        ("failed", "server", None, "bench"),
    ]
