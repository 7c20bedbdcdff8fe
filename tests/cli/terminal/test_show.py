"""What a reader of the engine's events is told of besides the text."""

from __future__ import annotations

import pytest

from deepsel.cli.terminal.show import Reader
from deepsel.engine.events import AttemptStarted, Waiting


@pytest.mark.parametrize(("tells", "lines"), [(True, ["waiting for one: it is not up"]), (False, [])])
def test_waits_that_grow_long_are_told_of_once(capsys: pytest.CaptureFixture[str], tells: bool, lines: list[str]) -> None:
    """Short waits together are a long one; whoever sees no status line is told of it, once; nothing goes to stdout."""
    with Reader(None, None, tells_waits=tells) as reader:
        for seconds in (0.5, 1.0, 1.4):
            reader.take(AttemptStarted("host", "one", 1))
            reader.take(Waiting(seconds, "one", "it is not up"))
        assert capsys.readouterr() == ("", "")
        reader.take(Waiting(0.2, "one", "it is not up"))
        reader.take(Waiting(9.0, "one", "it is not up"))
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", lines)
