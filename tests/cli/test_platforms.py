"""Systems deepsel does not run on: one clear line and exit 3, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WINDOWS = "sys.platform = 'win32'; import os; [delattr(os, name) for name in ('getuid', 'fchmod', 'O_NOFOLLOW', 'O_NONBLOCK')]\n"
WITHOUT = "sys.modules.update(dict.fromkeys(('fcntl', 'pwd', 'resource', 'termios')))\n"


def _run(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import sys\n" + code],
        cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("system", [WINDOWS + WITHOUT, WITHOUT], ids=["Windows", "without locks"])
@pytest.mark.parametrize("words", [["ask", "-p", "demo", "Hi"], ["cache", "list"], ["estimate", "-"], ["simulate"], ["ask"]], ids=" ".join)
def test_another_system_is_told(home: Path, system: str, words: list[str]) -> None:
    """Every command says what it runs on."""
    ran = _run(system + f"sys.argv = ['deepsel', *{words}]\nfrom deepsel.__main__ import main\nmain()", home)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.startswith("error: deepsel runs on Linux and macOS")
    assert len(ran.stderr.split("\n\nhint: ")) == 2
    assert "Traceback" not in ran.stderr


def test_python_callers_are_told(home: Path) -> None:
    """The library raises the same words."""
    code = "import deepsel\ntry:\n    deepsel.ask('Hi', profile='demo')\nexcept deepsel.ConfigError as error:\n    print(error)\n"
    ran = _run(WITHOUT + code, home)
    assert ran.stdout.startswith("deepsel runs on Linux and macOS"), ran.stderr
