"""`deepsel chat`: piped, and on a pseudo-terminal as a person types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_lines_that_are_piped_are_turns(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """Each line is asked with what was said before; commands are obeyed, nothing follows /quit."""
    one, two = simulate(text="One."), simulate(text="Two.")
    profiles(one=one, two=two)
    ran = deepsel("chat", "w", "-s", "Brief", stdin="Hello\n\n/cost\n/model tw\nAgain\n/nope\n/quit\nNever\n")
    assert (ran.code, ran.out) == (0, "One.\nTwo.\n"), ran.err
    assert [message["content"] for message in two.calls[0].body["messages"]] == ["Brief", "Hello", "One.", "Again"]
    assert (len(one.calls), len(two.calls)) == (1, 1)
    assert "in 1 turn" in ran.err
    assert "/model NAME" in ran.err


def test_a_failed_turn_is_told_and_the_next_one_goes_on(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]
) -> None:
    """What goes wrong with one question ends nothing."""
    server = simulate(steps=[{"fault": ("400",)}], text="Fine.")
    profiles(one=server)
    ran = deepsel("chat", stdin="Bad\nGood\n")
    assert (ran.code, ran.out) == (0, "Fine.\n")
    assert "error:" in ran.err
    assert [message["content"] for message in server.calls[-1].body["messages"]] == ["Good"]


def test_off_is_said(deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """A chat is a conversation: where they are off there is none."""
    profiles(one=simulate(text="Hello."), extra="[conversations]\nkeep_s = 0")
    assert deepsel("chat", stdin="Hi\n").code == 3


PROMPT = "?2004h"
"""Switches marks around what is pasted on: the prompt listens."""


def _typed(keys: list[tuple[str, str]], home: Path) -> str:
    """Run a chat on a pseudo-terminal; each key sequence is sent once its sign has been shown. Returns all that was shown."""
    parent, child = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", "PROMPT_TOOLKIT_NO_CPR": "1"}
    running = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "chat"], stdin=child, stdout=child, stderr=child, env=env, cwd=home, start_new_session=True
    )
    os.close(child)
    shown = ""
    for number, (sign, sent) in enumerate(keys, 1):
        while shown.count(sign) < number:
            assert select.select([parent], [], [], 60)[0], shown
            shown += os.read(parent, 65536).decode("utf-8", "replace")
        os.write(parent, sent.encode())
    try:
        while piece := os.read(parent, 65536):
            shown += piece.decode("utf-8", "replace")
    except OSError:
        pass  # the other side is closed
    os.close(parent)
    assert running.wait(timeout=60) == 0
    return shown


def test_a_person_types(simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path) -> None:
    """Pasted lines are one question, a typing error is taken back, Ctrl-D ends; what was typed is the owner's alone."""
    server = simulate(text="Understood.")
    profiles(one=server)
    paste = "\x1b[200~first line\nsecond line\x1b[201~"
    _typed([(PROMPT, "x\x7f" + paste + "\r"), (PROMPT, "and?\r"), (PROMPT, "\x04")], home)
    assert [call.body["messages"][-1]["content"] for call in server.calls] == ["first line\nsecond line", "and?"]
    assert (home / "data" / "chat_history").stat().st_mode & 0o777 == 0o600
