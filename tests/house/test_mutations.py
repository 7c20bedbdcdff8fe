"""The rules with the real plan: seventeen breaches planted into a copy of the package, each of them found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from house_plan import KNOWN, PACKAGE, PLAN, RULES
from house_rules import unexcused
from source_tree import Tree

HERE = "engine/limiter.py"
_LONG = "def long_one() -> int:\n    '''Do it.'''\n    x = 0\n" + "    x += 1\n" * 200 + "    return x"
_WIDE = "def wide(" + ", ".join(f"a{n}: int" for n in range(20)) + ") -> int:\n    '''Do it.'''\n    return a0"

MUTATIONS = {
    "an outside library nobody listed": ("fences", "import numpy"),
    "a second importer of a listed library": ("fences", "import httpx"),
    "an upward import": ("layers", "from deepsel.cli.app import run"),
    "a cycle inside a folder": ("cycles", "from deepsel.engine.limiter import Limiter"),
    "an upward import by name": ("layers", "import importlib; _x = lambda: importlib.import_module('deepsel.cli.ask')"),
    "a branch by vendor": ("vendor branches", "def _v(p: object) -> bool:\n    return getattr(p, 'name', '') == 'deepseek'"),
    "a branch by wire": ("vendor branches", "def _w(p: object) -> bool:\n    return getattr(p, 'wire', '') == 'anthropic-messages'"),
    "suppress(Exception)": (
        "handlers", "def _s() -> None:\n    import contextlib\n    with contextlib.suppress(Exception):\n        raise ValueError",
    ),
    "a raise in a branch never taken": (
        "handlers",
        "def _e() -> None:\n    try:\n        raise ValueError\n    except Exception:\n        if False:\n            raise",
    ),
    "a function of 200 lines": ("functions", _LONG),
    "a function of 20 parameters": ("functions", _WIDE),
    "a public function without docstring": ("documented", "def bare() -> int:\n    return 1"),
    "a file of 360 lines": ("files", "X = 1\n" * 330),
    "mutable module state": ("module state", "_seen: list[int] = []\ndef _note(x: int) -> None:\n    _seen.append(x)"),
    "print outside the command line": ("rooms", "def _p() -> None:\n    print('hello')"),
    "the environment outside the command line": ("rooms", "import os\n_k = os.environ.get('HOME')"),
    "the time outside the clock": ("rooms", "import time\ndef _t() -> float:\n    return time.time()"),
}  # fmt: skip


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package's sources that may be spoiled."""
    target = tmp_path_factory.mktemp("copy") / PACKAGE.name
    shutil.copytree(PACKAGE, target, ignore=lambda folder, names: {name for name in names if name in ("data", "__pycache__")})
    return target


@pytest.mark.parametrize("name", MUTATIONS)
def test_it_is_found(copied: Path, name: str) -> None:
    """A breach at the end of a file is found there, by its rule."""
    rule, text = MUTATIONS[name]
    spoiled = copied / HERE
    sound = spoiled.read_text("utf-8")
    spoiled.write_text(f"{sound}\n{text}\n", "utf-8")
    try:
        findings = unexcused(list(RULES[rule](Tree(copied), PLAN)), KNOWN.get(rule, {}))
    finally:
        spoiled.write_text(sound, "utf-8")
    first = len(sound.splitlines()) + 1
    assert [one.file for one in findings] == [HERE] * len(findings)
    assert any(one.line >= first for one in findings)


def test_a_cycle_of_two_files_is_found(copied: Path) -> None:
    """A file that is imported by what it imports names both."""
    lower, upper = copied / "cache/tier.py", "cache/store.py"
    sound = lower.read_text("utf-8")
    lower.write_text(f"{sound}\nfrom deepsel.cache.store import Cache\n", "utf-8")
    try:
        files = {one.file for one in RULES["cycles"](Tree(copied), PLAN)}
    finally:
        lower.write_text(sound, "utf-8")
    assert {"cache/tier.py", upper} <= files
