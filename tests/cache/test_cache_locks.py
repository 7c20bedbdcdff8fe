"""Locks of keys: one holder at a time, freed in any case, on one machine and over Redis; and how a flight waits for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cache_support import FakeClock
from redis_support import RedisProcess

from deepsel.cache import LEASE_S, KeyLock, LockAttempt, RedisServer
from deepsel.cache.locks import IN_VAIN_S, FileLock
from deepsel.cache.redis_tier import LeaseLock
from deepsel.engine.single_flight import SingleFlight

Make = Callable[[str], KeyLock]


@pytest.fixture(params=["file", "lease"])
def lock_of(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    """Makes locks of either kind."""
    if request.param == "file":
        yield lambda key: FileLock(tmp_path / "locks", key, clock=clock)
        return
    server = RedisServer(request.getfixturevalue("redis").url, clock=clock)
    yield lambda key: LeaseLock(server, "n-team", key)
    server.close()


def test_one_at_a_time(lock_of: Make) -> None:
    """While one holds a key's lock no other can, other keys are free, and the next gets it afterwards."""
    first, second = lock_of("k1-a"), lock_of("k1-a")
    attempts = [lock.try_acquire() for lock in (first, second, lock_of("k1-b"))]
    assert attempts == [LockAttempt.HELD, LockAttempt.BUSY, LockAttempt.HELD]
    first.release(is_kept=True)
    assert second.try_acquire() is LockAttempt.HELD
    second.release(is_kept=True)
    second.release(is_kept=True)  # is harmless


def test_a_lock_in_vain_makes_nobody_wait(lock_of: Make, clock: FakeClock) -> None:
    """For a moment after a holder that kept nothing, waiting is no use."""
    clock.sleep(1000)
    first = lock_of("k1-a")
    first.try_acquire()
    first.release(is_kept=False)
    assert lock_of("k1-a").try_acquire() is LockAttempt.NO_USE


def test_the_moment_passes(tmp_path: Path, clock: FakeClock) -> None:
    """After the moment the key has locks again."""
    clock.sleep(1000)
    first, second = (FileLock(tmp_path, "k1-a", clock=clock) for _ in range(2))
    first.try_acquire()
    first.release(is_kept=False)
    clock.sleep(IN_VAIN_S)
    assert second.try_acquire() is LockAttempt.HELD
    second.release(is_kept=True)
    assert not (tmp_path / "k1-a").exists()


def test_a_removed_file_is_no_lock(tmp_path: Path, clock: FakeClock) -> None:
    """A lock whose file another holder has removed meanwhile is not held by two."""
    first, second, third = (FileLock(tmp_path, "k1-a", clock=clock) for _ in range(3))
    assert first.try_acquire() is LockAttempt.HELD
    (tmp_path / "k1-a").unlink()
    assert second.try_acquire() is LockAttempt.HELD  # somebody tidied up: that is one call too many, and no more
    first.release(is_kept=True)
    second.release(is_kept=True)
    assert third.try_acquire() is LockAttempt.HELD
    third.release(is_kept=True)


@pytest.mark.parametrize("content", [b"garbage", b"\xff" * 40, b"nan"])
def test_a_strange_file_stops_nobody(tmp_path: Path, clock: FakeClock, content: bytes) -> None:
    """What is not ours in a lock file is no reason to wait or to fail."""
    (tmp_path / "k1-a").write_bytes(content)
    assert FileLock(tmp_path, "k1-a", clock=clock).try_acquire() is not LockAttempt.BUSY


def test_where_no_file_can_be_made_nobody_waits(tmp_path: Path, clock: FakeClock) -> None:
    """A folder that cannot be made, or a link in place of the file, is no failure."""
    (tmp_path / "file").touch()
    assert FileLock(tmp_path / "file" / "locks", "k1-a", clock=clock).try_acquire() is LockAttempt.NO_USE
    (tmp_path / "k1-a").symlink_to(tmp_path / "file")
    assert FileLock(tmp_path, "k1-a", clock=clock).try_acquire() is LockAttempt.NO_USE


def test_a_lease_ends_by_itself(redis: RedisProcess, clock: FakeClock) -> None:
    """A lease has a life, so that a machine that dies frees the others; one that was lost is not taken from its new holder."""
    server = RedisServer(redis.url, clock=clock)
    first, second = (LeaseLock(server, "n-team", "k1-a") for _ in range(2))
    assert first.try_acquire() is LockAttempt.HELD
    name = redis.client.keys("*:turn:*")[0]
    assert 0 < redis.client.pttl(name) <= 6000
    redis.client.delete(name)
    assert second.try_acquire() is LockAttempt.HELD
    first.release(is_kept=True)
    assert redis.client.exists(name)
    second.release(is_kept=True)
    assert not redis.client.exists(name)
    server.close()


def test_folders_are_private(tmp_path: Path, clock: FakeClock) -> None:
    """The lock is often the first thing that is made: the cache's folder is its owner's from then on."""
    lock = FileLock(tmp_path / "answers" / "locks", "k1-a", clock=clock)
    assert lock.try_acquire() is LockAttempt.HELD
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "answers", *sorted((tmp_path / "answers").rglob("*")))]
    assert modes == [0o700, 0o700, 0o600]
    lock.release(is_kept=True)


class FakeLock:
    """Is busy, or stopped, until an instant of the clock, then gives its outcome."""

    def __init__(
        self, clock: FakeClock, until_s: float, then: LockAttempt = LockAttempt.HELD, *, before: LockAttempt = LockAttempt.BUSY
    ) -> None:
        self.clock, self.until_s, self.then, self.before = clock, until_s, then, before
        self.left: list[bool] = []

    def try_acquire(self) -> LockAttempt:
        return self.then if self.clock.seconds >= self.until_s else self.before

    def renew(self) -> None:
        """Give no sign: the test is over before one is due."""

    def release(self, *, is_kept: bool) -> None:
        self.left.append(is_kept)


FREE, NEVER = 0.0, float("inf")


def test_a_flight_takes_locks_in_order_and_gives_all_back(clock: FakeClock) -> None:
    """A flight waits for each lock, stops at one that is no use, and lands what it holds, once."""
    locks = [FakeLock(clock, 0.02), FakeLock(clock, FREE), FakeLock(clock, 0.05, LockAttempt.NO_USE), FakeLock(clock, FREE)]
    flight = SingleFlight(clock, started_s=0, timeout_s=20)
    assert flight.acquire(lambda number, lock=lock: lock for lock in locks)
    flight.release(is_kept=True)
    flight.release(is_kept=False)
    assert [lock.left for lock in locks] == [[True], [True], [], []]
    assert 0 < clock.seconds < 0.1


@pytest.mark.parametrize(("taken", "after_s"), [(1, 5.0), (2, 7.5), (3, 8.75)])
def test_a_slow_one_is_overtaken_by_one_at_a_time(clock: FakeClock, taken: int, after_s: float) -> None:
    """Each place opens after half of the time that was left: the next one is for one of those who wait, not for all."""
    row = [FakeLock(clock, NEVER) for _ in range(taken)] + [FakeLock(clock, FREE) for _ in range(5)]
    flight = SingleFlight(clock, started_s=0, timeout_s=10)
    assert flight.acquire([row.__getitem__])
    assert clock.seconds == pytest.approx(after_s, abs=0.11)
    flight.release(is_kept=True)
    assert [bool(lock.left) for lock in row] == [number == taken for number in range(len(row))]


def test_where_all_are_slow_the_time_ends(clock: FakeClock) -> None:
    """Who gets no place in his time asks nobody: of any number of requests only four ask at once."""
    row = [FakeLock(clock, NEVER) for _ in range(10)]
    flight = SingleFlight(clock, started_s=0, timeout_s=10)
    assert not flight.acquire([row.__getitem__])
    assert clock.seconds == pytest.approx(10)


def test_stopped_ones_keep_nobody(clock: FakeClock) -> None:
    """A row of stopped holders is passed at once, however long it is, but not the living one behind it."""
    row = [FakeLock(clock, NEVER, before=LockAttempt.STOPPED) for _ in range(9)]
    row += [FakeLock(clock, 3), FakeLock(clock, FREE)]
    flight = SingleFlight(clock, started_s=0, timeout_s=100)
    assert flight.acquire([row.__getitem__])
    assert clock.seconds == pytest.approx(3, abs=0.2)
    flight.release(is_kept=True)
    assert row[9].left == [True]


def test_a_holder_without_a_sign_of_life_is_stopped(tmp_path: Path, clock: FakeClock) -> None:
    """A file lock is passed when its holder has not touched it for the time of a lease, and respected when he does again."""
    held, other = (FileLock(tmp_path, "k1-a", clock=clock) for _ in range(2))
    assert held.try_acquire() is LockAttempt.HELD
    found = []
    for _ in range(4):
        found.append(other.try_acquire())
        clock.sleep(LEASE_S / 2)
    os.utime(tmp_path / "k1-a", (1, 1))
    held.renew()
    found.append(other.try_acquire())
    assert found == [LockAttempt.BUSY] * 2 + [LockAttempt.STOPPED] * 2 + [LockAttempt.BUSY]
    held.release(is_kept=True)
    assert other.try_acquire() is LockAttempt.HELD
    other.release(is_kept=True)


def test_who_comes_back_removes_only_his_own_file(tmp_path: Path, clock: FakeClock) -> None:
    """A holder whose file was replaced meanwhile leaves that of the next one alone."""
    first, second = (FileLock(tmp_path, "k1-a", clock=clock) for _ in range(2))
    assert first.try_acquire() is LockAttempt.HELD
    (tmp_path / "k1-a").unlink()
    assert second.try_acquire() is LockAttempt.HELD
    first.release(is_kept=True)
    assert (tmp_path / "k1-a").exists()
    second.release(is_kept=True)
    assert not (tmp_path / "k1-a").exists()
