"""Random command lines over random files: the short form of scripts/fuzz/cli.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz" / "cli.py"
RUNS = 100


def test_no_command_line_crashes(home: Path) -> None:
    """Each run ends soon, with an exit code that the README lists, and without a traceback; a process of its own, for its signals."""
    done = subprocess.run([sys.executable, str(SCRIPT), str(RUNS), "0"], cwd=home, capture_output=True, text=True, timeout=280, check=False)
    assert f"{RUNS} runs" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout
