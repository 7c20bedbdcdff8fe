"""Random answers of both wires from a real socket, held against what they mean: the short form of scripts/fuzz/stream.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "scripts" / "fuzz"
RUNS = 300
KEPT = (1048,)
"""Seeds that failed once."""


@pytest.fixture(scope="module")
def fuzz() -> Iterator[Any]:
    """The script's module."""
    sys.path.insert(0, str(FOLDER))
    try:
        import stream

        yield stream
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("stream", "answers"):
            sys.modules.pop(name, None)


def test_every_answer_is_read_as_it_was_meant(fuzz: Any) -> None:
    """Each run ends whole or with a known class, soon, at a possible price, with no text nobody meant and none lost."""
    with fuzz.runner() as one:
        for seed in (*KEPT, *range(RUNS)):
            made = fuzz.make(seed)
            assert fuzz.fault(made, one.run(made)) == "", f"seed {seed}"


def test_the_oracle_can_fail(fuzz: Any) -> None:
    """An answer that is read otherwise than it was meant is told, as is a failure where none was meant."""
    told = 0
    with fuzz.runner() as one:
        for seed in range(60):
            made = fuzz.make(seed)
            ended = one.run(made)
            made.text += "more"
            made.least += "more"
            told += fuzz.fault(made, ended) != ""
    assert told > 25


def test_an_answer_is_made_from_its_seed(fuzz: Any) -> None:
    """What failed once can be made again."""
    assert all(fuzz.make(seed) == fuzz.make(seed) for seed in range(20))
