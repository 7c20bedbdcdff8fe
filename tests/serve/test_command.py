"""`deepsel serve` as a process: it says where it listens, answers, and ends by a signal after the answer under way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from serve_clients import ask_chat

Profiles = Callable[..., Path]


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert line["ready"] is True
        yield process, line["url"]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(number: signal.Signals, simulate: Any, profiles: Profiles) -> None:
    """One line on stdout, the access log on stderr without a word of any text; the answer under way is whole; exit 0."""
    server = simulate(text="word " * 30, itl_s=0.02)
    profiles(one=server)
    with _running() as (process, url):
        assert url.startswith("http://127.0.0.1:")
        found: list[str] = []
        asker = threading.Thread(target=lambda: found.append(ask_chat(url, "one", stream=True).text))
        asker.start()
        assert httpx.get(f"{url}/health", timeout=30).json() == {"status": "ok"}
        while not server.calls:
            threading.Event().wait(0.01)
        process.send_signal(number)
        asker.join(30)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert found == ["word " * 30]
    lines = [json.loads(line) for line in err.splitlines()]
    asked = next(line for line in lines if line["path"] == "/v1/chat/completions")
    assert (asked["status"], asked["model"], asked["error"]) == (200, "one", None)
    assert "word" not in err


def test_what_cannot_be_is_one_line(simulate: Any, profiles: Profiles, deepsel: Any) -> None:
    """An address of others without keys, a port in use, half a certificate: exit 3 or 2, nothing served."""
    profiles(one=simulate())
    assert deepsel("serve", "--host", "0.0.0.0", "--port", "0").code == 3
    assert deepsel("serve", "--tls-cert", "x", "--port", "0").code == 2
    with _running() as (_, url):
        taken = deepsel("serve", "--port", url.rpartition(":")[2])
    assert (taken.code, taken.out) == (3, "")
    assert "in use" in taken.err


def test_quiet_says_nothing(simulate: Any, profiles: Profiles) -> None:
    """No access log with `--quiet`."""
    profiles(one=simulate())
    with _running("--quiet") as (process, url):
        assert ask_chat(url, "one", stream=False).text
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[1] == ""


def test_named_models_are_kept_warm(simulate: Any, profiles: Profiles) -> None:
    """A call at the start, in the log as such; an unknown name is exit 3."""
    server = simulate()
    profiles(one=server)
    with _running("--warm", "one") as (process, _):
        assert process.stderr is not None
        line = json.loads(process.stderr.readline())
    assert (line["warm"], line["kind"], line["error"]) == ("one", "cold", None)
    assert len(server.calls) == 1
