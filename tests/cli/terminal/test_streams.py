"""What a command writes arrives whole, or the command says that it did not, whoever holds the other end and however."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

Deepsel = Callable[..., Any]
FILLED = 65_536
"""What a pipe holds on Linux before somebody reads."""
LONG = "The beginning.\n" + "".join(f"line {number:04d} of the answer\n" for number in range(350)) + "The end."
COMMANDS = (
    ("--help",),
    ("--version",),
    ("ask", "--help"),
    ("ask", "-q", "Hi", "--no-cache"),
    ("ask", "-q", "--stream", "Hi", "--no-cache"),
    ("ask", "--explain", "--json", "Hi"),
    ("estimate", ".", "--format", "json"),
    ("models", "--json"),
    ("stats", "--json"),
    ("cache", "path"),
    ("--show-completion", "bash"),
)


@pytest.fixture(autouse=True)
def host(simulate: Callable[..., Any], profiles: Callable[..., Path], home: Path) -> None:
    """A provider with much to say, and settings that are old enough for a memo."""
    profiles(one=simulate(text=LONG))
    os.utime(home / "profiles.toml", (1_700_000_000, 1_700_000_000))


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe whose writer must not wait, as some runners and Node's parents give it; it is full."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    assert os.write(writer, b"." * 2 * FILLED) == FILLED
    yield reader, writer
    os.close(reader)


def started(*words: str, stdout: Any, stderr: Any = subprocess.PIPE, env: Mapping[str, str] | None = None, home: Path) -> Any:
    """Start deepsel."""
    return subprocess.Popen(
        [sys.executable, "-m", "deepsel", *words],
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=home, env={**os.environ, **(env or {})},
    )  # fmt: skip


def without_instant(text: str) -> str:
    """Put a fixed instant in place of when a report was made."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+", "THEN", text)


def read_late(running: Any, reader: int) -> bytes:
    """Read nothing until the command has ended, or has had a second to give up; then all of it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.wait(timeout=1)
    raw = b""
    while chunk := os.read(reader, 3000):
        raw += chunk
    return raw


@pytest.mark.parametrize(
    ("words", "unbuffered"), [*((words, "") for words in COMMANDS), *((words, "1") for words in COMMANDS[2:4])], ids=str
)
def test_all_arrives_in_a_pipe_that_must_not_be_waited_for(
    deepsel: Deepsel, home: Path, pipe: tuple[int, int], words: tuple[str, ...], unbuffered: str
) -> None:
    """Every command writes to a full pipe as it writes to an empty one: the same bytes, once, and no error."""
    expected = deepsel(*words)
    running = started(*words, stdout=pipe[1], env={"PYTHONUNBUFFERED": unbuffered}, home=home)
    os.close(pipe[1])
    raw = read_late(running, pipe[0])
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said.decode()) == (0, expected.err)
    assert len(raw) == FILLED + len(expected.out.encode())
    assert without_instant(raw[FILLED:].decode()) == without_instant(expected.out)


@pytest.mark.parametrize("words", [("-q",), ("-q", "--json"), ()], ids=" ".join)
def test_a_replay_arrives_once_and_whole(deepsel: Deepsel, home: Path, pipe: tuple[int, int], words: tuple[str, ...]) -> None:
    """A replayed answer that is read late has one beginning and one end."""
    for _ in range(2):
        expected = deepsel("ask", "Hi", *words).out
    spool = home / "cache" / "answers" / "memo" / "hits"
    assert len(spool.read_text().splitlines()) == 1
    running = started("ask", "Hi", *words, stdout=pipe[1], home=home)
    os.close(pipe[1])
    raw = read_late(running, pipe[0])
    running.communicate(timeout=60)
    assert running.returncode == 0
    assert len(spool.read_text().splitlines()) == 2
    assert "--json" in words or raw[FILLED:].decode() == expected
    assert (raw.count(b"The beginning."), raw.count(b"The end.")) == (1, 1)


@pytest.mark.parametrize("words", [("ask", "-v", "Hi", "--no-cache"), ("ask", "Hi"), ("ask", "Hi", "--model", "nobody")], ids=" ".join)
def test_a_note_that_nobody_reads_kills_nothing(deepsel: Deepsel, home: Path, pipe: tuple[int, int], words: tuple[str, ...]) -> None:
    """A full standard error that must not be waited for costs the notes, not the answer, nor the exit code."""
    for _ in range(2):
        expected = deepsel(*words)
    running = started(*words, stdout=subprocess.PIPE, stderr=pipe[1], home=home)
    os.close(pipe[1])
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, out.decode()) == (expected.code, expected.out)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_disk_is_said(home: Path, words: tuple[str, ...]) -> None:
    """Whatever is written, standard output that takes nothing is one line and exit 2."""
    with Path("/dev/full").open("wb") as full:
        running = started(*words, stdout=full, home=home)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said.decode().splitlines()[0]) == (
        2, "error: cannot write to standard output: no space left on device"
    )  # fmt: skip


@pytest.mark.parametrize("replays", [False, True])
def test_what_breaks_off_is_said_and_not_begun_anew(deepsel: Deepsel, home: Path, tmp_path: Path, replays: bool) -> None:
    """A disk that is full after the first part of an answer holds that part once; the rest is an error, exit 2."""
    words = ("ask", "-q", "Hi", *([] if replays else ["--no-cache"]))
    for _ in range(2):
        whole = deepsel(*words).out
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))\n"
        f"sys.argv = ['deepsel', *{words!r}]; from deepsel.__main__ import main; main()"
    )
    with (tmp_path / "out").open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, text=True, cwd=home, check=False, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: cannot write to standard output: file too large")
    assert (tmp_path / "out").read_text() == whole[:8_000]


def test_a_reader_who_leaves_ends_it_quietly(home: Path, pipe: tuple[int, int]) -> None:
    """The other end is closed while the command waits for it: no error, no word."""
    reader = os.dup(pipe[0])
    running = started("models", "--json", stdout=pipe[1], home=home)
    os.close(pipe[1])
    threading.Timer(0.5, os.close, [reader]).start()
    os.dup2(os.open(os.devnull, os.O_RDONLY), pipe[0])
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (0, b"")


def test_a_command_that_waits_can_be_ended(home: Path, pipe: tuple[int, int]) -> None:
    """Who waits for a reader hears an interrupt."""
    running = started("models", "--json", stdout=pipe[1], stderr=subprocess.DEVNULL, home=home)
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(timeout=1.5)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60) == 130
    os.close(pipe[1])


@pytest.mark.parametrize("words", [("ask", "--explain", "--json", "-"), ("estimate", "-", "--format", "json")], ids=" ".join)
def test_standard_input_ends_where_it_ends(deepsel: Deepsel, home: Path, words: tuple[str, ...]) -> None:
    """A pause in a pipe that must not be waited for is no end: what comes after it is read."""
    expected = deepsel(*words, stdin="word " * 4000)
    assert expected.code == 0
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    running = subprocess.Popen(
        [sys.executable, "-m", "deepsel", *words],
        stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=home,
    )  # fmt: skip
    os.close(reader)
    for _ in range(4):
        os.write(writer, b"word " * 1000)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(timeout=0.4)
    os.close(writer)
    out, _ = running.communicate(timeout=60)
    assert without_instant(out.decode()) == without_instant(expected.out)
