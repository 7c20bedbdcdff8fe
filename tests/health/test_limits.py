"""Rate limits that all processes share: deadlines only grow, and the last calls are counted down once each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deepsel.health import limits
from deepsel.health.cooldowns import Endpoint
from deepsel.health.database import Database

NOW = 1_800_000_000.0
HERE = Endpoint("openai", "gpt-6-luna")


def test_a_shorter_deadline_never_replaces_a_longer_one(tmp_path: Path) -> None:
    """Of two waits the later end holds, for every process that reads."""
    limits.close_until(Database(tmp_path), HERE, NOW + 60)
    limits.close_until(Database(tmp_path), HERE, NOW + 5)
    assert limits.read_limits(Database(tmp_path), [HERE])[HERE].opens_at(NOW) == NOW + 60


def test_the_last_calls_are_taken_once_each(tmp_path: Path) -> None:
    """Of twenty who want one of three calls left, three get one; the others wait for the reset."""
    database = Database(tmp_path)
    limits.tell_left(database, HERE, 3, NOW + 30)
    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(lambda _: limits.take_one(database, HERE, at=NOW), range(20)))
    assert sum(taken) == 3
    limit = limits.read_limits(database, [HERE])[HERE]
    assert limit.opens_at(NOW) == NOW + 30
    assert limit.opens_at(NOW + 31) <= NOW + 31, "after the reset nothing holds it back"


def test_nothing_known_holds_nothing_back(tmp_path: Path) -> None:
    """Without a file, and for an endpoint that never said anything, the gate is open."""
    assert limits.read_limits(Database(tmp_path / "never"), [HERE]) == {}
    limits.close_until(Database(tmp_path), Endpoint("other", "model"), NOW + 60)
    assert limits.read_limits(Database(tmp_path), [HERE])[HERE].opens_at(NOW) == 0
