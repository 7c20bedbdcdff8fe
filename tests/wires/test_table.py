"""The table of wires: what a row is worth without its folder, and what every folder hands on."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.wires.table import ROWS, wire_names, wire_of
from deepsel.wires.wire import Wire

CATALOG = Catalog()

MEMBERS = {*Wire.__annotations__, *(name for name, member in vars(Wire).items() if callable(member) and name[0] != "_")}


@pytest.mark.parametrize("name", wire_names())
def test_a_folder_hands_on_a_whole_wire(name: str) -> None:
    """Each folder has every member of a wire."""
    folder: Any = wire_of(name)
    assert set(folder.__all__) == MEMBERS


@pytest.mark.parametrize("name", wire_names())
def test_a_row_names_what_own_providers_start_from(name: str) -> None:
    """The catalog has the row, it speaks the wire, and it stands nowhere yet."""
    generic = CATALOG.providers[ROWS[name].generic]
    assert (generic.wire, generic.base_url) == (name, "")
    assert catalog.generic_provider(name) is generic


@pytest.mark.parametrize("name", wire_names())
def test_facts_are_usable(name: str) -> None:
    """A version is a whole number from 1, and marks and length fields name something."""
    wire = wire_of(name)
    assert wire.FORMAT >= 1
    assert all(wire.END_MARKS)
    assert all(wire.LENGTH_FIELDS)
    generic = catalog.generic_provider(name)
    assert generic is not None
    assert generic.max_tokens_field in wire.LENGTH_FIELDS


def test_an_unknown_wire_is_a_key_error() -> None:
    """The table holds what it names, and nothing else."""
    assert "telegraph" not in wire_names()
    with pytest.raises(KeyError):
        wire_of("telegraph")


def test_names_are_checked_without_loading_a_wire() -> None:
    """Reading providers, a wrong wire among them, loads no folder; asking for one wire loads that one."""
    code = """
import sys
from deepsel import catalog
for provider in catalog.Catalog().providers.values():
    assert provider.wire
try:
    catalog.provider_from({"wire": "telegraph", "base_url": "http://h"}, "p")
except catalog.RowError as error:
    print(error)
from deepsel.wires.table import wire_of
print(sorted(name for name in sys.modules if name.startswith("deepsel.wires.")))
wire_of("openai-chat").FORMAT
print("deepsel.wires.anthropic_messages" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [
        f"`wire` must be one of {', '.join(wire_names())}",
        "['deepsel.wires.table']",
        "False",
    ]
