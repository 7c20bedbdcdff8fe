"""What `import deepsel` offers and what it loads; each start in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import deepsel
from deepsel import errors

HEAVY = {"typer", "rich", "click", "httpx", "httpcore", "tiktoken", "sqlite3", "diskcache", "jsonschema", "pydantic", "asyncio"}


def loaded_by(code: str) -> set[str]:
    """The modules that some lines load, those that Python itself starts with aside."""
    lines = (
        f"import sys; before = set(sys.modules)\n{code}\nprint('\\n'.join(set(sys.modules) - before), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True, timeout=110)
    return set(done.stderr.split())


def test_the_public_names_are_these() -> None:
    """Nothing else is public: the verbs, the client, their values, the errors."""
    tree = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.DeepselError)}
    verbs = {"ask", "stream", "estimate", "price", "score", "Client"}
    values = {"Answer", "Event", "TextDelta", "ReasoningDelta", "ToolCallDelta", "Report"}
    assert set(deepsel.__all__) == tree | verbs | values
    assert len(deepsel.__all__) == len(set(deepsel.__all__))
    assert set(deepsel.__all__) <= set(dir(deepsel))
    assert all(getattr(deepsel, name) is not None for name in deepsel.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As on any module."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = deepsel.nonsense  # type: ignore[attr-defined]


def test_estimate_stays_the_verb() -> None:
    """The folder of the same name does not take the verb's place when it is imported, nor does the verb hide the folder."""
    code = (
        "import deepsel.estimate.pricing.report\nimport deepsel\nfrom deepsel.estimate.records import Report\n"
        "from deepsel import estimate\nassert estimate is deepsel.estimate\n"
        "assert all(isinstance(deepsel.estimate('Hi', models='gpt-6-luna'), Report) for _ in range(2))\n"
    )
    assert "deepsel.estimate.reading.read" in loaded_by(code)


def test_an_import_alone_loads_nothing() -> None:
    """`import deepsel` loads itself and no other module."""
    assert loaded_by("import deepsel") == {"deepsel"}


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("deepsel.IncompleteError", HEAVY | {"deepsel.client", "deepsel.values", "json", "decimal"}),
        ("deepsel.score('What is DNS?')", HEAVY | {"deepsel.client", "deepsel.engine", "deepsel.session"}),
        ("deepsel.Client", HEAVY | {"deepsel.cli", "deepsel.estimate", "deepsel.engine.run", "deepsel.simulator"}),
        ("deepsel.price('gpt-6-luna', input_tokens=1, output_tokens=1)", HEAVY | {"deepsel.cli", "deepsel.cache", "deepsel.engine.run"}),
        ("deepsel.estimate('Hi', models='gpt-6-luna')", HEAVY - {"tiktoken"} | {"deepsel.cli", "deepsel.engine.run"}),
    ],
)
def test_a_verb_loads_only_what_it_needs(code: str, forbidden: set[str]) -> None:
    """Each verb names what it must not load."""
    assert not loaded_by(f"import deepsel; {code}") & forbidden


def test_a_call_loads_no_command_line(home: Path, simulate: Callable[..., Any], profiles: Callable[..., Path]) -> None:
    """A request that is sent loads the HTTP library, and nothing that draws, reads options or simulates."""
    profiles(one=simulate(text="Hello."))
    loaded = loaded_by("import deepsel; deepsel.ask('Hi', cache=False)")
    assert {"httpx", "deepsel.providers.complete"} <= loaded
    assert not loaded & {"typer", "rich", "click", "diskcache", "jsonschema", "deepsel.cli", "deepsel.simulator", "deepsel.estimate"}


def test_the_one_line_of_the_documents_works(home: Path) -> None:
    """An empty home and no key are enough for the demo."""
    line = "import deepsel; print(deepsel.ask('hi', profile='demo').text)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, timeout=110)
    assert "simulated" in done.stdout
    assert done.stderr == ""
