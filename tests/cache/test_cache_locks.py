"""Locks of keys: one holder at a time, freed in any case, on one machine and over Redis; and how a flight waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cache_support import FakeClock
from redis_support import RedisProcess

from deepsel.cache import KeyLock, LockAttempt, RedisServer
from deepsel.cache.locks import IN_VAIN_S, FileLock
from deepsel.cache.redis_tier import LeaseLock
from deepsel.engine.single_flight import SingleFlight

Make = Callable[[str], KeyLock]


@pytest.fixture(params=["file", "lease"])
def lock_of(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    """Makes locks of either kind."""
    if request.param == "file":
        yield lambda key: FileLock(tmp_path / "locks", key, now_s=clock.monotonic)
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
    first, second = (FileLock(tmp_path, "k1-a", now_s=clock.monotonic) for _ in range(2))
    first.try_acquire()
    first.release(is_kept=False)
    clock.sleep(IN_VAIN_S)
    assert second.try_acquire() is LockAttempt.HELD
    second.release(is_kept=True)
    assert not (tmp_path / "k1-a").exists()


def test_a_removed_file_is_no_lock(tmp_path: Path, clock: FakeClock) -> None:
    """A lock whose file another holder has removed meanwhile is not held by two."""
    first, second, third = (FileLock(tmp_path, "k1-a", now_s=clock.monotonic) for _ in range(3))
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
    assert FileLock(tmp_path, "k1-a", now_s=clock.monotonic).try_acquire() is not LockAttempt.BUSY


def test_where_no_file_can_be_made_nobody_waits(tmp_path: Path, clock: FakeClock) -> None:
    """A folder that cannot be made, or a link in place of the file, is no failure."""
    (tmp_path / "file").touch()
    assert FileLock(tmp_path / "file" / "locks", "k1-a", now_s=clock.monotonic).try_acquire() is LockAttempt.NO_USE
    (tmp_path / "k1-a").symlink_to(tmp_path / "file")
    assert FileLock(tmp_path, "k1-a", now_s=clock.monotonic).try_acquire() is LockAttempt.NO_USE


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
    lock = FileLock(tmp_path / "answers" / "locks", "k1-a", now_s=clock.monotonic)
    assert lock.try_acquire() is LockAttempt.HELD
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "answers", *sorted((tmp_path / "answers").rglob("*")))]
    assert modes == [0o700, 0o700, 0o600]
    lock.release(is_kept=True)


class FakeLock:
    """Is busy some times, then gives its outcome."""

    def __init__(self, busy: int, then: LockAttempt) -> None:
        self.busy, self.then = busy, then
        self.left: list[bool] = []

    def try_acquire(self) -> LockAttempt:
        self.busy -= 1
        return LockAttempt.BUSY if self.busy >= 0 else self.then

    def release(self, *, is_kept: bool) -> None:
        self.left.append(is_kept)


def test_a_flight_takes_locks_in_order_and_gives_all_back(clock: FakeClock) -> None:
    """A flight waits for each lock, stops at one that is no use, and lands what it holds, once."""
    locks = [FakeLock(3, LockAttempt.HELD), FakeLock(0, LockAttempt.HELD), FakeLock(1, LockAttempt.NO_USE), FakeLock(0, LockAttempt.HELD)]
    flight = SingleFlight(clock, deadline=10)
    flight.acquire(locks)
    flight.release(is_kept=True)
    flight.release(is_kept=False)
    assert [lock.left for lock in locks] == [[True], [True], [], []]
    assert 0 < clock.seconds < 0.1


def test_a_flight_waits_until_its_deadline(clock: FakeClock) -> None:
    """A lock that stays busy is waited for until the deadline and not a moment longer."""
    lock = FakeLock(10_000, LockAttempt.HELD)
    flight = SingleFlight(clock, deadline=5)
    flight.acquire([lock])
    assert clock.seconds == pytest.approx(5)
    assert lock.left == []
