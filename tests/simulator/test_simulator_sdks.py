"""The makers' own SDKs, in their strict mode, against the simulator alone: what scripts/clients does with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deepsel.simulator import Simulator

CLIENTS = Path(__file__).parents[2] / "scripts" / "clients"


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_an_sdk_is_at_home(name: str) -> None:
    """Chat, Responses and messages, streamed and not, tools, typed answers, counts, vectors, models and errors."""
    with Simulator({"known_models": ["m"]}) as simulator:
        command = [sys.executable, str(CLIENTS / f"use_{name}.py"), simulator.url, "m"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") >= 6
