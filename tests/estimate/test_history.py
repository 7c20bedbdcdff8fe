"""How long the user's own answers of a task usually are, from the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median_high
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.estimate.history import HISTORY_DAYS, usual_answer
from deepsel.health.log import Observation
from deepsel.health.sqlite_state import SqliteState

NOW_S = 1_790_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SqliteState]:
    """An empty log."""
    with SqliteState(tmp_path) as opened:
        yield opened


def _answer(tokens: int | None, *, task: str, days: float = 1.0, outcome: str = "ok") -> Observation:
    return Observation(
        at=NOW_S - 86_400 * days, profile="p", provider="a", model="m", task=task, outcome=outcome, output_tokens=tokens
    )


@settings(max_examples=20)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_it_is_the_median(lengths: list[int]) -> None:
    """The usual length is the median of all answers of the task, whatever their order, and says of how many."""
    with TemporaryDirectory() as folder, SqliteState(Path(folder)) as state:
        state.add([_answer(tokens, task="code") for tokens in lengths])
        assert usual_answer(state, "code", at_s=NOW_S) == (median_high(lengths), len(lengths))


def test_only_answers_of_the_task_and_the_time_count(state: SqliteState) -> None:
    """Failures, other tasks, unknown lengths and what is older than the days are left out; None where nothing is left."""
    state.add(
        [
            _answer(1, task="code", outcome="failed"),
            _answer(2, task="chat"),
            _answer(None, task="code"),
            _answer(3, task="code", days=HISTORY_DAYS + 1),
        ]
    )
    assert usual_answer(state, "code", at_s=NOW_S) is None
    state.add([_answer(4, task="code", days=HISTORY_DAYS - 1)])
    assert usual_answer(state, "code", at_s=NOW_S) == (4, 1)
