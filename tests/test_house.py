"""The shape of the house, read from the sources: layers, fences, size, and what must not be imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "deepsel"

# Top to bottom: a module may import what stands on a lower line, or its own folder.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("bench", "estimate"),
    ("engine",),
    ("routing",),
    ("health", "cache"),
    ("providers", "simulator"),
    ("tokens",),
    ("config",),
    ("catalog",),
    ("show",),
    ("values",),
    ("errors", "secret", "clock", "places", "digest"),
    ("__init__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# Library to the one file that may import it.
FENCES = {
    "rich": "cli/render.py",
    "httpx": "providers/transport.py",
    "httpcore": "providers/transport.py",
    "diskcache": "cache/disk.py",
    "tiktoken": "tokens/vocabulary.py",
    "tomli_w": "config/writer.py",
    "jsonschema": "engine/schema.py",
    "splintr": "tokens/fast.py",
    "redis": "cache/redis_client.py",
    "pathspec": "estimate/reading/ignore.py",
    "gcld3": "estimate/reading/languages.py",
    "charset_normalizer": "estimate/reading/decode.py",
}
FORBIDDEN = {"click", "pydantic", "pickle", "marshal", "requests"}


def _files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path) -> list[str]:
    """Every module a file imports, wherever in it the import stands."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_part_has_its_place() -> None:
    """Each file and folder of the package stands in the list of layers."""
    assert {_part(path) for path in _files()} <= set(RANK)


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downwards(path: Path) -> None:
    """A module imports only its own folder and lower layers, so that there can be no cycle between folders."""
    here = _part(path)
    for name in _imports(path):
        if not name.startswith("deepsel."):
            continue
        there = name.split(".")[1]
        there = there if there in RANK else "__init__"
        assert there == here or RANK[there] > RANK[here], f"{here} imports {name}"


@pytest.mark.parametrize("library", FENCES)
def test_fenced_library_has_one_importer(library: str) -> None:
    """A fenced library is imported in its one file and nowhere else."""
    importers = {
        str(path.relative_to(PACKAGE))
        for path in _files()
        if any(name == library or name.startswith(library + ".") for name in _imports(path))
    }
    assert importers == {FENCES[library]}


def test_typer_stays_in_the_command_line() -> None:
    """Only cli/ knows typer."""
    users = {_part(path) for path in _files() if any(name.split(".")[0] == "typer" for name in _imports(path))}
    assert users == {"cli"}


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_forbidden_is_imported(path: Path) -> None:
    """No file imports a library that is slow, unsafe or vendored elsewhere."""
    assert not {name.split(".")[0] for name in _imports(path)} & FORBIDDEN


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_readable(path: Path) -> None:
    """A file does one job in at most 350 lines, and says which in its first line."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 350
    assert ast.get_docstring(ast.parse(text)), "no module docstring"


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_names_are_documented(path: Path) -> None:
    """Every public class and function has a docstring."""
    module = ast.parse(path.read_text("utf-8"))
    owners = [module, *(node for node in module.body if isinstance(node, ast.ClassDef))]
    bare = [
        node.name
        for owner in owners
        for node in owner.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not bare


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_catches_everything(path: Path) -> None:
    """No handler swallows every exception."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            names = [n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)] if node.type else ["Exception"]
            reraises = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
            assert reraises or not {"Exception", "BaseException"} & set(names)


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
NEVER_AT_A_START = {"rich", "diskcache", "jsonschema", "redis", "hashlib", "asyncio", "importlib.metadata", "click", "pydantic"}
COMMANDS = {f"deepsel.cli.{name}" for name in ("ask", "estimate", "bench", "cache", "models", "stats", "warm", "init", "simulate")}


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (("--help",), NETWORK | COMMANDS | {"tiktoken", "sqlite3", "deepsel.values", "deepsel.config"}),
        (("ask", "--help"), NETWORK | {"tiktoken", "sqlite3", "deepsel.config", "deepsel.engine"}),
        (("cache", "stats"), NETWORK | {"tiktoken", "tempfile", "deepsel.engine", "deepsel.cli.ask"}),
        (("models", "deepseek"), NETWORK | {"tiktoken", "sqlite3", "deepsel.engine", "deepsel.cli.ask"}),
        (("ask", "--explain", "-m", "gpt-5.5", "Hi"), NETWORK | {"tempfile", "deepsel.simulator", "deepsel.cli.bench"}),
        (("estimate", "-m", "gpt-5.5", "README.md"), NETWORK | {"pathspec", "charset_normalizer", "tempfile", "deepsel.engine.run"}),
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
    assert "deepsel.engine.shortcut" in loaded
    plan = {"deepsel.engine.prepare", "deepsel.engine.run", "deepsel.health.outlook", "deepsel.providers.complete", "deepsel.tokens"}
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
    assert {"typer", "deepsel.engine.run"} <= bought
    _modules_after(*question)  # looks into the database once, since the first has only just written it
    loaded = _modules_after(*question)
    assert {name for name in loaded if name.startswith("deepsel.")} == {
        "deepsel.__main__",
        "deepsel.cli",
        "deepsel.cli.replay",
        "deepsel.digest",
        "deepsel.places",
        "deepsel.show",
        "deepsel.show.durations",
    }
    slow = {"typer", "typing", "dataclasses", "json", "re", "hashlib", "sqlite3", "pathlib", "decimal", "datetime", "contextlib"}
    assert not loaded & slow


def test_version_loads_no_command_line() -> None:
    """`deepsel --version` answers before typer is imported."""
    assert not _modules_after("--version") & {"typer", "dataclasses", "json", "importlib.metadata"}
