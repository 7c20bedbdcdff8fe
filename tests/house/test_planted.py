"""Each rule is seen to fail: what breaks it is planted into a small package, and the rule names the file and the line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from house_plan import RULES
from house_rules import Finding, Plan, outlived, unexcused
from source_tree import Tree

PLAN = Plan(
    layers=(("cli",), ("engine",), ("wires",), ("clock", "names"), ("__init__",)),
    fences={"numpy": "engine/sums.py", "typer": "cli/"},
    private={"wires/chat.py": "cli/app.py"},
    imports_by_name=("cli/table.py",),
    vendor_words=("acme", "acme-chat"),
    vendor_rooms=("wires/",),
    rooms={"print": ("cli/app.py",), "environ": ("cli/",), "time": ("clock.py",), "streams": ("cli/app.py",)},
    catch_all=("cli/app.py:run",),
)

SOUND = {
    "__init__.py": '"""A small package."""\n',
    "clock.py": '"""Tells the time."""\nimport time\n\nnow = time.time\n',
    "names.py": '"""Holds names."""\nNAMES = {"one": 1}\nCHAT = "acme-chat"\n',
    "cli/__init__.py": '"""Commands."""\n',
    "cli/app.py": (
        '"""Runs."""\nimport os\nimport sys\n\nimport typer\n\nfrom toy.engine.sums import total\n\n\n'
        'def run() -> None:\n    """Run."""\n    try:\n        print(total(), os.environ, sys.argv, typer)\n'
        "    except Exception:\n        print(1)\n        raise\n"
    ),
    "cli/table.py": '"""Finds commands."""\nfrom importlib import import_module\n\nfind = lambda name: import_module(name)\n',
    "engine/__init__.py": '"""Works."""\nfrom toy.engine.sums import total\n\n__all__ = ["total"]\n',
    "engine/sums.py": (
        '"""Adds."""\nfrom functools import cache\n\nimport numpy\n\nfrom toy.names import NAMES\n\n\n'
        '@cache\ndef total(extra: int = 0) -> int:\n    """Add."""\n'
        "    found: list[int] = []\n    found.append(extra)\n    return numpy.sum(list(NAMES.values())) + len(found)\n"
    ),
    "engine/retry.py": '"""Tries again."""\n',
    "wires/__init__.py": '"""Wires."""\n',
    "wires/chat.py": '"""A wire."""\n\n\ndef is_acme(name: str) -> bool:\n    """Say."""\n    return name == "acme"\n',
}


def package(folder: Path, changes: Mapping[str, str] = {}) -> Tree:
    """Write the small package, some of its files anew or longer, and read it."""
    root = folder / "toy"
    for name, text in {**SOUND, **changes}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Tree(root)


def places(rule: str, tree: Tree, plan: Plan = PLAN) -> list[str]:
    """Where a rule is broken."""
    return [f"{one.file}:{one.line}" for one in RULES[rule](tree, plan)]


@pytest.mark.parametrize("rule", RULES)
def test_a_sound_package_breaks_no_rule(tmp_path: Path, rule: str) -> None:
    """What stands in its room, for types, local to a function, or at the top of a file and never changed is right."""
    assert places(rule, package(tmp_path)) == []


RETRY = "engine/retry.py"
HEAD = SOUND[RETRY]

IMPORTS = {
    "an unlisted library": ("fences", "import scipy"),
    "an unlisted library in a function": ("fences", "def _f():\n    from scipy import stats", 3),
    "an unlisted library by its name": ("fences", "import importlib\nimportlib.import_module('scipy')", 3),
    "a listed library elsewhere": ("fences", "from numpy import array"),
    "a library of another folder": ("fences", "import typer"),
    "another folder's own file": ("private", "def _f():\n    from toy.wires import chat", 3),
    "an upward import": ("layers", "from toy.cli.app import run"),
    "an upward import of a folder": ("layers", "from toy import cli"),
    "an upward import in a function": ("layers", "def _f():\n    import toy.cli.app", 3),
    "an upward import for types": (
        "layers", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy.cli.app import run", 4,
    ),
    "an upward import by its name": ("layers", "from importlib import import_module\nimport_module('toy.cli.app')", 3),
    "a relative import": ("layers", "from .sums import total"),
    "a computed import": ("imports by name", "from importlib import import_module as get\nget('toy' + '.cli')", 3),
    "a computed import by the built-in": ("imports by name", "_x = lambda name: __import__(name)"),
}  # fmt: skip

BRANCHES = {
    "==": ("vendor branches", "_f = lambda name: name == 'acme'"),
    "!= with other capitals": ("vendor branches", "_f = lambda name: 'Acme' != name"),
    "in a tuple": ("vendor branches", "_f = lambda name: name in ('other', 'acme')"),
    "a part of a text": ("vendor branches", "_f = lambda name: 'acme' in name"),
    "match": ("vendor branches", "def _f(name):\n    match name:\n        case 'other' | 'acme':\n            return 1", 4),
    "startswith": ("vendor branches", "_f = lambda name: name.startswith('acme-')"),
    "endswith one of several": ("vendor branches", "_f = lambda name: name.endswith(('x', 'acme'))"),
    "a constant of the file": ("vendor branches", "_CHAT = 'acme-chat'\n_f = lambda name: name == _CHAT", 3),
    "a constant of another file": ("vendor branches", "from toy.names import CHAT\n_f = lambda name: name != CHAT", 3),
    "a table made for one look": ("vendor branches", "_f = lambda name: {'acme': 1}.get(name)"),
}

ROOMS = {
    "print": ("rooms", "def _f():\n    print(1)", 3),
    "the environment": ("rooms", "import os\n_x = os.environ.get('HOME')", 3),
    "one variable": ("rooms", "from os import getenv as get\n_x = get('HOME')", 3),
    "the clock": ("rooms", "import time\n_f = lambda: time.monotonic()", 3),
    "the clock under another name": ("rooms", "from time import perf_counter as now\n_f = lambda: now()", 3),
    "sleep": ("rooms", "import time as t\n_f = lambda: t.sleep(1)", 3),
    "the date": ("rooms", "from datetime import datetime\n_f = lambda: datetime.now()", 3),
    "standard input": ("rooms", "import sys\n_f = lambda: sys.stdin.read()", 3),
    "arguments": ("rooms", "from sys import argv\n_f = lambda: argv[1]", 3),
}

HANDLERS = {
    "Exception": ("handlers", "try:\n    pass\nexcept Exception:\n    pass", 4),
    "one of several": ("handlers", "try:\n    pass\nexcept (OSError, Exception):\n    pass", 4),
    "BaseException": ("handlers", "try:\n    pass\nexcept BaseException:\n    raise", 4),
    "bare": ("handlers", "try:\n    pass\nexcept:\n    raise", 4),
    "suppress": ("handlers", "import contextlib\nwith contextlib.suppress(Exception):\n    pass", 3),
    "suppress by its own name": ("handlers", "from contextlib import suppress\nwith suppress(OSError, BaseException):\n    pass", 3),
}

STATE = {
    "a list that is appended to": ("module state", "_seen: list[int] = []\ndef _f(x):\n    _seen.append(x)", 4),
    "a table that is filled": ("module state", "_seen = dict()\ndef _f(x):\n    _seen[x] = 1", 4),
    "a table that is emptied": ("module state", "_seen = {1: 2}\ndef _f(x):\n    del _seen[x]", 4),
    "a set that grows in place": ("module state", "_seen = set()\ndef _f(x):\n    global _seen\n    _seen |= {x}", 4),
    "a default table": ("module state", "from collections import defaultdict\n_n = defaultdict(int)\ndef _f(x):\n    _n[x] += 1", 5),
    "another file's table": ("module state", "from toy.names import NAMES\n_f = lambda: NAMES.update(two=2)", 3),
    "another file's table by its module": ("module state", "from toy import names\n_f = lambda: names.NAMES.clear()", 3),
    "another file's name": ("module state", "from toy import names\ndef _f():\n    names.CHAT = ''", 4),
    "global": ("module state", "_now = 0\ndef _f():\n    global _now\n    _now = 1", 4),
    "an attribute of a function": ("module state", "def _f():\n    _f.calls = 1", 3),
    "an attribute of a class": ("module state", "class _A:\n    n = 0\n    def f(self):\n        _A.n += 1", 5),
    "a lock": ("module state", "import threading\n_lock = threading.Lock()", 3),
    "a counter": ("module state", "from itertools import count\n_ids = count()", 3),
    "an object that can change": ("module state", "class _A:\n    def f(self):\n        self.n = 1\n_one = _A()", 5),
    "a cache of a file": (
        "module state", "from functools import cache\nfrom pathlib import Path\n@cache\ndef _f(path: Path):\n    return 1", 5,
    ),
    "a cache that is cleared": ("module state", "from toy.engine.sums import total\n_f = lambda: total.cache_clear()", 3),
}  # fmt: skip

_LONG = "def long() -> int:\n    '''Do it.'''\n    x = 0\n" + "    x += 1\n" * 57 + "    return x"
_WIDE = "class _A:\n    def wide(self, " + ", ".join(f"a{n}: int" for n in range(7)) + ", *more: int) -> int:\n        return a0"
SHAPE = {
    "a function of 61 lines": ("functions", _LONG),
    "a method of 8 parameters": ("functions", _WIDE, 3),
    "a file of 351 lines": ("files", "X = 1\n" * 350, 350),
    "a public function without a docstring": ("documented", "def bare() -> int:\n    return 1"),
    "a public method without a docstring": ("documented", "class A:\n    '''One.'''\n    def bare(self) -> int:\n        return 1", 4),
    "a public class without a docstring": ("documented", "class A:\n    pass"),
}

PLANTED = {**IMPORTS, **BRANCHES, **ROOMS, **HANDLERS, **STATE, **SHAPE}


@pytest.mark.parametrize("name", PLANTED)
def test_it_is_found(tmp_path: Path, name: str) -> None:
    """The rule names the file and the line of what was planted; the line is the first after the docstring unless said."""
    rule, text, *line = PLANTED[name]
    tree = package(tmp_path, {RETRY: f"{HEAD}{text}\n"})
    assert f"{RETRY}:{line[0] if line else 2}" in places(rule, tree)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({RETRY: "from toy.engine.sums import total", "engine/sums.py": "from toy.engine.retry import x"},
         {RETRY, "engine/sums.py"}),
        ({RETRY: "from toy.engine.sums import total", "engine/sums.py": "def f():\n    import toy.engine.retry"},
         {RETRY, "engine/sums.py"}),
        ({RETRY: "from toy.engine import total", "engine/sums.py": "from toy.engine import retry"},
         {RETRY, "engine/__init__.py", "engine/sums.py"}),
        ({"engine/sums.py": "from toy.engine import retry"}, {"engine/__init__.py", "engine/sums.py"}),
        ({RETRY: "import toy.engine.retry"}, {RETRY}),
        ({RETRY: "from toy.engine.sums import total", "engine/sums.py": "import importlib\nimportlib.import_module('toy.engine.retry')"},
         {RETRY, "engine/sums.py"}),
    ],
    ids=["of two files", "deferred", "through the folder", "a sibling asked of the folder", "of one file", "by a name"],
)  # fmt: skip
def test_a_cycle_is_found(tmp_path: Path, changes: Mapping[str, str], expected: set[str]) -> None:
    """Every file of a circle is named, with the line that leads on."""
    found = places("cycles", package(tmp_path, {name: f'"""One."""\n{text}\n' for name, text in changes.items()}))
    assert {place.partition(":")[0] for place in found} == expected


def test_an_import_for_types_closes_no_circle(tmp_path: Path) -> None:
    """What only the type checker reads is never run."""
    only_types = '"""One."""\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy.engine.retry import X\n'
    changes = {RETRY: '"""One."""\nfrom toy.engine.sums import total\n', "engine/sums.py": only_types}
    assert places("cycles", package(tmp_path, changes)) == []


def test_the_face_may_show_types_and_run_nothing(tmp_path: Path) -> None:
    """The package's own `__init__` imports what stands above it for types only; nobody else may, not even so."""
    for_types = '"""One."""\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy.cli.app import run\n'
    assert places("layers", package(tmp_path, {"__init__.py": for_types})) == []
    assert places("layers", package(tmp_path, {"__init__.py": for_types, RETRY: for_types})) == [f"{RETRY}:4"]
    assert places("layers", package(tmp_path, {"__init__.py": '"""One."""\nfrom toy.cli.app import run\n', RETRY: '"""One."""\n'})) == [
        "__init__.py:2"
    ]


@pytest.mark.parametrize("tail", ["if False:\n            raise", "return\n        raise", "print(1)", "raise ValueError"])
def test_a_listed_handler_raises_whatever_happens(tmp_path: Path, tail: str) -> None:
    """A `raise` in a branch, after a return, or of another error is none."""
    text = f'"""Runs."""\ndef run():\n    try:\n        pass\n    except Exception:\n        {tail}\n'
    assert places("handlers", package(tmp_path, {"cli/app.py": text})) == ["cli/app.py:5"]


def test_a_part_without_a_place_is_found(tmp_path: Path) -> None:
    """A new folder has to be put into the layers."""
    assert places("layers", package(tmp_path, {"extra/new.py": '"""New."""\n'})) == ["extra/new.py:1"]


def test_a_file_without_a_docstring_is_found(tmp_path: Path) -> None:
    """A file has to say what it is for."""
    assert places("files", package(tmp_path, {RETRY: "X = 1\n"})) == [f"{RETRY}:1"]


def test_a_full_folder_is_found(tmp_path: Path) -> None:
    """The twenty-first file of a folder is one too many."""
    more = {f"wires/w{number}.py": '"""One."""\n' for number in range(18)}
    assert places("files", package(tmp_path, more)) == []
    assert places("files", package(tmp_path, {**more, "wires/last.py": '"""One."""\n'})) == ["wires/:0"]


def test_options_of_a_command_are_parameters(tmp_path: Path) -> None:
    """Options declared to typer one by one are parameters as any other: a record of them is one."""
    options = "".join(f"    a{number}: Annotated[int, typer.Option('--n{number}')],\n" for number in range(8))
    command = f'"""Asks."""\nfrom typing import Annotated\nimport typer\ndef ask(\n{options}) -> None:\n    \'\'\'Ask.\'\'\'\n'
    assert places("functions", package(tmp_path, {"cli/ask.py": command})) == ["cli/ask.py:4"]


_PROTOCOL = "from typing import Protocol\nclass Wire(Protocol):\n    '''One.'''\n    def read(self): ...\n"
_METHOD = "class Wire:\n    '''One.'''\n    def {}(self): ...\n"


@pytest.mark.parametrize(
    ("first", "second", "is_found"),
    [
        ("class Report:\n    '''One.'''\n", "class Report:\n    '''Two.'''\n", True),
        ("class _Report:\n    '''One.'''\n", "class _Report:\n    '''Two.'''\n", False),
        (_PROTOCOL, _METHOD.format("read"), False),
        (_PROTOCOL, _METHOD.format("write"), True),
        (_PROTOCOL, _PROTOCOL, True),
    ],
    ids=["shared", "private", "a protocol and its implementation", "not its implementation", "two protocols"],
)
def test_a_shared_class_name_is_found(tmp_path: Path, first: str, second: str, is_found: bool) -> None:
    """Two public classes have two names, unless one is the other's protocol."""
    tree = package(tmp_path, {RETRY: HEAD + first, "wires/chat.py": '"""A wire."""\n' + second})
    assert [one.key for one in RULES["class names"](tree, PLAN)] == (["Report" if "Report" in first else "Wire"] if is_found else [])


def test_what_is_known_is_excused_until_it_grows_or_shrinks() -> None:
    """A known breach is left out while it is as large as the list says; a larger one is found, a smaller one has outlived its entry."""
    wide = Finding("a.py", 1, "a.py:f parameters", "f has 9 parameters", 9)
    assert unexcused([wide], {wide.key: 9}) == []
    assert unexcused([wide], {wide.key: 8}) == [wide]
    assert unexcused([wide, wide], {wide.key: 9}) == [wide, wide]
    assert outlived([wide], {wide.key: 9}) == set()
    assert outlived([wide], {wide.key: 10}) == {"a.py:f parameters: 9, not 10"}
    assert outlived([], {wide.key: 9}) == {"a.py:f parameters: 0, not 9"}
