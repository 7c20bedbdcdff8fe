"""The words on the screen are those of the answer, at any width, whole or in pieces."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from screen_support import draw, letters

from deepsel.cli.drawing.cells import row_width
from deepsel.cli.drawing.page import Page
from deepsel.cli.terminal.terminal import Window
from deepsel.show.plain import plain

WIDTHS = (40, 60, 80, 200)
SCRAPS = [
    *("word", "another", "std::vector<int>", "<div>", "</div>", "&amp;", "C:\\new\\*.txt", "\\d+\\.\\d*", "__init__.py", "2*3*4", "a.*b.*"),
    *("[^1]", "![alt text](https://example.com/a_b*c*d.png)", "[text](http://x.y/z)", "handlers[i](event)", "<https://a.b/c>"),
    *("**bold words**", "*it*", "`code`", "``a ` b``", "**", "*", "`", "```", "~~~", "~user", "~~", "$x_1^*$", "foo|bar"),
    *("|", "\\|", "e\u0301", "🙂", "日本語", "한국어"),
    *("-", "+", "*", "1.", "23)", "#", "###", ">", "---", "***", "===", ":--", "|---|---|", "| a | b |", "\t", "    ", "  ", "\n", "\n\n"),
    *("x" * 70, "漢" * 45, "https://example.com/" + "path/" * 30),
]  # fmt: skip
MARKDOWN = st.lists(st.sampled_from(SCRAPS), max_size=60).flatmap(
    lambda scraps: st.lists(st.sampled_from([" ", " ", "\n", "\n\n", ""]), min_size=len(scraps), max_size=len(scraps)).map(
        lambda gaps: "".join(scrap + gap for scrap, gap in zip(scraps, gaps, strict=True))
    )
)
# Characters that are markup somewhere, and those that we draw beside the text.
MARKUP = re.compile(r"[*`~#>|:\\\s─│┼-]")


def bare(text: str) -> str:
    """A text without the characters that may be markup."""
    return MARKUP.sub("", unicodedata.normalize("NFC", plain(text)))


def without_languages(text: str) -> str:
    """A text without the word after a fence, which chooses the colours."""
    return re.sub(r"^([ >\t]*(?:(?:[-*+]|\d{1,9}[.)]) +)?)(`{3,}|~{3,}) *[^\s`]*(?=[^`\n]*$)", r"\1", text, flags=re.MULTILINE)


def cut(text: str, places: list[int]) -> list[str]:
    """A text in pieces."""
    ends = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(ends)]


REPORTED = {
    "html": "Replace <div> with <section>; std::vector<int>; true if 0<foo or foo>10.\n\n<details>\n<summary>More</summary>\n</details>\n",
    "picture": "![Build status of the main branch](https://example.com/b.png) " + " ".join(f"w{n:02}" for n in range(40)),
    "lines": "An old silent pond\nA frog jumps\n\nname,age\nAda,36\n\nIn C:\\new\\*.txt and \\d+\\.\\d* and __init__.py.\n",
    "cells": "| step | command |\n|---|---|\n"
    "| one | `kubectl get pods --namespace=production-europe-west` |\n| two | sha256:9f86d0 |\n",
    "json in a fence": 'Here you go:\n```json\n{"name": "Ada", "age": 36}\n```',
    "a paragraph higher than the window": " ".join(f"word{n:04}" for n in range(900)),
    "a list higher than the window": "".join(f"- item {n:04} with some words of text\n" for n in range(200)),
}  # fmt: skip


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("size", [7, 100_000], ids=["streamed", "whole"])
@pytest.mark.parametrize("case", REPORTED)
def test_answers_that_terminals_have_lost_words_of(case: str, size: int, columns: int) -> None:
    """Answers of which other tools showed less than came are on the screen in full, at any width."""
    text = REPORTED[case]
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    shown = bare(letters(draw(pieces, Window(columns, 24)).rows))
    assert shown == bare(letters([without_languages(text)]))


@pytest.mark.parametrize("columns", WIDTHS)
@given(text=MARKDOWN)
def test_no_word_of_a_whole_answer_is_lost(columns: int, text: str) -> None:
    """Every character that is no markup is on the screen once; cells of a table may change their order."""
    shown, given = Counter(bare(letters(draw([text], Window(columns, 24)).rows))), Counter(bare(without_languages(text)))
    assert not given - shown
    assert not shown - Counter(bare(text))


@pytest.mark.parametrize("columns", WIDTHS)
@given(text=MARKDOWN, places=st.lists(st.integers(0, 5000), max_size=12), rows=st.sampled_from([2, 5, 24, 60]))
def test_no_word_of_a_streaming_answer_is_lost(columns: int, text: str, places: list[int], rows: int) -> None:
    """However an answer comes, and however low the window is: nothing is missing and nothing stands there twice."""
    shown = Counter(bare(letters(draw(cut(text, places), Window(columns, rows)).rows)))
    assert not Counter(bare(without_languages(text))) - shown
    assert not shown - Counter(bare(text))


@given(text=MARKDOWN, places=st.lists(st.integers(0, 5000), max_size=12), columns=st.sampled_from(WIDTHS))
def test_pieces_look_like_the_whole(text: str, places: list[int], columns: int) -> None:
    """In a window that is high enough an answer in pieces ends as the same rows as one that came at once."""
    window = Window(columns, 500)
    assert draw(cut(text, places), window).rows == draw([text], window).rows


@given(
    words=st.lists(st.sampled_from(["one", "two", "**three**", "日本", "x" * 50]), min_size=1, max_size=400),
    places=st.lists(st.integers(0, 5000)),
)
def test_a_paragraph_higher_than_the_window_is_whole_and_in_order(words: list[str], places: list[int]) -> None:
    """Its first rows scroll away while the last ones move; no word is cut, drawn twice, or out of its place."""
    text = " ".join(words)
    assert bare(letters(draw(cut(text, places), Window(40, 6)).rows)) == bare(text)


@given(text=MARKDOWN, columns=st.sampled_from(WIDTHS))
@example(text="\t " + "x" * 70 + " ", columns=40)
def test_rows_fit_the_window(text: str, columns: int) -> None:
    """Only code is longer, and what may still change never is; nor is it higher than the window."""
    page, window = Page(has_colours=False), Window(columns, 10)
    for piece in cut(text, [*range(0, 2000, 7)]):
        drawn = page.draw(plain(piece), window)
        assert len(drawn.open) < window.rows
        assert all(row_width(row) <= columns for row in drawn.open)


@given(st.lists(st.text(), max_size=6))
def test_nothing_that_a_terminal_obeys_comes_through(pieces: list[str]) -> None:
    """Whatever the text, the only sequences written are our own: colours, a way up, an erasure, an update's begin and end."""
    written = draw(pieces, Window(40, 10)).written
    ours = re.sub(r"\x1b\[(\d+(;\d+)*m|\d+A|J|\?2026[hl])|\r|\n", "", written)
    assert not [char for char in ours if unicodedata.category(char) == "Cc" and char != "\t"]
