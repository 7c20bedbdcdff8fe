"""What a person sees: answers drawn on pyte's model of a terminal, or by the program on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pyte

from deepsel.cli.drawing.page import Page
from deepsel.cli.drawing.screen import DrawnScreen
from deepsel.cli.terminal.terminal import Look, Window
from deepsel.show.plain import plain

ALL = Look(can_move=True, has_styles=True, has_colours=True)


class Seen(NamedTuple):
    """A screen with all that was scrolled out of it."""

    rows: list[str]
    cursor: tuple[int, int]
    """Column, and row from the first one in the window."""
    written: str


def seen(written: str, window: Window) -> Seen:
    """Feed a terminal; line feeds are what a terminal's driver makes of them."""
    screen = pyte.HistoryScreen(window.columns, window.rows, history=1_000_000, ratio=0.5)
    # pyte stops at a mark without width that it does not know; they take no room.
    visible = "".join(char for char in written if unicodedata.category(char) != "Cf" and not "\ufe00" <= char <= "\ufe0f")
    pyte.Stream(screen).feed(visible.replace("\r\n", "\n").replace("\n", "\r\n"))
    above = ["".join(line[at].data for at in range(window.columns)) for line in screen.history.top]
    rows = [row.rstrip() for row in [*above, *screen.display]]
    while rows and not rows[-1]:
        rows.pop()
    return Seen(rows, (screen.cursor.x, screen.cursor.y), written)


def draw(pieces: Sequence[str], window: Window, look: Look = ALL) -> Seen:
    """Draw an answer that comes in pieces, with a drawing after each."""
    written: list[str] = []
    page, screen = Page(has_colours=look.has_colours), DrawnScreen(written.append, look)
    for piece in pieces:
        screen.show(page.draw(plain(piece), window), window)
    screen.show(page.draw("", window, is_last=True), window)
    return seen("".join(written), window)


def letters(rows: Sequence[str]) -> str:
    """All that is seen but spaces and the lines that we draw."""
    return re.sub(r"[\s│─┼]", "", "".join(rows))


class OnTerminal(NamedTuple):
    """What a run with a terminal left behind."""

    code: int
    out: str
    """What the terminal was sent."""
    piped: str
    """What came out of the stream that was no terminal."""


def on_terminal(
    arguments: Sequence[str],
    *,
    out: bool = True,
    err: bool = True,
    env: Mapping[str, str] | None = None,
    during: Callable[[subprocess.Popen[bytes], str], None] | None = None,
) -> OnTerminal:
    """Run deepsel with stdout, stderr or both on a pseudo-terminal of 80 by 24; `during` is told all that came so far."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs if out else subprocess.PIPE,
        stderr=theirs if err else subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", **(env or {})},
    )
    os.close(theirs)
    came = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                data = terminal.read(65536)
            except OSError:  # the other side is closed
                break
            if not data:
                break
            came += data
            if during:
                during(process, came.decode("utf-8", "ignore"))
    piped, told = process.communicate(timeout=60)
    return OnTerminal(process.returncode, came.decode(), ((piped or b"") + (told or b"")).decode())
