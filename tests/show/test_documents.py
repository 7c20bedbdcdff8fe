"""Pages, plots, Markdown, CSV and JUnit: text from outside is text in each of them."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.show import html, markdown, svg
from deepsel.show.csv import csv_text
from deepsel.show.html import Cell
from deepsel.show.junit import JUnitTest, junit

NASTY = '<script>alert(1)</script>"\'&|`\x1b\n長い'
VOID = {"meta", "link"}


class _Page(HTMLParser):
    """Collects what a browser would load or follow and the text; asserts that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    assert not page.open
    return page


# --- pages ------------------------------------------------------------------------------------------------------------


def test_a_page_stands_alone() -> None:
    """Nothing is loaded from outside, names stay text, and there is a script only where a table sorts."""
    rows = [[Cell(NASTY), html.money(Decimal("1E-7")), html.money(None)]]
    plot = svg.bars([(NASTY, 1.0, NASTY)], title=NASTY, best=None)
    parts = [html.cards([(NASTY, NASTY)]), html.section(NASTY, NASTY, html.notes([NASTY])), "", plot]
    quiet = _read(html.page(NASTY, NASTY, [*parts, html.table(["a", "b", "c"], rows, sorts=False)]))
    assert "script" not in quiet.tags
    lively = _read(html.page(NASTY, NASTY, [*parts, html.table(["a", "b", "c"], rows)]))
    assert lively.tags.count("script") == 1
    for page in (quiet, lively):
        assert page.references == ["data:,"]
        assert page.text.count("alert(1)</script>") >= 8
        assert "$0.0000001" in page.text


def test_a_page_holds_nothing_that_is_obeyed_unseen() -> None:
    """Controls and hidden characters are shown, wherever on the page they stand."""
    evil = "a\x1b[2J\x00\x7f\x9b\u202e\u2066\u200b\ufeff\U000e0041z"
    plot = svg.bars([(evil, 1.0, evil)], title=evil, best=None)
    page = html.page(evil, evil, [html.notes([evil]), html.table([evil], [[Cell(evil, evil)]]), plot])
    assert not [sign for sign in page if unicodedata.category(sign) in ("Cc", "Cf") and sign not in "\n\t"]
    assert "␛[2J" in page


def test_a_page_without_a_script_allows_none() -> None:
    """Its policy names scripts only where it has one of its own."""
    assert "script-src" not in html.page("t", "s", [])
    assert "script-src 'unsafe-inline'" in html.page("t", "s", [html.table(["a"], [[Cell("x")]])])


def test_a_table_sorts_by_keys_and_ends_at_a_length() -> None:
    """A figure is sorted as a number, what is unknown last; a very long table says how much is left out."""
    drawn = html.table(["n", "$"], [[html.figure("1,000", 1000), html.money(None)]] * 2003, marked=[1])
    assert drawn.count('<td class="n" data-v="1000">1,000</td>') == 2000
    assert '<td class="n" data-v="">-</td>' in drawn
    assert drawn.count("<tr class=is-best>") == 1
    assert "3 more lines" in drawn


def test_plots_are_whole_pictures() -> None:
    """Each plot is well-formed XML with its name, whatever the names of its rows."""
    rows = {NASTY.replace("\x1b", ""): {"a": 1.0, "b": 9.5}, "y": {"a": 0.5}}
    text = NASTY.replace("\x1b", "")
    plots = [
        svg.bars([(text, 2.0, text), ("y", 0.0, "0")], title=text, best="y"),
        svg.dots(rows, ["a", "b"], title=text),
        svg.frame(text, svg.uprights([0, 1, 2], ["a", text, "c"], height=90) + svg.mark(0.9, text, row=1, height=90), height=90),
        svg.frame("t", svg.axis(text, text, height=90), height=110),
    ]
    for plot in plots:
        root = ElementTree.fromstring(plot)
        assert (root.tag, root.find("title") is not None) == ("svg", True)
    assert len(ElementTree.fromstring(plots[2]).findall("rect")) == 2
    assert svg.legend(["a", text]).count("<li>") == 2


# --- Markdown ---------------------------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_a_markdown_table_has_its_cells(one: str, other: str) -> None:
    """Whatever is escaped or quoted, each line of a table has as many cells as its head."""
    lines = markdown.table(("A", "B"), [(markdown.code(one), markdown.escape(other))], left=(0, 1)).split("\n")
    assert lines[:2] == ["| A | B |", "| --- | --- |"]
    assert len(lines) == 3
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[2].replace(markdown.code(one), ""))) == 3


def test_markdown_text_holds_no_markup() -> None:
    """Tags, entities, emphasis and links stay text; a name with backticks is fenced by more of them."""
    assert markdown.escape("<b>&amp; *x* [y](z) a|b\nc") == "\\<b\\>\\&amp; \\*x\\* \\[y\\](z) a\\|b c"
    assert (markdown.code("a|b"), markdown.code("a`b"), markdown.code("\x1b")) == ("`a\\|b`", "`` a`b ``", "`\ufffd`")
    assert markdown.table(("A", "B"), []).split("\n")[1] == "| --- | ---: |"


# --- CSV and JUnit ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_field_is_a_formula(start: str) -> None:
    """Text that a spreadsheet would calculate gets an apostrophe."""
    _, (field, number) = csv.reader(io.StringIO(csv_text(["a", "b"], [(f"{start}1+1|cmd", 1)]), newline=""))
    assert number == "1"
    assert field == f"'{start}1+1|cmd"


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_stay_numbers(number: Decimal | int | float) -> None:
    """A negative amount is no formula, and no digit is lost."""
    field = csv_text(["n"], [(number,)]).split("\n")[1]
    assert type(number)(field) == number
    assert not isinstance(number, Decimal) or "E" not in field


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_text_reads_back(cells: list[str]) -> None:
    """Quotes, commas and line breaks survive; only the apostrophe of a guarded field is added."""
    _, found = csv.reader(io.StringIO(csv_text(["h"] * len(cells), [cells]), newline=""))
    assert [field.removeprefix("'") if not cell.startswith("'") else field for field, cell in zip(found, cells, strict=True)] == cells
    assert not any(re.match(r"[=@\t\r]|[+-](?![0-9]+(\.[0-9]+)?$)", field) for field in found)


def test_text_that_is_a_number_is_left_alone_and_unknown_is_empty() -> None:
    """`-5` is a number wherever it comes from; None is nothing."""
    assert csv_text(["a", "b", "c"], [("-5", None, "+1.5")]) == "a,b,c\n-5,,+1.5\n"


def test_junit_counts_its_failures() -> None:
    """One suite with its tests, failures and time, well-formed whatever the names hold."""
    tests = [JUnitTest("c.case", NASTY, None, 1.5), JUnitTest("c.check", "x", NASTY, 0.25)]
    (suite,) = ElementTree.fromstring(junit("a suite", tests, at=datetime(2026, 11, 25, tzinfo=UTC)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("2", "1", "1.750")
    assert suite.get("timestamp") == "2026-11-25T00:00:00"
    assert [test.find("failure") is not None for test in suite] == [False, True]
