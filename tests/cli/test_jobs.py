"""docs/jobs.md: its keystrokes are counted, and its commands work as they stand there."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "jobs.md"
LONGER = len("deepsel") - len("llm")


def _jobs() -> list[list[str]]:
    """The cells of each row, without the marks of code."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and not line.startswith("| job")]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return [[cell.removeprefix("`").removesuffix("`") for cell in row] for row in cells]


def test_twenty_jobs_with_their_keystrokes() -> None:
    """Each figure is the command's length; a job that takes more than llm's, the name aside, says why."""
    jobs = _jobs()
    assert len(jobs) == 20
    for name, own, keys, other, other_keys, remark in jobs:
        assert (len(own), len(other)) == (int(keys), int(other_keys)), name
        assert len(own) - LONGER <= len(other) or remark, name


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.fixture
def workplace(home: Path, profiles: Any, simulate: Any) -> Path:
    """A repository with a staged change, files of each kind, and models called as on the page."""
    answer = '```json\n{"name": "Ann", "age": 3}\n```\n'
    path = profiles(luna=simulate(text=answer), haiku=simulate(text=answer))
    path.write_text(path.read_text().replace('vocabulary = "o200k_base"', 'vocabulary = "o200k_base"\nfeatures = ["images"]'))
    (home / "src").mkdir()
    (home / "bin").mkdir()
    (home / "bin" / "deepsel").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m deepsel "$@"\n')
    (home / "bin" / "deepsel").chmod(0o755)
    for name in ("a.py", "a.txt", "src/b.py", "Makefile"):
        (home / name).write_text("all:\n\t@echo some words\n")
    (home / "a.png").write_bytes(_png())
    for command in (["init", "-q"], ["add", "a.py"]):
        subprocess.run(["git", *command], cwd=home, check=True)
    return home


def test_each_command_works_as_written(workplace: Path) -> None:
    """In the page's order, in a real shell."""
    env = {**os.environ, "PATH": f"{workplace / 'bin'}:{os.environ['PATH']}"}
    for name, own, *_ in _jobs():
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", own.replace('"Q"', '"What is it?"')],
            cwd=workplace, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (name, done.stderr)
