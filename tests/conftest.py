"""What every test stands on: an empty environment, a home of its own, and no way out but loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from deepsel.simulator import Behaviour, Scenario, Simulator
from deepsel.values import Message, Model, Provider, Request

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would its children
settings.register_profile("deepsel", deadline=None)  # a busy machine is no failure
settings.load_profile("deepsel")
_SWEPT = ("_API_KEY", "_PROXY", "_proxy")
_NAMED = (
    *("NO_COLOR", "FORCE_COLOR", "TERM", "CI", "COLUMNS", "LINES", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"),
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"),
)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh DEEPSEL_HOME, and no key, address, proxy, terminal or colour wish from outside."""
    for name in list(os.environ):
        if name.endswith(_SWEPT) or name.startswith("DEEPSEL_") or name in _NAMED:
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DEEPSEL_HOME", str(folder))
    monkeypatch.setenv("TEST_KEY", "sk-test-0123456789")
    return folder


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@dataclass(frozen=True)
class Ran:
    """What a run of the installed program left behind."""

    code: int
    out: str
    err: str

    def record(self) -> Any:
        """The JSON record on stdout."""
        return json.loads(self.out)


Deepsel = Callable[..., Ran]


@pytest.fixture
def deepsel(home: Path) -> Deepsel:
    """Run deepsel as a process of its own, with no terminal and an empty standard input."""

    def run(*arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "deepsel", *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=60,
            env={**os.environ, **(env or {})},
            cwd=home,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Start simulators that are stopped when the test ends; takes Behaviour fields, or `steps`."""
    with ExitStack() as stack:

        def start(*, steps: Sequence[Mapping[str, Any]] = (), **behaviour: Any) -> Simulator:
            scenario = Scenario("test", "a test's", Behaviour(**behaviour), steps=tuple(steps))
            return stack.enter_context(Simulator(scenario))

        yield start


@pytest.fixture
def profiles(home: Path) -> Callable[..., Path]:
    """Write a profiles.toml whose models stand at simulators: name=simulator, or name=(simulator, wire)."""

    def write(extra: str = "", profile: str = "", **targets: Any) -> Path:
        lines = []
        for name, target in targets.items():
            running, wire = target if isinstance(target, tuple) else (target, "openai-chat")
            url = running if isinstance(running, str) else running.base_urls[wire]
            lines.append(
                f'[providers.{name}-host]\nwire = "{wire}"\nbase_url = "{url}"\napi_key_env = "TEST_KEY"\n'
                f'[models.{name}]\nprovider = "{name}-host"\ncontext_window = 32000\nmax_output = 4096\n'
                f'vocabulary = "o200k_base"\nprice = {{ input = "1", cached_input = "0.1", output = "2" }}\n'
            )
        names = ", ".join(f'"{name}"' for name in targets)
        lines.append(f'[profiles.main]\nmodels = [{names}]\nstrategy = "ordered"\n{profile}\n{extra}\n')
        path = home / "profiles.toml"
        path.write_text("\n".join(lines))
        return path

    return write


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one switch that rewrites reviewed files."""
    parser.addoption("--rewrite-golden", action="store_true", help="write golden files anew, for review")


@pytest.fixture
def provider() -> Callable[..., Provider]:
    """Make a provider row."""

    def make(**fields: Any) -> Provider:
        return Provider(**{"name": "host", "wire": "openai-chat", "base_url": "http://127.0.0.1:1/v1", **fields})

    return make


@pytest.fixture
def model() -> Callable[..., Model]:
    """Make a model row."""
    return lambda **fields: Model(**{"name": "m", "provider": "host", "id": "m-1", **fields})


@pytest.fixture
def ask() -> Callable[..., Request]:
    """Make a request of one user message."""
    return lambda **fields: Request(**{"messages": (Message.of("user", "Hi"),), **fields})
