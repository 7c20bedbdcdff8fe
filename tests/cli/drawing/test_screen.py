"""What is written to a terminal: what is done once, and no more often than a person can see."""

from __future__ import annotations

import re
import threading

import pytest
from screen_support import ALL, draw, seen

from deepsel.cli.drawing.cells import Span, styled
from deepsel.cli.drawing.frames import Frames
from deepsel.cli.drawing.page import Page
from deepsel.cli.drawing.screen import DrawnScreen
from deepsel.cli.drawing.status import StatusLine
from deepsel.cli.terminal.render import EVERY_S, DrawnText
from deepsel.cli.terminal.terminal import Look, Window
from deepsel.errors import UsageError

WINDOW = Window(80, 24)
BLOCK = (
    "## Title\n\nA paragraph with **bold** and `code`, long enough to be wrapped once or twice at eighty columns, and then some more.\n\n"
    "- one\n- two\n\n```python\ndef f():\n    return 1  # one\n```\n\n| a | b |\n|---|---|\n| c | d |\n| e | f |\n\n"
)
ANSWER = BLOCK * (16_000 // len(BLOCK))


def test_an_answer_of_16_kb_is_written_little_more_than_once() -> None:
    """Drawn after each 17 characters it takes at most 100 kB, where the whole block was drawn anew it was megabytes."""
    written = draw([ANSWER[at : at + 17] for at in range(0, len(ANSWER), 17)], WINDOW).written
    assert len(written.encode()) < 100_000


def test_rows_that_are_done_are_never_touched_again() -> None:
    """The way up never leads above the rows that may still change: at most the height of the window, here of the table."""
    written = draw([ANSWER[at : at + 5] for at in range(0, len(ANSWER), 5)], WINDOW).written
    assert max(int(up) for up in re.findall(r"\x1b\[(\d+)A", written)) <= 5


def test_taking_back_is_one_synchronized_update() -> None:
    """Whatever erases stands between the update's begin and end; what only adds needs neither."""
    written = draw(["some *text", "* and more", " of it"], WINDOW).written
    assert written == "some *text\x1b[?2026h\r\x1b[Jsome \x1b[3mtext\x1b[0m and more\x1b[?2026l of it\n"
    assert re.sub(r"\x1b\[\?2026h[^\x1b]*(\x1b\[(?!\?2026l)[^\x1b]*)*\x1b\[\?2026l", "", written).count("\x1b[J") == 0


def test_the_cursor_is_left_below_the_answer_at_the_left() -> None:
    """The next prompt of the shell has a row of its own."""
    for text in ("one", "one\n", "one\n\n\n", "```\ncode", "|a|\n|-|\n|b|"):
        shown = draw([text], WINDOW)
        assert shown.cursor == (0, len(shown.rows))


def test_a_dumb_terminal_is_sent_text_and_nothing_else() -> None:
    """No colours, and nothing written over; every row once."""
    shown = draw(["# T\n\nsome *te", "xt* and", " more\n"], WINDOW, Look(can_move=False, has_styles=False, has_colours=False))
    assert shown.written == "T\n\nsome text and more\n"


def test_no_color_leaves_bold() -> None:
    """NO_COLOR is about colours."""
    row = [Span("a", "1"), Span("b", "36"), Span("c", "1;36")]
    assert styled(row, ALL) == "\x1b[1ma\x1b[0m\x1b[36mb\x1b[0m\x1b[1;36mc\x1b[0m"
    assert styled(row, ALL._replace(has_colours=False)) == "\x1b[1ma\x1b[0mb\x1b[1mc\x1b[0m"


def test_a_window_that_is_made_narrower_loses_nothing() -> None:
    """The rows that the terminal has wrapped itself are counted as it shows them."""
    written: list[str] = []
    page, screen = Page(has_colours=True), DrawnScreen(written.append, ALL)
    screen.show(page.draw("word *" * 12, Window(80, 24)), Window(80, 24))
    screen.show(page.draw("end\n", Window(40, 24)), Window(40, 24))
    assert written[1].startswith("\x1b[?2026h\x1b[1A\r\x1b[J")


class Hand:
    """A clock for drawings that goes on when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._waits = threading.Semaphore(0)
        self._goes = threading.Semaphore(0)

    def pause(self, seconds: float) -> None:
        """Wait in the drawing thread."""
        self.asked.append(seconds)
        self._waits.release()
        self._goes.acquire()

    def until_drawn(self) -> None:
        """Wait in the test until a drawing is over."""
        assert self._waits.acquire(timeout=60)

    def go(self) -> None:
        """Let the time between two drawings pass."""
        self._goes.release()


def test_there_is_one_drawing_at_once_and_then_one_in_a_sixteenth_of_a_second() -> None:
    """However many pieces come while the clock stands, they are drawn together when it goes on; the first waits for nothing."""
    hand, written = Hand(), list[str]()
    text = DrawnText(written.append, ALL, lambda: WINDOW, hand.pause)
    text.add("first ")
    hand.until_drawn()
    assert written == ["first"]
    for number in range(100):
        text.add(f"{number} ")
    assert written == ["first"]
    hand.go()
    hand.until_drawn()
    assert len(written) == 2
    assert hand.asked == [EVERY_S, EVERY_S] == [1 / 16, 1 / 16]
    hand.go()
    text.end()
    assert seen("".join(written), WINDOW).rows[-1].endswith("99")


def test_a_carriage_return_in_another_piece_than_its_line_feed_vanishes() -> None:
    """Windows line ends are line ends, wherever a stream is cut; a lone one is shown."""
    written: list[str] = []
    text = DrawnText(written.append, ALL, lambda: WINDOW)
    for piece in ("a\r", "\nb\rc\r"):
        text.add(piece)
    text.end()
    assert seen("".join(written), WINDOW).rows == ["a", "b␍c␍"]


@pytest.mark.parametrize("error", [UsageError("cannot write to standard output"), IndexError("a bug")])
def test_what_goes_wrong_in_drawing_is_the_callers(error: Exception) -> None:
    """A terminal that is gone, and a bug too, ends the answer: no thread dies with a part of it."""

    def gone(_: str) -> None:
        raise error

    drawn = threading.Event()

    def draw_() -> None:
        try:
            gone("")
        finally:
            drawn.set()

    frames = Frames(draw_, 0)
    frames.wake()
    assert drawn.wait(60)
    frames._thread.join(60)
    for call in (frames.wake, frames.end):
        with pytest.raises(type(error)):
            call()


def test_the_status_is_one_row_and_is_wiped(capsys: pytest.CaptureFixture[str]) -> None:
    """A text that is too long is cut to the window, a note stands above it, and nothing is left."""
    status = StatusLine(ALL, lambda: Window(20, 24))
    status.say("asking a model with a very long name\nindeed\x1b")
    status.note("a note")
    status.wipe()
    status.wipe()
    screen = seen(capsys.readouterr().err, Window(20, 24))
    assert screen.rows == ["a note"]
    assert screen.cursor == (0, 1)

