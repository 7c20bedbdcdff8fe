"""`deepsel simulate`: the server as a process, where it listens, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deepsel.simulator import BUILT_IN, FAULTS


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the server on a free port; give the process and the three lines it says when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deepsel", "simulate", "--port", "0", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        try:
            yield process, [process.stderr.readline() for _ in range(3)]
        finally:
            process.kill()


def _port(lines: list[str]) -> int:
    """The port in the address it names."""
    found = re.search(r"base_url = http://127\.0\.0\.1:(\d+)/v1$", lines[1].rstrip())
    assert found, lines
    return int(found[1])


def _answer(url: str, body: dict[str, object]) -> dict[str, object]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        found: dict[str, object] = json.load(response)
    return found


def test_it_says_where_it_is_and_speaks_both_wires() -> None:
    """The addresses it names answer, each on its wire."""
    body = {"model": "m", "max_tokens": 3, "messages": [{"role": "user", "content": "Hi"}]}
    with _running() as (_, lines):
        port = _port(lines)
        assert lines == [
            "simulating `default`; Ctrl-C ends it\n",
            f"openai-chat         base_url = http://127.0.0.1:{port}/v1\n",
            f"anthropic-messages  base_url = http://127.0.0.1:{port}\n",
        ]
        assert _answer(f"http://127.0.0.1:{port}/v1/chat/completions", body)["object"] == "chat.completion"
        assert _answer(f"http://127.0.0.1:{port}/v1/messages", body)["type"] == "message"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")
def test_it_listens_on_loopback_alone() -> None:
    """The same port of this machine's other addresses is left free: nobody else can reach the server."""
    with _running() as (_, lines):
        port = _port(lines)
        with socket.socket() as other:
            other.bind(("127.0.0.2", port))  # refused where the server listens on every address
        with socket.create_connection(("127.0.0.1", port), timeout=20):
            pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it with success and without another word."""
    with _running() as (process, lines):
        _port(lines)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_scenario_by_name_fault_and_file(tmp_path: Path) -> None:
    """`--scenario` takes a built-in one, a fault and a file, and each is played."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    file = tmp_path / "mine.toml"
    file.write_text('[default]\ntext = "Word for word."\n')
    with _running("--scenario", str(file)) as (_, lines):
        choices = _answer(f"http://127.0.0.1:{_port(lines)}/v1/chat/completions", body)["choices"]
        assert choices[0]["message"]["content"] == "Word for word."  # type: ignore[index]
    with _running("--scenario", "429") as (_, lines):
        with pytest.raises(urllib.error.HTTPError) as caught:
            _answer(f"http://127.0.0.1:{_port(lines)}/v1/chat/completions", body)
        assert caught.value.code == 429
        caught.value.close()
    with _running("--scenario", "demo") as (_, lines):
        assert lines[0] == "simulating `demo`; Ctrl-C ends it\n"


def test_the_list_names_every_scenario_and_fault(deepsel: Callable) -> None:
    """`--list` prints each name with what it does, and starts nothing."""
    ran = deepsel("simulate", "--list")
    assert (ran.code, ran.err) == (0, "")
    told = dict(re.findall(r"^  (\S+) +(.+)$", ran.out, re.MULTILINE))
    assert told == {name: row.description for name, row in {**BUILT_IN, **FAULTS}.items()}


def test_an_unknown_scenario_is_refused(deepsel: Callable) -> None:
    """A name that is nothing is a usage error that names the nearest."""
    ran = deepsel("simulate", "--scenario", "hangin")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no scenario `hangin` and no such file" in ran.err
    assert "`hanging`" in ran.err


def test_a_port_in_use_is_said(deepsel: Callable) -> None:
    """Where the port cannot be had there is one clear line and the exit code of a configuration that does not work."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = deepsel("simulate", "--port", str(port))
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("error: ")
    assert str(port) in ran.err
