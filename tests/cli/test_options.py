"""Options are fields of records: what typer is given of them, what a command gets back, and that every command is so."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest
import typer

from deepsel import cli
from deepsel.cli.commands import CacheGroup, Commands, Place
from deepsel.cli.options import AsJson, Common, Help, Models, with_options

PLACES = [place for place in (*Commands.table.values(), *CacheGroup.table.values()) if isinstance(place, Place)]


class Inner(NamedTuple):
    """Options within options."""

    deep: Annotated[int, typer.Option("--deep")] = 1


class Toy(NamedTuple):
    """What the command of these tests takes."""

    word: Annotated[str, typer.Argument()]
    inner: Inner
    models: Annotated[Models, Help("These only.")] = None
    as_json: AsJson = False


def _ran(*arguments: str, before: Common | None = None) -> Any:
    """What a command is called with."""
    seen = []

    def toy(common: Common, options: Toy) -> None:
        """Do nothing."""
        seen.append((common, options))

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command("toy")(with_options(toy))
    typer.main.get_command(app).main(list(arguments), standalone_mode=False, obj=before)
    return seen[0]


def test_a_command_gets_its_record() -> None:
    """Each option is in its field, one of an inner record in that, and what was not given has its default."""
    assert _ran("hello") == (Common(), Toy("hello", Inner()))
    common, options = _ran("hello", "--deep", "3", "-m", "a", "-m", "b", "--json", "-q")
    assert (common, options) == (Common(quiet=True), Toy("hello", Inner(3), ["a", "b"], as_json=True))


def test_shared_options_stand_on_both_sides() -> None:
    """What was given before the command's name holds, unless it is given again after it."""
    before = Common(Path("first"), "one", quiet=True)
    assert _ran("hello", "-p", "two", before=before)[0] == Common(Path("first"), "two", quiet=True)


def test_words_of_one_command_stay_there() -> None:
    """A shared option may mean something else to one command, and keeps its own words for all others."""

    def worded(common: Common, options: Toy) -> None:
        """Do nothing."""

    (shown,) = [one for name, one in inspect.signature(with_options(worded)).parameters.items() if name == "models"]
    assert shown.annotation.__metadata__[0].help == "These only."
    assert Models.__metadata__[0].help == "Only these models. Repeatable."


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.module}.{place.function}")
def test_a_command_is_short_and_takes_a_record(place: Place) -> None:
    """Every command is a function of the shared options and at most one record, in at most 25 lines."""
    function = getattr(importlib.import_module(place.module), place.function)
    common, *records = inspect.signature(function, eval_str=True).parameters.values()
    assert common.annotation is Common
    assert all(hasattr(record.annotation, "_field_defaults") for record in records)
    assert len(records) <= 1
    assert len(inspect.getsource(function).splitlines()) <= 25


def test_an_option_is_declared_once() -> None:
    """No two declarations say the same of the same option: what several commands share stands in one place."""
    found = Counter[str]()
    for path in Path(cli.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_option = isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Option", "typer.Argument")
            if is_option and any(isinstance(one, ast.Constant) for one in node.args):
                found[ast.unparse(node)] += 1
    assert found
    assert [declared for declared, times in found.items() if times > 1] == []
