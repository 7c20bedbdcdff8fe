"""What a start loads, and what it must not: each path of the command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def _modules_after(*arguments: str) -> set[str]:
    """The modules that a run of deepsel has loaded when it ends."""
    code = (
        "import sys\n"
        f"sys.argv = ['deepsel', *{arguments!r}]\n"
        "from deepsel.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.split())


NETWORK = {"httpx", "httpcore", "ssl", "socket"}
DRAWING = {"rich", "markdown_it", "pygments"}
NEVER_AT_A_START = DRAWING | {"diskcache", "jsonschema", "redis", "hashlib", "asyncio", "importlib.metadata", "click", "pydantic"}
COMMANDS = {f"deepsel.cli.{name}" for name in ("ask", "estimate", "bench", "cache", "models", "stats", "warm", "init", "simulate")}


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (("--help",), NETWORK | COMMANDS | {"tiktoken", "sqlite3", "deepsel.values", "deepsel.config"}),
        (("ask", "--help"), NETWORK | {"tiktoken", "sqlite3", "deepsel.config", "deepsel.engine"}),
        (("cache", "stats"), NETWORK | {"tiktoken", "tempfile", "deepsel.engine", "deepsel.cli.ask"}),
        (("models", "deepseek"), NETWORK | {"tiktoken", "sqlite3", "deepsel.engine", "deepsel.cli.ask"}),
        (("ask", "--explain", "-m", "gpt-5.5", "Hi"), NETWORK | {"tempfile", "deepsel.simulator", "deepsel.cli.bench"}),
        (("estimate", "-m", "gpt-5.5", "README.md"), NETWORK | {"charset_normalizer", "tempfile", "deepsel.engine.run"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_start_loads_only_what_it_needs(arguments: tuple[str, ...], forbidden: set[str]) -> None:
    """Each path of the command line names what it must not load: what somebody else needs, or what takes long."""
    assert not _modules_after(*arguments) & (forbidden | NEVER_AT_A_START)


def test_a_hit_loads_no_plan_and_no_network() -> None:
    """An answer that is found under another wording of the options needs neither tokens, plan, health nor a provider's wire."""
    question = ("ask", "-p", "demo", "-q", "What is DNS?")
    _modules_after(*question)
    loaded = _modules_after(*question, "--timeout", "33")
    assert "deepsel.engine.run" in loaded
    plan = {"deepsel.engine.prepare", "deepsel.engine.calls", "deepsel.health.outlook", "deepsel.providers.complete", "deepsel.tokens"}
    assert not loaded & (NETWORK | NEVER_AT_A_START | plan | {"tiktoken", "random", "tempfile", "deepsel.simulator", "base64", "html"})


def test_a_call_loads_no_more_than_it_needs(home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """A request that is sent loads the HTTP library, and nothing that draws, stores or simulates."""
    profiles(one=simulate(text="Hello."))
    loaded = _modules_after("ask", "--no-cache", "--stream", "Hi")
    assert {"httpx", "deepsel.providers.complete"} <= loaded
    assert not loaded & (NEVER_AT_A_START - {"hashlib"} | {"deepsel.simulator", "deepsel.cli.bench"})


def test_a_replayed_answer_loads_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second identical `ask` loads of ours only what it reads and writes with, and of others nothing that takes time."""
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    question = ("ask", "-p", "demo", "-q", "What is DNS?")
    bought = _modules_after(*question)
    assert {"typer", "deepsel.engine.calls"} <= bought
    loaded = bought
    for _ in range(50):  # the first ones look into the database: what was written within a tick of its clock may change unseen
        if "sqlite3" not in loaded:
            break
        loaded = _modules_after(*question)
    assert {name for name in loaded if name.startswith("deepsel.")} == {
        "deepsel.__main__",
        "deepsel.cli",
        "deepsel.cli.replay",
        "deepsel.cli.replay.replay",
        "deepsel.digest",
        "deepsel.places",
        "deepsel.storage",
        "deepsel.storage.files",
    }
    slow = {"typer", "typing", "dataclasses", "json", "re", "hashlib", "sqlite3", "pathlib", "decimal", "datetime", "contextlib"}
    assert not loaded & slow


def test_version_loads_no_command_line() -> None:
    """`deepsel --version` answers before typer is imported."""
    assert not _modules_after("--version") & {"typer", "dataclasses", "json", "importlib.metadata"}
