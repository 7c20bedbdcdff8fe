"""What Markdown looks like, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from screen_support import draw

from deepsel.cli.drawing.cells import Span, fold, row_width, width, wrap
from deepsel.cli.drawing.code import Coloured
from deepsel.cli.drawing.inline import BOLD, CODE, ITALIC, LINK, STRUCK, spans
from deepsel.cli.drawing.page import Page
from deepsel.cli.terminal.terminal import Look, Window

WINDOW = Window(40, 24)


def look(text: str) -> list[str]:
    """The rows of an answer in a window of 40 columns."""
    return draw([text], WINDOW).rows


@pytest.mark.parametrize(
    "text",
    [
        "Replace <div> with std::vector<int>\n<b>0<foo or foo>10</b>",
        "![Build](https://example.com/b.png)",
        "[text](https://a.b/c) <https://a.b>",
        "A note[^1]\n\n[^1]: The footnote",
        "[1]: https://example.com",
        "C:\\new\\*.txt \\d+\\.\\d* __init__.py \\",
        "2*3*4, x**2 + y**2, a.*b.*, **/*.py, **/*.js",
        "foo(*args, **kwargs), handlers[i](event)",
        "**foo**bar, *a*b, (*p)*2, *a/*b",
        "&amp; &lt;b&gt; \\[x^2\\] $a_1 * b_1$",
        "An old silent pond\nA frog jumps into it",
        "a poem\n    indented\n  less",
        "1. one\n1. two\n7) seven",
        "+ 3 apples\n- 5 pears\n* a star",
        "- a\n  - b\n    - c\n      more of c",
        "- [ ] open\n- [x] done",
        "name|age\nnot a table",
        "Title\n=====",
    ],
)
def test_it_stands_there_as_it_came(text: str) -> None:
    """HTML, images, links with their addresses, footnotes, escapes, entities, marks of lists and line breaks are text."""
    assert draw([text], Window(100, 24)).rows == text.split("\n")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("# Title #\ntext", ["Title", "", "text"]),
        ("one\n\n\n\ntwo\n", ["one", "", "two"]),
        ("Here:\n- a\n- b\n\nafter", ["Here:", "", "- a", "- b", "", "after"]),
        ("- a\n\n- b", ["- a", "", "- b"]),
        ("Code:\n```py\na = 1\n\nb = 2\n```\nafter", ["Code:", "", "a = 1", "", "b = 2", "", "after"]),
        ("1. Do\n   ```sh\n   ls\n     -l\n   ```\n2. Then", ["1. Do", "", "ls", "  -l", "", "2. Then"]),
        ("```py title=x.py\n1\n```", ["title=x.py", "1"]),
        ("~~~\n```\n~~~", ["```"]),
        ("````md\n```py\n````", ["```py"]),
        ("```\nnot closed", ["not closed"]),
        ("> a\n> b\n>\n> > c", ["│ a", "│ b", "│", "│ │ c"]),
        ("> ```\n> x\nout", ["│ x", "", "out"]),
        ("a\n\n***\nb", ["a", "", "─" * 40, "", "b"]),
        ("    code\n    *x*\n\ntext", ["code", "*x*", "", "text"]),
    ],
)
def test_blocks(text: str, rows: list[str]) -> None:
    """One empty row between blocks; code stands at the left edge as it came, without its fence."""
    assert look(text) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("|a|b|\n|--|-:|\n|x|12|\n|long|3|", ["a    │  b", "─────┼───", "x    │ 12", "long │  3"]),
        ("a|b\n:-:|-\nxyz|1|2\n5", [" a  │ b", "────┼────", "xyz │ 1|2", "", "5"]),
        ("|a|\n|-|\n|`x\\|y`|", ["a", "───", "x|y"]),
        ("|a|b|\n|-|\n|x|", ["|a|b|", "|-|", "|x|"]),
        (
            f"|k|v|\n|-|-|\n|a|{'x' * 40} and more words|",
            ["k │ v", "──┼─────────────────────────────────────", f"a │ {'x' * 36}", f"  │ {'x' * 4} and more words"],
        ),
    ],
)
def test_tables(text: str, rows: list[str]) -> None:
    """Cells are folded at words and inside of long ones; what is too much for the head stays in the last cell."""
    shown = [row.rstrip() for row in look(text)]
    assert [row.replace("─", "") for row in shown] == [row.replace("─", "") for row in rows]
    assert all(width(row) <= 40 for row in shown)


def test_a_table_in_a_window_that_is_too_narrow_is_lines() -> None:
    """Where no column has room, each row of the table is a line that is wrapped."""
    rows = draw(["|one|two|three|four|\n|-|-|-|-|\n|1|2|3|4|\n"], Window(16, 24)).rows
    assert rows == ["one │ two │", "three │ four", "─────────", "1 │ 2 │ 3 │ 4"]


@pytest.mark.parametrize(
    ("text", "styled"),
    [
        ("a **b** c", [("a ", ""), ("b", BOLD), (" c", "")]),
        ("*a **b***", [("a ", ITALIC), ("b", f"{ITALIC};{BOLD}")]),
        ("这是**重点**内容", [("这是", ""), ("重点", BOLD), ("内容", "")]),
        ("~~a~~ `*b*`", [("a", STRUCK), (" ", ""), ("*b*", CODE)]),
        ("see [a *b*](http://x/*y*).", [("see ", ""), ("[a *b*](http://x/*y*)", LINK), (".", "")]),
        ("**a", [("**a", "")]),
        ("\\*a\\*", [("\\*a\\*", "")]),
    ],
)
def test_inline_markup(text: str, styled: list[tuple[str, str]]) -> None:
    """Stars, strokes and back quotes become styles where they cannot be anything else; in links and code they are text."""
    joined: list[tuple[str, str]] = []
    for span in spans(text):
        same = joined and joined[-1][1] == span.style
        joined[-1:] = [(joined[-1][0] + span.text, span.style)] if same else [*joined[-1:], tuple(span)]
    assert joined == styled


def test_a_long_line_of_code_is_written_whole() -> None:
    """The terminal breaks it, so that it is copied as one line; no spaces are added, tabs stay."""
    line = "\tx = " + "1 + " * 50 + "1"
    shown = draw(["```\n", line[:30], line[30:180], line[180:], "\n```\n"], Window(40, 5))
    assert shown.written.endswith(f"\x1b[3A\r\x1b[J{line}\n\x1b[?2026l")


def test_code_has_colours_and_no_background() -> None:
    """A keyword is coloured by what the fence names; a language that nobody knows is shown as it came."""
    shown = draw(["```python\ndef f():\n    return '1'\n```\n```nobody\ndef f()\n```"], WINDOW)
    assert "\x1b[35mdef\x1b[0m" in shown.written
    assert "\x1b[32m'1'\x1b[0m" in shown.written
    assert "\n\ndef f()" in shown.written
    assert "\x1b[4" not in shown.written


@given(st.lists(st.text(alphabet="\"'#/* x=1\\{}\t", max_size=8), max_size=20), st.sampled_from(["python", "c", "json", "html", "sh", "x"]))
def test_colours_change_no_character(lines: list[str], language: str) -> None:
    """Whatever the code, its rows are its lines, however few come at once."""
    coloured = Coloured(language)
    for line in lines:
        (row,), coloured = coloured.add([line])
        assert "".join(span.text for span in row) == line
    rows, _ = Coloured(language).add(lines)
    assert ["".join(span.text for span in row) for row in rows] == lines


def test_a_string_over_several_lines_is_one_colour_though_its_lines_come_one_by_one() -> None:
    """A line of code is coloured by what stands before it."""
    coloured = Coloured("python")
    for line in ('x = """one', "", "def two"):
        rows, coloured = coloured.add([line])
    assert rows == [[Span("def two", "32")]]
    _, coloured = Coloured("python").add(["x = 1", "", 'y = """one'])
    assert coloured.add(["two"])[0] == [[Span("two", "32")]]


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("👩\u200d👩\u200d👧", 6), ("❤\ufe0f", 2), ("🇩🇪", 2), ("한국", 4), ("a\u200bb", 2)],
)
def test_widths(text: str, columns: int) -> None:
    """Wide, combining and joined characters take the columns that they take at most."""
    assert width(text) == columns


SEEN_AS_ONE = ["a", "b", " ", "漢", "字", "e\u0301", "❤\ufe0f", "👩\u200d👧", "。"]


@given(st.lists(st.sampled_from(SEEN_AS_ONE), max_size=60), st.integers(4, 30))
def test_wrapped_and_folded_text_is_the_text(characters: list[str], columns: int) -> None:
    """Nothing but spaces at the ends of rows is lost, no row is too long, and no character is torn from its mark."""
    text = "".join(characters)
    for rows in (wrap([Span(text)], columns), fold([Span(text)], columns, columns)):
        assert all(row_width(row) <= columns for row in rows)
        assert all(not row or row[0].text[:1] not in ("\u0301", "\ufe0f", "\u200d", "👧") for row in rows)
        assert "".join(span.text for row in rows for span in row).replace(" ", "") == text.replace(" ", "")
    assert "".join(span.text for row in fold([Span(text)], columns, columns) for span in row) == text


@pytest.mark.parametrize("text", ["*", "`", "[", "![", "<", "> ", "|", "a*", "漢", "x", "- ", "**a", "[a]("])
def test_the_work_grows_as_the_text_does(text: str) -> None:
    """A paragraph of 64 kB in pieces is read a bounded number of times: what is looked at again is never more than a window."""
    page, looked = Page(has_colours=True), 0
    for _ in range(64):
        drawn = page.draw(text * (1000 // len(text)), WINDOW)
        looked += len(page._partial)
        assert len(drawn.open) < WINDOW.rows
    assert looked <= 64 * 5200


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"TERM": "xterm"}, Look(can_move=True, has_styles=True, has_colours=True)),
        ({}, Look(can_move=True, has_styles=True, has_colours=True)),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Look(can_move=True, has_styles=True, has_colours=False)),
        ({"TERM": "dumb"}, Look(can_move=False, has_styles=False, has_colours=False)),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, Look(can_move=False, has_styles=True, has_colours=True)),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, Look(can_move=True, has_styles=True, has_colours=False)),
    ],
)
def test_what_the_environment_asks_for(env: dict[str, str], expected: Look) -> None:
    """NO_COLOR leaves bold and italic, a dumb terminal has nothing unless FORCE_COLOR says so."""
    from deepsel.cli.terminal.terminal import look

    assert look(env) == expected
