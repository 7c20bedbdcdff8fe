"""Random HTTP answers that give the key back, through the whole command: the short form of scripts/fuzz/command.py."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "scripts" / "fuzz"
RUNS = 80


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The script's module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import command

    monkeypatch.setenv("FUZZ_KEY", command.KEY)
    yield command
    for name in ("command", "stream", "answers"):
        sys.modules.pop(name, None)


def test_no_answer_ends_the_command_or_brings_the_key_back(fuzz: Any, home: Path) -> None:
    """Each run has a documented exit code, a record that is JSON, and nothing of the key in output and files."""
    with fuzz.commander(home) as one:
        for seed in range(RUNS):
            played = fuzz.played(seed)
            ran = one.run(played)
            assert fuzz.fault(ran, one.kept()) == "", f"seed {seed}"
            if "--json" in played.arguments:
                json.loads(ran.out)


def test_the_oracle_can_fail(fuzz: Any) -> None:
    """A key in the output, in a file, and a bug are told."""
    good = fuzz.Ran(0, b"Fine.", "", 0.1)
    assert fuzz.fault(good, "") == ""
    for bad, kept in ((good._replace(out=fuzz.KEY.encode()), ""), (good, fuzz.FORMS[4]), (good._replace(code=1), "")):
        assert fuzz.fault(bad, kept)
