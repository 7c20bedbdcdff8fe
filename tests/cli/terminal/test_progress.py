"""The progress line: what it says, and that it leaves nothing behind."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from deepsel.cli.terminal.progress import ProgressLine, progress_text, running_cost
from deepsel.estimate.reading.count import Progress


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 25, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (50_000_000, 200_000_000, 5.0, "counting  50 MB of 200 MB (25 %)  10 MB/s  0:15 left"),
        (50_000_000, None, 5.0, "counting  50 MB  10 MB/s"),
        (0, 1000, 0.0, "counting  0 B of 1 kB (0 %)  0 B/s"),
        (6_000_000_000, 12_000_000_000, 600.0, "counting  6 GB of 12 GB (50 %)  10 MB/s  10:00 left"),
    ],
)
def test_it_says_bytes_share_rate_and_time_left(done: int, total: int | None, seconds: float, text: str) -> None:
    """What is not known is left out."""
    assert progress_text(done, total, seconds) == text


def test_it_is_drawn_over_itself_now_and_then_and_wiped() -> None:
    """Short work shows nothing, updates are at most ten a second, and the line is empty at the end."""
    clock, stream = HandClock(), io.StringIO()
    with ProgressLine(clock, vocabulary="v", cost=running_cost("m", Decimal(2)), stream=stream) as line:
        line.take(Progress(1, 100, {"v": 1}))
        assert stream.getvalue() == ""
        clock.sleep(1)
        line.take(Progress(50, 100, {"v": 500_000}))
        line.take(Progress(51, 100, {"v": 500_000}))
        assert stream.getvalue() == "\rcounting  50 B of 100 B (50 %)  50 B/s  0:01 left  $1.00 on m\x1b[K"
    assert stream.getvalue().endswith("\r\x1b[K")


def test_what_was_never_drawn_is_not_wiped() -> None:
    """A quick run writes not one byte."""
    stream = io.StringIO()
    with ProgressLine(HandClock(), stream=stream):
        pass
    assert stream.getvalue() == ""


def test_a_dumb_terminal_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be drawn over, nothing is drawn."""
    monkeypatch.setenv("TERM", "dumb")
    clock, stream = HandClock(), io.StringIO()
    with ProgressLine(clock, stream=stream) as line:
        clock.sleep(1)
        line.take(Progress(50, 100, {}))
    assert stream.getvalue() == ""


def test_it_is_no_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal gets a cut line, not a wrapped one."""
    monkeypatch.setenv("COLUMNS", "20")
    clock, stream = HandClock(), io.StringIO()
    line = ProgressLine(clock, stream=stream)
    clock.sleep(1)
    line.take(Progress(50, 100, {}))
    assert stream.getvalue() == "\rcounting  50 B of 1\x1b[K"
