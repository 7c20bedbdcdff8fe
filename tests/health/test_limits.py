"""Rate limits that all processes share: deadlines only grow, and the last calls are counted down once each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deepsel.health.endpoint import Endpoint
from deepsel.health.limits import Limit
from deepsel.health.sqlite_state import SqliteState

NOW = 1_800_000_000.0
HERE = Endpoint("openai", "gpt-6-luna")


def _limit(state: SqliteState) -> Limit:
    found, notices = state.limits([HERE])
    assert notices == ()
    return (found or {})[HERE]


def test_a_shorter_deadline_never_replaces_a_longer_one(tmp_path: Path) -> None:
    """Of two waits the later end holds, for every process that reads."""
    SqliteState(tmp_path).close_until(HERE, NOW + 60)
    SqliteState(tmp_path).close_until(HERE, NOW + 5)
    assert _limit(SqliteState(tmp_path)).opens_at(NOW) == NOW + 60


def test_the_last_calls_are_taken_once_each(tmp_path: Path) -> None:
    """Of twenty who want one of three calls left, three get one; the others wait for the reset."""
    state = SqliteState(tmp_path)
    state.tell_left(HERE, 3, NOW + 30)
    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(lambda _: state.take_one(HERE, at=NOW).value, range(20)))
    assert taken.count(True) == 3
    limit = _limit(state)
    assert limit.opens_at(NOW) == NOW + 30
    assert limit.opens_at(NOW + 31) <= NOW + 31, "after the reset nothing holds it back"


def test_nothing_known_holds_nothing_back(tmp_path: Path) -> None:
    """Without a file, and for an endpoint that never said anything, the gate is open."""
    assert SqliteState(tmp_path / "never").limits([HERE]) == ({}, ())
    SqliteState(tmp_path).close_until(Endpoint("other", "model"), NOW + 60)
    assert _limit(SqliteState(tmp_path)).opens_at(NOW) == 0


@pytest.mark.parametrize("ahead_s", [86_400.0, 30 * 86_400.0, float("inf")])
def test_a_wait_of_a_clock_that_ran_ahead_is_not_believed(tmp_path: Path, ahead_s: float) -> None:
    """No wait is shared for more than an hour: what ends later holds nobody back, and hides no wait that is told after it."""
    state = SqliteState(tmp_path)
    state.close_until(HERE, NOW + ahead_s)
    state.tell_left(HERE, 0, NOW + ahead_s)
    assert _limit(state).opens_at(NOW) <= NOW
    state.close_until(HERE, NOW + 60)
    assert _limit(state).opens_at(NOW) == NOW + 60
