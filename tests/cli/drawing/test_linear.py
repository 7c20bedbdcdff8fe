"""Drawing twice as much takes twice the work: counted in calls, which no other work on the machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice, repeat

import pytest

from deepsel.cli.drawing.page import Page
from deepsel.cli.drawing.screen import DrawnScreen
from deepsel.cli.terminal.terminal import Look, Window

WINDOW = Window(80, 24)
PIECES = {
    "a paragraph without an end": "twenty characters ab",
    "a word without an end": "twentycharactersabcd",
    "emphasis that is never closed": "some *words and **mo",
    "an inline code that is never closed": "`twenty characters a",
    "one list": "- twenty characters\n",
    "a list within lists": "  - twenty character\n",
    "one code block": "x = [1, 2] # a line\n",
    "one table": "| a cell | another |\n",
    "quotes": "> twenty characters\n",
    "paragraphs": "twenty characters.\n\n",
}
HEADS = {"one code block": "```python\n", "one table": "| head | head two |\n|---|---|\n"}


def _calls(work: Callable[[], object]) -> int:
    """Count the calls of functions, those of C included."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def _draw(kind: str, pieces: int) -> int:
    """Draw that many pieces as they come; return the calls it took and the characters written, together."""
    written = 0

    def write(text: str) -> None:
        nonlocal written
        written += len(text)

    page, screen = Page(has_colours=True), DrawnScreen(write, Look(can_move=True, has_styles=True, has_colours=True))

    def work() -> None:
        for text in (HEADS.get(kind, ""), *islice(repeat(PIECES[kind]), pieces)):
            screen.show(page.draw(text, WINDOW), WINDOW)
        screen.show(page.draw("", WINDOW, is_last=True), WINDOW)

    return _calls(work) + written


@pytest.mark.parametrize("kind", PIECES)
def test_twice_the_text_is_twice_the_work(kind: str) -> None:
    """Of a paragraph, a list, a table or code that goes on and on, each piece costs what the last one did."""
    _draw(kind, 10)  # what is imported and compiled once
    assert _draw(kind, 400) < 2.3 * _draw(kind, 200)
