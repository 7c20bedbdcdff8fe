"""The program on a real pseudo-terminal: what stands on the screen, in a file beside it, and after Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from screen_support import OnTerminal, letters, on_terminal, seen

from deepsel.cli.terminal.terminal import Window

WINDOW = Window(80, 24)
TEXT = (
    "Replace <div> with std::vector<int>.\n\n![Build](https://example.com/b.png) and **bold** C:\\new\\*.txt\n\n"
    "| step | link |\n|---|---|\n| one | https://example.com/" + "long/" * 30 + " |\n\n```python\nx = 1\n```\n"
)
ASK = ("ask", "--no-cache", "What is DNS?")
Terminal = Callable[..., OnTerminal]


@pytest.fixture
def asked(simulate: Callable[..., Any], profiles: Callable[..., Path]) -> Terminal:
    """Ask a simulated model on a terminal; takes the streams that are one, and `behaviour` of the model."""

    def ask(*more: str, behaviour: Any = None, **where: Any) -> OnTerminal:
        profiles(one=simulate(**{"text": TEXT, **(behaviour or {})}))
        return on_terminal([*ASK, *more], **where)

    return ask


def test_every_visible_character_is_on_the_screen(asked: Terminal) -> None:
    """HTML, addresses and escapes stand there, cells are folded, and the footer follows on a row of its own."""
    ran = asked()
    screen = seen(ran.out, WINDOW)
    assert ran.code == 0
    assert screen.rows[:3] == ["Replace <div> with std::vector<int>.", "", "![Build](https://example.com/b.png) and bold C:\\new\\*.txt"]
    assert letters(["https://example.com/", "long/" * 30]) in letters([row.replace("one", "") for row in screen.rows])
    assert screen.rows[-2] == "x = 1"
    assert screen.rows[-1].startswith("one · ")


def test_a_short_answer_after_long_thinking_is_there(asked: Terminal) -> None:
    """What is thought is a status that leaves nothing behind; the answer stands alone above its footer."""
    ran = asked(behaviour={"text": "short answer", "reasoning_tokens": 140, "itl_s": 0.002})
    assert "thinking" in ran.out
    answer, footer, *_ = seen(ran.out, WINDOW).rows
    assert (answer, footer[:6]) == ("short answer", "one · ")


@pytest.mark.parametrize("more", [(), ("--stream",)])
def test_a_redirected_stream_is_what_came(asked: Terminal, more: tuple[str, ...]) -> None:
    """Where only stderr is a terminal, stdout holds the text byte for byte and the screen the footer alone."""
    ran = asked(*more, out=False)
    assert ran.piped == TEXT
    (row,) = seen(ran.out, WINDOW).rows
    assert row.startswith("one · ")


def test_with_stderr_redirected_the_screen_holds_the_answer_alone(asked: Terminal) -> None:
    """The status and the footer go where stderr goes, and the status only to a terminal."""
    ran = asked(err=False)
    assert seen(ran.out, WINDOW).rows[-1] == "x = 1"
    assert ran.piped.startswith("one · ")
    assert "\x1b" not in ran.piped


def test_no_terminal_no_sequence(deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """Neither a pipe nor a file is drawn on, though colours are asked for."""
    profiles(one=simulate(text=TEXT))
    ran = deepsel(*ASK, "--stream", env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert ran.out == TEXT
    assert "\x1b" not in ran.err


@pytest.mark.parametrize(
    ("env", "absent"),
    [({"TERM": "dumb"}, "\x1b"), ({"NO_COLOR": "1"}, "\x1b[3"), ({"TERM": "dumb", "FORCE_COLOR": "1"}, "\x1b[J")],
)
def test_the_environment_is_heard(asked: Terminal, env: dict[str, str], absent: str) -> None:
    """A dumb terminal is sent no sequence, colours go with NO_COLOR, and FORCE_COLOR brings them but no way back."""
    ran = asked(env=env)
    assert absent not in ran.out
    assert letters(seen(ran.out, WINDOW).rows).startswith(letters(["Replace <div> with std::vector<int>."]))
    assert ("\x1b[36m1" in ran.out) == ("FORCE_COLOR" in env)


@pytest.mark.parametrize("at", ["asking", "word3", "word39"])
def test_ctrl_c_leaves_what_came_and_the_terminal_as_it_was(asked: Terminal, at: str) -> None:
    """While it waits or while text comes: no traceback, no open update, the cursor shown, the text kept."""
    words = " ".join(f"word{number}" for number in range(40)) + " **"
    sent: list[str] = []

    def interrupt(process: subprocess.Popen[bytes], came: str) -> None:
        if at in came and not sent:
            sent.append(came)
            os.kill(process.pid, signal.SIGINT)

    waits = {"ttft_s": 30.0} if at == "asking" else {"itl_s": 0.02}
    ran = asked(behaviour={"text": words + " more" * 1000, **waits}, during=interrupt)
    screen = seen(ran.out, WINDOW)
    assert ran.code == 130
    assert "Traceback" not in ran.out
    assert "\x1b[?25l" not in ran.out
    assert ran.out.count("\x1b[?2026h") == ran.out.count("\x1b[?2026l")
    assert screen.rows[-1] == "error: interrupted"
    assert screen.cursor[0] == 0
    assert ("word3" in screen.rows[0]) == (at != "asking")


@pytest.mark.parametrize("moment", range(6))
def test_ctrl_c_while_it_starts_is_no_traceback(moment: int, home: Path) -> None:
    """Whatever is being imported."""
    code = f"""
import sys, _thread
count = 0
class Finder:
    def find_spec(self, name, path=None, target=None):
        global count
        count += name.startswith('deepsel')
        if count == {3 + 9 * moment}:
            count += 1
            _thread.interrupt_main()
sys.meta_path.insert(0, Finder())
sys.argv = ['deepsel', 'ask', '-p', 'demo', 'Hi']
from deepsel.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=home, timeout=60, check=False)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
