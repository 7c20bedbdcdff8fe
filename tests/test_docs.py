"""What the documents say is what the program does."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepsel.catalog import Catalog
from deepsel.cli.commands import (
    BatchGroup,
    CacheGroup,
    Commands,
    ConfigGroup,
    ConversationsGroup,
    Place,
    RouteGroup,
    TemplatesGroup,
)
from deepsel.errors import DeepselError, ExitCode

CATALOG = Catalog()

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
GOLDEN = Path(__file__).parent / "golden"
COMMANDS = (
    *("ask", "batch", "bench", "cache", "chat", "config", "conversations", "estimate", "help", "init", "models", "route", "serve"),
    *("simulate", "stats", "templates", "warm"),
)


def _subclasses(root: type[DeepselError]) -> set[type[DeepselError]]:
    return {root, *(found for child in root.__subclasses__() for found in _subclasses(child))}


def test_exit_code_table_is_the_programs() -> None:
    """The README's table lists exactly the codes of ExitCode, and each but OK and BUG is some error's."""
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert table == set(ExitCode)
    raised = {error.exit_code for error in _subclasses(DeepselError)}
    assert set(ExitCode) - raised == {ExitCode.OK}


def test_every_key_variable_is_in_the_readme() -> None:
    """Each provider's key variable is named in the README's table."""
    for provider in CATALOG.providers.values():
        if provider.api_key_env:
            assert f"`{provider.api_key_env}`" in README, provider.name


def test_readme_shows_the_help_as_it_is(deepsel: Callable[..., Any]) -> None:
    """The list of commands in the README is the one that `deepsel --help` prints."""
    shown = deepsel("--help", env={"COLUMNS": "100"}).out
    commands = shown[shown.index("Commands:") : shown.index("Exit codes")].strip()
    assert commands in README


def test_summaries_are_the_commands_own() -> None:
    """The table of commands, which imports none of them, says what each one's own first line says."""
    groups = (Commands, BatchGroup, CacheGroup, ConfigGroup, ConversationsGroup, RouteGroup, TemplatesGroup)
    places = [place for group in groups for place in group.table.values()]
    for place in places:
        if isinstance(place, Place):
            function = getattr(importlib.import_module(place.module), place.function)
            assert inspect.getdoc(function).split("\n")[0] == place.summary


def test_readme_commands_are_those_the_set_up_names() -> None:
    """The two set-up commands stand in the README, each as one line behind its mark."""
    for mark, end in (("run", 'deepsel ask -p demo "What is DNS?"'), ("tests", "pytest")):
        block = re.search(rf"<!-- {mark} -->\n```sh\n([^\n]+)\n```", README)
        assert block, mark
        assert block[1].endswith(end)


def test_every_decision_has_a_title() -> None:
    """Each decision record begins with what was decided."""
    records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert records
    assert all(record.read_text("utf-8").startswith("# ") for record in records)


def test_failures_page_names_real_scenarios() -> None:
    """Each scenario the page on failures offers for rehearsal is one the simulator knows, and every class has a row."""
    from deepsel.errors import ErrorClass
    from deepsel.simulator import BUILT_IN, FAULTS

    rows = (ROOT / "docs" / "what_happens_when.md").read_text("utf-8").splitlines()
    table = [row.split("|") for row in rows if row.startswith("| ") and not row.startswith("| when")]
    offered = {name for row in table for name in re.findall(r"`([\w-]+)`", row[5])}
    assert offered <= {*BUILT_IN, *FAULTS}
    assert {name for row in table for name in re.findall(r"`(\w+)`", row[2])} == set(ErrorClass)


def _golden(request: pytest.FixtureRequest, name: str, text: str) -> None:
    """Compare with a file a person has reviewed; `--rewrite-golden` writes it anew."""
    path = GOLDEN / name
    if request.config.getoption("--rewrite-golden"):
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_golden(request: pytest.FixtureRequest, deepsel: Callable[..., Any], command: str) -> None:
    """The help of each command is the reviewed one, plain and at most 100 columns wide."""
    ran = deepsel(*filter(None, (command, "--help")), env={"COLUMNS": "100"})
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 100
    _golden(request, f"help_{command or 'deepsel'}.txt", ran.out)


def test_each_decision_has_a_number_of_its_own() -> None:
    """A decision is cited by its number, which two branches may have given at the same time."""
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers)) > 0


PAGES = [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"))]
NAMED = sorted(
    {(page, name) for page in PAGES for name in re.findall(r"`((?:\w+/)+\w+\.py)`", page.read_text("utf-8"))}
)


@pytest.mark.parametrize(("page", "name"), NAMED, ids=lambda value: getattr(value, "name", value))
def test_every_module_a_page_names_is_there(page: Path, name: str) -> None:
    """A module or test that a page names by its path stands in the package or beside it, and has not moved on."""
    assert (ROOT / "deepsel" / name).exists() or (ROOT / name).exists(), page.name


def test_no_arguments_is_the_help(deepsel: Callable[..., Any]) -> None:
    """Somebody who types only the name is shown what there is."""
    assert deepsel().out == deepsel("--help").out


def test_version_is_the_packages() -> None:
    """`deepsel --version` and the package agree."""
    from deepsel import __version__

    done = subprocess.run([sys.executable, "-m", "deepsel", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"deepsel {__version__}\n"
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_each_promise_of_the_security_page_is_held_by_tests() -> None:
    """Every test that docs/security.md names is there, and every promise names one."""
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    written = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    promised = page.partition("## What is promised")[2].partition("## What is not promised")[0]
    rows = [line for line in promised.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) >= 25
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= known, row
