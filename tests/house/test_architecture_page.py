"""What docs/architecture.md says of the house is what the plan says and what stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from house_plan import LAYERS, PACKAGE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
ROOMS = {name for layer in LAYERS for name in layer}


def test_the_layers_are_the_plans() -> None:
    """The drawing has the plan's layers, in its order, each line beginning with the rooms that stand on it."""
    drawing = PAGE.split("<!-- layers -->\n```\n")[1].split("\n```")[0]
    drawn = [tuple(re.split(r" {2}", re.split(r" {3,}", line)[0])) for line in drawing.splitlines()]
    assert drawn == [tuple(layer) for layer in LAYERS]


def test_every_folder_has_its_never() -> None:
    """Each folder that does something says what it never does."""
    table = PAGE.split("## What each room never does")[1].split("## Six journeys")[0]
    named = {name for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for name in row.split(", ")}
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders - named <= {"bench", "estimate", "simulator", "tokens", "config"}
    assert named - ROOMS - {"room", "---"} == set()


@pytest.mark.parametrize(
    "place", sorted(set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|json|md)|(?=`))|[a-z_]+\.py)`", PAGE)))
)
def test_every_place_is_there(place: str) -> None:
    """A file or folder that the page names stands in the package or beside it."""
    assert (PACKAGE / place).exists() or (ROOT / place).exists()
