"""Text from outside is harmless on a terminal, and unchanged in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import unicodedata
from io import BytesIO, TextIOWrapper

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cli.terminal.terminal import columns_to_cut_to, screen_of
from deepsel.show.plain import plain

KEPT = {"\n", "\t"}


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    """Nothing that a terminal obeys is left, whatever the text."""
    assert not [c for c in plain(text) if unicodedata.category(c) == "Cc" and c not in KEPT]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("\x9b2J", "\ufffd2J"),
        ("a\rb", "a␍b"),
        ("a\r\nb", "a\nb"),
        ("if \u202e} \u2066", "if \ufffd} \ufffd"),
        ("\ufeffa\u200bb\u00ad\u2060c\u3164", "\ufffda\ufffdb\ufffd\ufffdc\ufffd"),
        ("q\U000e0041\U000e0042\U000e0100", "q\ufffd\ufffd\ufffd"),
        ("x\ufe01\ufe02\ufe0f", "x\ufe01\ufffd\ufffd"),
        ("❤️‍🔥 👩‍👩‍👧 1️⃣ नमस्ते می‌خواهم \u200fשלום", "❤️‍🔥 👩‍👩‍👧 1️⃣ नमस्ते می‌خواهم \u200fשלום"),
        ("žluťoučký 你好 🙂 مرحبا", "žluťoučký 你好 🙂 مرحبا"),
    ],
)
def test_controls_are_pictures(text: str, shown: str) -> None:
    """Escape sequences are shown, not obeyed; ordinary text of any script is untouched."""
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("encoding", "term", "has_blocks"),
    [("utf-8", "xterm", True), ("UTF8", None, True), ("utf-8", "dumb", False), ("ascii", "xterm", False), ("latin-1", None, False)],
)
def test_blocks_are_drawn_where_they_can_be_shown(
    monkeypatch: pytest.MonkeyPatch, encoding: str, term: str | None, has_blocks: bool
) -> None:
    """Only in UTF-8, and on no terminal that calls itself dumb."""
    monkeypatch.delenv("TERM", raising=False)
    if term:
        monkeypatch.setenv("TERM", term)
    with TextIOWrapper(BytesIO(), encoding=encoding) as stream:
        assert screen_of(stream) == (80, has_blocks)


def test_a_terminal_says_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The width is the terminal's, COLUMNS goes before it, and a pipe is read whole."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 123, 0, 0))
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, TextIOWrapper(BytesIO()) as pipe:
        assert (screen_of(terminal).columns, columns_to_cut_to(terminal)) == (123, 123)
        monkeypatch.setenv("COLUMNS", "100")
        assert (screen_of(terminal).columns, screen_of(pipe).columns) == (100, 100)
        assert columns_to_cut_to(pipe) is None
        monkeypatch.setenv("COLUMNS", "7")
        assert screen_of(terminal).columns == 40
    os.close(ours)
