"""`deepsel simulate` as a program: what it says, what it serves, how it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepsel.simulator.wires import WIRES


def test_each_wire_is_served_where_it_says(home: Path, profiles: Callable[..., Path], deepsel: Any) -> None:
    """The server names the base URL of every wire; a provider there answers on it; Ctrl-C ends the server without a word."""
    command = [sys.executable, "-m", "deepsel", "simulate", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home)
    with process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(1 + len(WIRES))]
        urls = dict(re.findall(r"^(\S+) +base_url = (http://127\.0\.0\.1:\d+\S*)$", "".join(lines), re.MULTILINE))
        assert list(urls) == [wire.NAME for wire in WIRES]
        for number, (wire, url) in enumerate(urls.items()):
            profiles(**{f"m{number}": (url, wire)})
            assert deepsel("ask", "--no-cache", "-m", f"m{number}", "Hello?").code == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
        assert process.stderr.read() == ""
