"""Turns: one holder at a time, freed in any case, on one machine and over Redis; and how a flight waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cache_support import FakeClock
from redis_support import RedisProcess

from deepsel.cache import RedisServer, Taken, Turn
from deepsel.cache.redis_tier import LeaseTurn
from deepsel.cache.turns import IN_VAIN_S, FileTurn
from deepsel.engine.flight import Flight

Make = Callable[[str], Turn]


@pytest.fixture(params=["file", "lease"])
def turn_of(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    """Makes turns of either kind."""
    if request.param == "file":
        yield lambda key: FileTurn(tmp_path / "turns", key, now_s=clock.monotonic)
        return
    server = RedisServer(request.getfixturevalue("redis").url, clock=clock)
    yield lambda key: LeaseTurn(server, "n-team", key)
    server.close()


def test_one_at_a_time(turn_of: Make) -> None:
    """While one holds a key's turn no other can, other keys are free, and the next gets it afterwards."""
    first, second = turn_of("k1-a"), turn_of("k1-a")
    assert (first.take(), second.take(), turn_of("k1-b").take()) == (Taken.MINE, Taken.BUSY, Taken.MINE)
    first.leave(is_kept=True)
    assert second.take() is Taken.MINE
    second.leave(is_kept=True)
    second.leave(is_kept=True)  # is harmless


def test_a_turn_in_vain_makes_nobody_wait(turn_of: Make, clock: FakeClock) -> None:
    """For a moment after a holder that kept nothing, waiting is no use."""
    clock.sleep(1000)
    first = turn_of("k1-a")
    first.take()
    first.leave(is_kept=False)
    assert turn_of("k1-a").take() is Taken.NO_USE


def test_the_moment_passes(tmp_path: Path, clock: FakeClock) -> None:
    """After the moment the key has turns again."""
    clock.sleep(1000)
    first, second = (FileTurn(tmp_path, "k1-a", now_s=clock.monotonic) for _ in range(2))
    first.take()
    first.leave(is_kept=False)
    clock.sleep(IN_VAIN_S)
    assert second.take() is Taken.MINE
    second.leave(is_kept=True)
    assert not (tmp_path / "k1-a").exists()


def test_a_removed_file_is_no_turn(tmp_path: Path, clock: FakeClock) -> None:
    """A turn whose file another holder has removed meanwhile is not held by two."""
    first, second, third = (FileTurn(tmp_path, "k1-a", now_s=clock.monotonic) for _ in range(3))
    assert first.take() is Taken.MINE
    (tmp_path / "k1-a").unlink()
    assert second.take() is Taken.MINE  # somebody tidied up: that is one call too many, and no more
    first.leave(is_kept=True)
    second.leave(is_kept=True)
    assert third.take() is Taken.MINE
    third.leave(is_kept=True)


@pytest.mark.parametrize("content", [b"garbage", b"\xff" * 40, b"nan"])
def test_a_strange_file_stops_nobody(tmp_path: Path, clock: FakeClock, content: bytes) -> None:
    """What is not ours in a lock file is no reason to wait or to fail."""
    (tmp_path / "k1-a").write_bytes(content)
    assert FileTurn(tmp_path, "k1-a", now_s=clock.monotonic).take() is not Taken.BUSY


def test_where_no_file_can_be_made_nobody_waits(tmp_path: Path, clock: FakeClock) -> None:
    """A folder that cannot be made, or a link in place of the file, is no failure."""
    (tmp_path / "file").touch()
    assert FileTurn(tmp_path / "file" / "turns", "k1-a", now_s=clock.monotonic).take() is Taken.NO_USE
    (tmp_path / "k1-a").symlink_to(tmp_path / "file")
    assert FileTurn(tmp_path, "k1-a", now_s=clock.monotonic).take() is Taken.NO_USE


def test_a_lease_ends_by_itself(redis: RedisProcess, clock: FakeClock) -> None:
    """A lease has a life, so that a machine that dies frees the others; one that was lost is not taken from its new holder."""
    server = RedisServer(redis.url, clock=clock)
    first, second = (LeaseTurn(server, "n-team", "k1-a") for _ in range(2))
    assert first.take() is Taken.MINE
    name = redis.client.keys("*:turn:*")[0]
    assert 0 < redis.client.pttl(name) <= 6000
    redis.client.delete(name)
    assert second.take() is Taken.MINE
    first.leave(is_kept=True)
    assert redis.client.exists(name)
    second.leave(is_kept=True)
    assert not redis.client.exists(name)
    server.close()


def test_folders_are_private(tmp_path: Path, clock: FakeClock) -> None:
    """The lock is often the first thing that is made: the cache's folder is its owner's from then on."""
    turn = FileTurn(tmp_path / "answers" / "turns", "k1-a", now_s=clock.monotonic)
    assert turn.take() is Taken.MINE
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "answers", *sorted((tmp_path / "answers").rglob("*")))]
    assert modes == [0o700, 0o700, 0o600]
    turn.leave(is_kept=True)


class FakeTurn:
    """Is busy some times, then gives its outcome."""

    def __init__(self, busy: int, then: Taken) -> None:
        self.busy, self.then = busy, then
        self.left: list[bool] = []

    def take(self) -> Taken:
        self.busy -= 1
        return Taken.BUSY if self.busy >= 0 else self.then

    def leave(self, *, is_kept: bool) -> None:
        self.left.append(is_kept)


def test_a_flight_takes_turns_in_order_and_gives_all_back(clock: FakeClock) -> None:
    """A flight waits for each turn, stops at one that is no use, and lands what it holds, once."""
    turns = [FakeTurn(3, Taken.MINE), FakeTurn(0, Taken.MINE), FakeTurn(1, Taken.NO_USE), FakeTurn(0, Taken.MINE)]
    flight = Flight(clock, deadline=10)
    flight.board(turns)
    flight.land(is_kept=True)
    flight.land(is_kept=False)
    assert [turn.left for turn in turns] == [[True], [True], [], []]
    assert 0 < clock.seconds < 0.1


def test_a_flight_waits_until_its_deadline(clock: FakeClock) -> None:
    """A turn that stays busy is waited for until the deadline and not a moment longer."""
    turn = FakeTurn(10_000, Taken.MINE)
    flight = Flight(clock, deadline=5)
    flight.board([turn])
    assert clock.seconds == pytest.approx(5)
    assert turn.left == []
