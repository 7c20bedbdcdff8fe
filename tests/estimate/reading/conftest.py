"""What the reading tests share: the exact vocabularies, and a git repository to stand in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode leaves a folder's own helpers out


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Runs git in a fresh repository at `tmp_path` and returns what it prints."""

    def run(*arguments: str) -> str:
        command = ["git", "-c", "core.excludesFile=/dev/null", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout

    run("init", "-q")
    return run
