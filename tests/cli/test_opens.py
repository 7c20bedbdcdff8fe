"""How often one command opens SQLite: once for the answers, once for what is observed."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sqlite3, sys
connect, opened = sqlite3.connect, []
def noted(path, *arguments, **named):
    opened.append(str(path).partition("?")[0].rpartition("/")[2])
    return connect(path, *arguments, **named)
sqlite3.connect = noted
from deepsel.cli.app import run
assert run(sys.argv[1:]) == 0
print(*opened, file=sys.stderr)
"""


def opened(*arguments: str) -> list[str]:
    """The files that a command in a process of its own has opened, in order."""
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stderr.split()


@pytest.mark.parametrize("is_first", [True, False])
def test_an_ask_opens_two_files_once_each(is_first: bool) -> None:
    """An uncached ask opens the answers' database and the observations once each, whether or not they are there before it."""
    if not is_first:
        opened("ask", "-p", "demo", "-q", "What is DNS?")
    found = opened("ask", "-p", "demo", "-q", "-m", "demo-gpt-6-luna", "Another question?")
    assert sorted(found) == ["cache.db", "observations.sqlite"]
    assert sorted(opened("ask", "-p", "demo", "-q", "-m", "demo-gpt-6-luna", "Another question?")) == sorted(found)
