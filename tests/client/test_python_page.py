"""The page on Python, and the README's example: each runs as written, and the page's tables are the program's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deepsel import errors
from deepsel.client.options import DEFAULTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE + README, re.MULTILINE | re.DOTALL)
PRINTED = (
    "simulated",
    r"\w",
    "simulated",
    "left after: ",
    r"\A(demo-\S+ 0\.\d+\n){3}\Z",
    r"\AConfigError 3 .*no-such-model",
    r"\A((gpt-6-luna|deepseek-flash) \d+ counted 0\.\d+\n){2}\Z",
    r"\A0\.\d+\n\Z",
    r"\A0\.\d+\n\Z",
    "simulated",
)
"""What each example prints, as a pattern."""


def test_every_example_has_its_output() -> None:
    """An example that is added is checked too."""
    assert len(EXAMPLES) == len(PRINTED)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs_as_written(home: Path, number: int) -> None:
    """In a process of its own, with an empty home and the demo's profile, it prints what it should and nothing else."""
    environment = {**os.environ, "DEEPSEL_PROFILE": "demo"}
    del environment["TEST_KEY"]
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[number]],
        capture_output=True, text=True, cwd=home, env=environment, check=False, timeout=110,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(PRINTED[number], done.stdout), done.stdout


def test_the_page_names_every_option_and_error() -> None:
    """The tables hold each keyword, and each error of the tree is told of."""
    rows = "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`(\w+)`", rows))
    tree = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.DeepselError)}
    assert set(DEFAULTS) <= named
    assert tree <= set(re.findall(r"`(\w+)`", PAGE))
    assert named <= set(DEFAULTS) | tree
