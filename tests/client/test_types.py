"""What a type checker sees: a user's program in strict mode, right lines accepted and wrong ones refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = '''\
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import deepsel
from deepsel import Answer, Client, Event, IncompleteError, Report, TextDelta

assert_type(deepsel.ask("Hi"), Answer)
assert_type(deepsel.ask("Hi", model=["one", "two"], max_cost_usd=0.01, cache=False).text, str)
assert_type(deepsel.price("one", input_tokens=1, output_tokens=1), Decimal)
assert_type(deepsel.score("Hi"), float)
assert_type(deepsel.estimate(["Hi", Path("x")], models="one"), Report)
assert_type(deepsel.estimate("Hi").totals[0].total_usd, Decimal | None)

pieces: Iterator[Event] = deepsel.stream("Hi")
for piece in pieces:
    if isinstance(piece, TextDelta):
        print(piece.text)
stream = deepsel.stream("Hi")
assert_type(stream.answer, Answer)

with Client(profile="demo", env={}, config="profiles.toml") as client:
    assert_type(client, Client)
    assert_type(client.ask("Hi", schema={"type": "object"}).cost_usd, Decimal | None)
    with client.stream("Hi") as opened:
        assert_type(next(opened), Event)
try:
    client.ask("Hi")
except IncompleteError as error:
    print(error.answer.text, error.hint, error.exit_code)

deepsel.ask("Hi", modle="one")  # type: ignore[call-arg]
deepsel.ask("Hi", max_tokens="many")  # type: ignore[arg-type]
deepsel.ask()  # type: ignore[call-arg]
deepsel.nonsense  # type: ignore[attr-defined]
deepsel.price("one", 1, 1)  # type: ignore[call-arg]
'''


@pytest.mark.timeout(600)
def test_a_users_program_is_checked(tmp_path: Path) -> None:
    """Signatures and values are seen through `import deepsel`, and each wrong line is refused: an unused ignore is an error."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=590,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
