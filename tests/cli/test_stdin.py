"""Standard input: bounded by --timeout, left alone with --no-stdin, and no place where files get lost among words."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
PROGRAM = f"{sys.executable} -m deepsel"


def _shell(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", command], cwd=home, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("written", [b"some text\n", b"x" * 100_000], ids=len)
def test_an_end_that_does_not_come_is_not_waited_for(home: Path, written: bytes) -> None:
    """A writer that keeps the pipe open after some text: exit 5 within the limit, with the ways out."""
    reader, writer = os.pipe()
    started_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "ask", "-p", "demo", "--timeout", "1.5", "Hi"],
        stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    left = memoryview(written)
    while left:
        left = left[os.write(writer, left) :]
    out, err = process.communicate(timeout=60)
    os.close(writer)
    os.close(reader)
    assert (process.returncode, out) == (5, "")
    assert time.monotonic() - started_s < 30
    assert "--no-stdin" in err
    assert "1.5 s" in err


def test_what_comes_slowly_is_read_whole(home: Path, simulate: Run, profiles: Run) -> None:
    """Text in pieces, some before and some long after the look of a replay, arrives in order; a limit is no matter to it."""
    server = simulate(text="Hello.")
    profiles(one=server)
    for option in ("", "--timeout 60"):
        ran = _shell(f"(printf 'one '; sleep 0.3; printf 'two '; sleep 0.3; echo three) | {PROGRAM} ask -q --no-cache {option} Sum", home)
        assert (ran.returncode, ran.stdout) == (0, "Hello.\n"), ran.stderr
    for call in server.calls:
        assert "one two three" in str(call.body["messages"])


def test_a_loop_keeps_its_lines(home: Path, simulate: Run, profiles: Run) -> None:
    """In a loop of `while read` each line is asked, and none becomes a document of another; again they are replayed."""
    server = simulate(text="Hello.")
    profiles(one=server)
    (home / "lines").write_text("one\ntwo\nthree\n")
    time.sleep(0.1)
    loop = f'while read -r line; do {PROGRAM} ask -q "Translate: $line" --no-stdin; done < lines'
    for _ in range(3):
        ran = _shell(loop, home)
        assert (ran.stdout, ran.stderr) == ("Hello.\n" * 3, "")
    assert [call.body["messages"][0]["content"] for call in server.calls] == [f"Translate: {n}" for n in ("one", "two", "three")]
    assert (home / "cache" / "answers" / "memo" / "hits").read_text().count("\n") >= 3


def test_a_word_that_looks_like_the_option_is_none(home: Path, simulate: Run, profiles: Run) -> None:
    """What another option takes, or stands behind `--`, leaves standard input as it is."""
    server = simulate(text="Hello.")
    profiles(one=server)
    time.sleep(0.1)
    for words in ('-s --no-stdin "Sum"', '"Sum" -- --no-stdin'):
        for text in ("one", "two"):
            assert _shell(f"echo {text} | {PROGRAM} ask -q {words}", home).stdout == "Hello.\n"
    assert len(server.calls) == 4
    ran = _shell(f"echo x | {PROGRAM} ask -p demo - --no-stdin", home)
    assert ran.returncode == 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("-f", "a.txt", "b.txt", "What is it?"), "deepsel ask -f a.txt -f b.txt 'What is it?'"),
        (("-f", "a.txt", "b.txt", "c d.txt", "What is it?"), "deepsel ask -f a.txt -f b.txt -f 'c d.txt' 'What is it?'"),
        (("What is it?", "--file", "a.txt", "b.txt"), "deepsel ask -f a.txt -f b.txt 'What is it?'"),
        (("-f", "a.txt", "b.txt"), "deepsel ask -f a.txt -f b.txt"),
    ],
)
def test_files_among_the_words_are_refused(deepsel: Run, home: Path, words: tuple[str, ...], line: str) -> None:
    """A shell's pattern behind one `-f` gives words to the prompt: exit 2 with the line to type, nothing is sent."""
    for name in ("a.txt", "b.txt", "c d.txt"):
        (home / name).write_text(name)
    ran = deepsel("ask", "-p", "demo", *words)
    assert (ran.code, ran.out) == (2, "")
    assert f"`{line}`" in ran.err


def test_words_that_are_no_files_are_words(deepsel: Run, home: Path) -> None:
    """Several words without quotes are a prompt, with files too; a file's name in one is no matter without `-f`."""
    (home / "a.txt").write_text("a")
    assert deepsel("ask", "-p", "demo", "-f", "a.txt", "What", "is", "it").code == 0
    assert deepsel("ask", "-p", "demo", "What", "is", "a.txt").code == 0
    assert deepsel("ask", "-p", "demo", "-f", "a.txt", "x" * 5000 + "\n" + "\N{GRINNING FACE}" * 300).code == 0
