"""How often one command opens SQLite (once for the answers, once for what is observed), and works on the latter."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sqlite3, sys
connect, opened, work = sqlite3.connect, [], []
def noted(path, *arguments, **named):
    name = str(path).partition("?")[0].rpartition("/")[2]
    opened.append(name)
    made = connect(path, *arguments, **named)
    if name == "observations.sqlite":
        made.set_trace_callback(lambda said: work.append(said) if said.startswith("BEGIN") else None)
    return made
sqlite3.connect = noted
from deepsel.cli.app import run
assert run(sys.argv[1:]) == 0
print(",".join(opened), ",".join(work), sep="\\n", file=sys.stderr)
"""


def noted(*arguments: str) -> tuple[list[str], list[str]]:
    """The files that a command in a process of its own has opened, in order, and its transactions on the observations."""
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True, timeout=60)
    opened, work = done.stderr.splitlines()
    return opened.split(","), work.split(",")


@pytest.mark.parametrize("is_first", [True, False])
def test_an_ask_opens_two_files_once_each(is_first: bool) -> None:
    """An ask opens the answers' database and the observations once each, cached or not, and whether or not they are there."""
    if not is_first:
        noted("ask", "-p", "demo", "-q", "What is DNS?")
    for _ in range(2):
        opened, _ = noted("ask", "-p", "demo", "-q", "-m", "demo-gpt-6-luna", "Another question?")
        assert sorted(opened) == ["cache.db", "observations.sqlite"]


def test_an_ask_reads_twice_and_writes_once() -> None:
    """Without a budget, a limit or a probe, what processes share takes three transactions.

    One to know what hosts refused, which the cache key depends upon, one to plan by, and one to report to.
    """
    for question in ("What is DNS?", "Another question?"):
        _, work = noted("ask", "-p", "demo", "-q", "-m", "demo-gpt-6-luna", question)
    assert work == ["BEGIN", "BEGIN", "BEGIN IMMEDIATE"]
