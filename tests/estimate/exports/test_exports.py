"""The formats of a report: what programs parse, what fits a terminal, and a page that needs nothing else."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_builders import AT, PEAK_HOURS, TIERED, counted, model, piece, price, reading, readings, text

from deepsel.estimate.exports.data import COLUMNS, csv_text, record
from deepsel.estimate.exports.figures import growth
from deepsel.estimate.exports.html import page
from deepsel.estimate.exports.markdown import markdown
from deepsel.estimate.exports.table import table
from deepsel.estimate.pricing.portions import Answers, By
from deepsel.estimate.pricing.report import ReportOptions, build
from deepsel.estimate.pricing.spend import Assumptions
from deepsel.estimate.records import Change, Media, Reading, Report, Skipped, TokenCount
from deepsel.show.lines import width
from deepsel.show.record import dump_parts
from deepsel.show.screen import Screen
from deepsel.tokens import Picture
from deepsel.values import Source

MODELS = [
    TIERED,
    model("hourly", price("2", cached="1", label="peak", hours=PEAK_HOURS), price("1", cached="1", label="off-peak")),
    model("guessed", price("4", "8", cached="2"), vocabulary="claude3", service_tiers={"batch": Decimal("0.5")}, context_window=100),
    model("unpriced", vocabulary=None),
]
CHANGED_FILES = (("a|`b`.md", Decimal("0.001"), Decimal("0.0015")), ("new", Decimal(0), Decimal("0.001")))
CHANGE = Change("tiered", Decimal("0.001"), Decimal("0.0025"), CHANGED_FILES)
HOSTILE = '<script>alert(1)</script>"\'&|`\x1b[31m\n長い名前' + "x" * 200


def tallies(tokens: int) -> dict[str, TokenCount]:
    return {"v": counted(tokens), "o200k_base": counted(tokens), "claude3": TokenCount(2 * tokens, Source.ESTIMATED, 6.0)}


READ = replace(
    reading(
        text("en.txt", piece(tallies(1000), chars=5000, sentences=9)),
        text("zh.txt", piece(tallies(2000), language="zh", chars=2500)),
        text(HOSTILE, piece(tallies(300), language="th", chars=900), piece(tallies(0), language="code", chars=0)),
    ),
    skipped=(Skipped("logo.png", "binary"), Skipped(HOSTILE, "binary")),
)


def report(read: Reading = READ, *, by: By = "model", change: Change | None = None, **assumed: Any) -> Report:
    wanted = ReportOptions(by, prices_as_of="2026-11-24")
    return build(read, MODELS, providers={}, assumptions=Assumptions(AT, **assumed), wanted=wanted, change=change)


EVERY = [report(), report(by="file"), report(by="language"), report(change=CHANGE), report(reading())]
NAMES = ["model", "file", "language", "change", "nothing"]


# --- JSON and CSV -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", EVERY, ids=NAMES)
def test_json_holds_the_members_of_the_contract(one: Report) -> None:
    """Every member the contract names is there, money is decimal text, unknown is null."""
    parsed = json.loads("".join(dump_parts(record(one))))
    assert {"schema", "prices_as_of", "at", "inputs", "skipped", "rows", "cheapest", "change"} <= set(parsed)
    assert parsed["schema"] == 1
    for member in parsed["inputs"]:
        assert {"path", "bytes", "chars", "sentences", "language", "script", "tokens"} <= set(member)
        assert all(isinstance(count, int) for count in member["tokens"].values())
    contract = {
        *("model", "provider", "vocabulary", "source", "error_pct", "input_tokens", "output_tokens", "input_usd"),
        *("output_usd", "total_usd", "usd_per_1k_chars", "usd_per_sentence", "tokens_per_char", "premium_vs_english"),
    }
    for row in parsed["rows"]:
        assert contract <= set(row)
        assert row["total_usd"] is None or re.fullmatch(r"\d+(\.\d+)?", row["total_usd"])
    for member in parsed["skipped"]:
        assert set(member) == {"path", "reason"}


def test_json_names_the_cheapest_of_all_and_of_each_group() -> None:
    """The empty group is the whole."""
    parsed = record(report(by="language"))
    assert parsed["cheapest"] == "tiered"
    assert set(parsed["cheapest_by"]) == {"en", "zh", "th", "code"}


def test_json_of_a_change_adds_up() -> None:
    """The difference is after less before, of each file and in all."""
    change = record(report(change=CHANGE))["change"]
    assert change["delta_usd"] == change["after_usd"] - change["before_usd"] == sum(file["delta_usd"] for file in change["files"])


def test_a_price_says_where_it_comes_from() -> None:
    """Source and day stand beside the figure."""
    (first, *_) = record(report())["rows"]
    assert first["price"] == {"source": "a sheet", "checked": "2026-11-24", "label": None}


@settings(deadline=None)
@given(readings(), st.sampled_from(["model", "file", "language"]))
def test_csv_parses_back_to_the_rows(read: Reading, by: By) -> None:
    """Each row has every column, in order, and money keeps all its digits."""
    one = report(read, by=by)
    header, *lines = csv.reader(io.StringIO(csv_text(one)))
    assert tuple(header) == COLUMNS
    assert len(lines) == len(one.rows)
    for line, row in zip(lines, one.rows, strict=True):
        assert len(line) == len(COLUMNS)
        total = line[COLUMNS.index("total_usd")]
        assert (Decimal(total) if total else None) == row.total_usd


def test_csv_of_a_change_is_its_files() -> None:
    """One line a file."""
    _, first, second = csv.reader(io.StringIO(csv_text(report(change=CHANGE))))
    assert first == ["a|`b`.md", "tiered", "0.001", "0.0015", "0.0005"]
    assert second[:3] == ["new", "tiered", "0"]


def test_csv_has_no_formula_from_a_name() -> None:
    """A file's name that a spreadsheet would calculate is text; an amount that fell stays a number."""
    change = Change("tiered", Decimal("0.002"), Decimal("0.001"), (("=1+1.txt", Decimal("0.002"), Decimal("0.001")),))
    (_, file) = csv.reader(io.StringIO(csv_text(report(change=change))))
    assert file == ["'=1+1.txt", "tiered", "0.002", "0.001", "-0.001"]


# --- table ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("has_blocks", [True, False])
@pytest.mark.parametrize("one", EVERY, ids=NAMES)
def test_no_line_of_a_table_is_wider_than_the_screen(one: Report, has_blocks: bool, columns: int) -> None:
    """Names of any width and control characters fit; without blocks the bars are ASCII."""
    text_ = table(one, Screen(columns, has_blocks))
    assert max(width(line) for line in text_.splitlines()) <= columns
    assert has_blocks or not re.search("[\u2580-\u259f]", text_)


@settings(deadline=None)
@given(readings(), st.sampled_from(["model", "file", "language"]), st.integers(1, 10**12))
def test_tables_fit_whatever_the_amounts(read: Reading, by: By, times: int) -> None:
    """Huge costs make bars vanish before they make lines too long."""
    text_ = table(report(read, by=by, requests=times, answers=Answers(tokens=10**6)), Screen())
    assert max(width(line) for line in text_.splitlines()) <= 80


def test_a_table_says_what_it_rests_on() -> None:
    """Peak and off peak, unknown prices, windows, estimates, skips, the price table's day, the assumptions."""
    text_ = " ".join(table(report(cached_share=Decimal("0.5")), Screen(has_blocks=False)).split())
    for words in (
        "hourly: ",
        "no price of unpriced is known",
        "too large",
        "claude3 (± 6 %)",
        "Skipped logo.png: binary",
        "as of 2026-11-24",
        "no output, the input alone",
        "50 % of the input is read at the cached price",
    ):
        assert words in text_


def test_a_change_shows_each_file_and_the_sum() -> None:
    """Before, after and growth, of each file and in all."""
    text_ = table(report(change=CHANGE), Screen(has_blocks=False))
    assert re.search(r"new +\$0 +\$0\.001 +\+\$0\.001 +new", text_)
    assert re.search(r"total +\$0\.001 +\$0\.0025 +\+\$0\.0015 +\+150 %", text_)


# --- Markdown and HTML ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", EVERY, ids=NAMES)
def test_markdown_tables_are_whole_and_hold_no_markup_from_names(one: Report) -> None:
    """Every line of a table has as many cells as its head; a name cannot open a tag outside of code."""
    text_ = markdown(one)
    lines = [line for line in text_.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) <= 1
    assert "<script>" not in re.sub(r"(`+).*?\1", "", text_)


def test_a_comment_leads_with_the_difference() -> None:
    """A reviewer sees the change in the first line."""
    assert markdown(report(change=CHANGE)).startswith("**Prompt cost: +$0.0015 (+150 %) on tiered**\n")


class _Page(HTMLParser):
    """Collects what a browser would load or follow, and the tags that stay open."""

    VOID = frozenset({"meta", "link", "br", "circle", "rect", "path", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.open: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data", "xlink:href")]
        self.headings += tag == "h1"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("one", EVERY, ids=NAMES)
def test_a_page_stands_alone_and_is_well_formed(one: Report) -> None:
    """Nothing is loaded or linked from outside, every tag is closed, and no name becomes markup."""
    html = page(one)
    parser = _Page()
    parser.feed(html)
    assert parser.references == ["data:,"]
    assert parser.open == []
    assert parser.headings == 1
    assert "url(" not in html
    assert "@import" not in html
    assert html.count("<script") == 1
    assert "alert(1)</script>" not in html


def test_a_page_plots_costs_and_premiums_and_follows_the_colour_scheme() -> None:
    """Both plots are inline SVG with a name of their own; tables sort; dark is a media query."""
    html = page(report(by="language"))
    assert 'aria-label="Total cost by model"' in html
    assert 'aria-label="Premium over English by language"' in html
    assert "prefers-color-scheme: dark" in html
    assert html.count("<table>") == 3
    assert 'data-v="' in html


# --- figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "text_"),
    [("1", "3", "+200 %"), ("2", "1", "-50 %"), ("0", "1", "new"), ("1", "0", "gone"), ("0", "0", "0 %")],
)
def test_growth_has_words_where_there_is_no_percentage(before: str, after: str, text_: str) -> None:
    """Nothing can be divided by nothing."""
    assert growth(Decimal(before), Decimal(after)) == text_


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def pictured() -> Report:
    """A link to a picture, on a model with a rule and on one without."""
    asked = text("a.jsonl", piece(10), media=Media({Picture(): 1}, 1))
    models = [model("ruled", price("1"), pictures="claude-high"), model("blind", price("1"))]
    wanted = ReportOptions(prices_as_of="2026-11-24")
    return build(reading(asked), models, providers={}, assumptions=Assumptions(AT), wanted=wanted)


def test_every_form_says_what_is_a_bound(pictured: Report) -> None:
    """The most and the least are marked for people and named for programs, with the reason; no form shows a plain figure."""
    rows = {row["model"]: row for row in json.loads("".join(dump_parts(record(pictured))))["rows"]}
    assert [(name, rows[name]["source"]) for name in rows] == [("ruled", "at_most"), ("blind", "at_least")]
    assert rows["blind"]["reason"] == "it is not known how it counts pictures"
    assert json.loads("".join(dump_parts(record(pictured))))["inputs"][0]["pictures"] == 1
    lines = {line["model"]: line for line in csv.DictReader(io.StringIO(csv_text(pictured)))}
    assert (lines["ruled"]["source"], lines["blind"]["source"]) == ("at_most", "at_least")
    for shown in (table(pictured, Screen(80, has_blocks=True)), markdown(pictured), page(pictured)):
        assert "≤4,794" in shown
        assert "≤$0.0047" in shown
        assert "≥11" in shown
        assert "≥$0.000011" in shown
        assert "≤ marks the most" in shown
        assert "≥ marks the least" in shown


def test_a_change_says_that_it_may_be_more() -> None:
    """Every form for people says why the costs of a change are only known to be no less; the record has it as `reason`."""
    one = report(change=replace(CHANGE, reason="it is not known how it counts pictures"))
    for shown in (table(one, Screen(200, has_blocks=True)), markdown(one), page(one)):
        assert "The change may cost more than shown: it is not known how it counts pictures." in shown
    assert json.loads("".join(dump_parts(record(one))))["change"]["reason"] == "it is not known how it counts pictures"
