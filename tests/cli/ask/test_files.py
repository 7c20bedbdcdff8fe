"""`-f` with folders, patterns and what is no text; and standard input that somebody left open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with two texts, one that git ignores, and something else."""
    folder = tmp_path / "src"
    (folder / "inner").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "a.py").write_text("print('a')\n")
    (folder / "inner" / "b.py").write_text("print('b')\n")
    (folder / "noise.log").write_text("noise\n")
    (folder / "data.bin").write_bytes(b"\0\1\2")
    return folder


def _asked(server: Any) -> str:
    return str(server.calls[-1].body["messages"][-1]["content"])


def test_folders_and_patterns(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], tree: Path
) -> None:
    """Every text below a folder, but what git ignores and what is no text, is sent; so is what a quoted pattern names."""
    server = simulate(text="Read.")
    profiles(one=server)
    ran = deepsel("-f", str(tree), "Review")
    assert ran.code == 0, ran.err
    assert [word in _asked(server) for word in ("print('a')", "print('b')", "noise\n")] == [True, True, False]
    assert "1 left out" in ran.err
    assert deepsel("-f", f"{tree}/*.py", "Review").code == 0
    assert [word in _asked(server) for word in ("print('a')", "print('b')")] == [True, False]
    deepsel("-f", f"{tree}/**/*.py", "Review")
    assert _asked(server).count("<document") == 2


def test_a_new_file_in_a_folder_is_read(
    deepsel: Callable[..., Any], simulate: Callable[..., Any], profiles: Callable[..., Path], tree: Path
) -> None:
    """Nothing is replayed over it."""
    server = simulate(text="Read.")
    profiles(one=server)
    for path in (str(tree), f"{tree}/*.py"):
        deepsel("-f", path, "Review")
        (tree / "c.py").write_text(f"print('new {len(path)}')\n")
        deepsel("-f", path, "Review")
        assert f"new {len(path)}" in _asked(server)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nope/*.py", "no file matches"), ("https://example.com/a", "curl -sL"), ("paper.pdf", "pdftotext"), ("empty", "no text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(deepsel: Callable[..., Any], home: Path, name: str, told: str) -> None:
    """Each has its line, with what to do, and exit 2."""
    (home / "paper.pdf").write_bytes(b"%PDF-1.7\0\0")
    (home / "empty").mkdir()
    ran = deepsel("-p", "demo", "-f", name, "Read")
    assert (ran.code, told in ran.err) == (2, True), ran.err


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who could write")
def test_a_pipe_that_is_left_open_does_not_hang(home: Path) -> None:
    """Who starts deepsel with a pipe and forgets it gets the answer to the prompt that was given."""
    command = [sys.executable, "-m", "deepsel", "-p", "demo", "What is DNS?"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=home) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        out, err = running.stdout.read(), running.stderr.read()  # while its standard input stays open
    assert running.returncode == 0
    assert b"simulated" in out
    assert b"says nothing" in err


def test_a_slow_sibling_is_waited_for(home: Path) -> None:
    """In a pipeline the other program may take its time."""
    script = f"(sleep 4; echo late words) | {sys.executable} -m deepsel -p demo 'Repeat'"
    done = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, cwd=home, timeout=60, check=True)
    assert b"reading standard input" in done.stderr
    assert b"5 words" in done.stdout or b"late words" in done.stdout
