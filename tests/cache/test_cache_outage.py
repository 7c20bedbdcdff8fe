"""A thousand asks while their Redis server stops, comes back, goes deaf, and is full."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from asking_support import KEY, Asker
from redis_support import RedisProcess

from deepsel.cache import Cache, RedisServer
from deepsel.clock import SystemClock
from deepsel.config import CacheSettings
from deepsel.health.sqlite_state import SqliteState
from deepsel.values import Finish, FinishReport, TextDelta, Usage, UsageReport, WireEvent

ASKS = 1000
TIMEOUT_S = 1.0


class AgeingClock(SystemClock):
    """The real clock, ahead by as much as was passed over, so that a server's rest ends while we ask."""

    ahead_s = 0.0

    def now(self) -> datetime:
        return super().now()

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


class TimedServer(RedisServer):
    """Adds up what is lost to the server, and counts failures that had to be waited for."""

    lost_s = 0.0

    def call(self, action: Any, patience: Any = None) -> Any:
        began_s = time.perf_counter()
        try:
            return super().call(action, patience)
        finally:
            self.lost_s += time.perf_counter() - began_s


def answered(*_: Any, **__: Any) -> Iterator[WireEvent]:
    """A provider that answers at once: here only the cache is of interest."""
    yield TextDelta("The answer.")
    yield UsageReport(Usage(input_uncached=3, output_visible=3))
    yield FinishReport(Finish.COMPLETE, "stop")


def test_every_ask_is_answered(tmp_path: Path, redis: RedisProcess) -> None:
    """Each of 1,000 asks is answered whatever the server does, none loses more than the bound, and one warning is given."""
    clock = AgeingClock()
    server = TimedServer(redis.url, clock=clock, timeout_s=TIMEOUT_S)
    asker = Asker(tmp_path, "http://127.0.0.1:1/v1", clock=clock)
    asker.cache.close()
    cache = Cache(tmp_path / "cache", CacheSettings(memory_entries=0, disk=False), clock=clock, server=server)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "none").touch()
    no_state = SqliteState(tmp_path / "cache" / "none")  # a file: this test is not about the state, which costs most
    asker.resources = asker.resources._replace(cache=cache, stream=answered, state=no_state)
    trouble = {
        100: redis.stop,
        250: redis.start,
        400: redis.pause,
        550: redis.resume,
        700: lambda: redis.client.config_set("maxmemory", 1),
        850: lambda: redis.client.config_set("maxmemory", 0),
    }
    statuses, losses, warnings = [], [], []
    for number in range(ASKS):
        trouble.get(number, bool)()
        clock.ahead_s += 0.2  # a rest of 10 s lasts 50 asks
        before_s = server.lost_s
        answer = asker.ask(f"Question {number}?")
        losses.append(server.lost_s - before_s)
        assert answer.text == "The answer."
        statuses.append(answer.cache.status)
        warnings += answer.warnings
    asker.close()
    cache.close()
    assert [warning.code for warning in warnings].count("shared_cache_unavailable") == 1
    assert KEY.reveal() not in str(warnings)
    # A socket's time-out is half the bound; a busy machine may wake us late, but never by as much again.
    assert max(losses) < 2 * TIMEOUT_S
    assert sum(loss > TIMEOUT_S / 4 for loss in losses[400:550]) <= 150 / 50 + 1
    for first, last, status in [(0, 100, "stored"), (310, 400, "stored"), (610, 700, "stored"), (860, 1000, "stored")]:
        assert set(statuses[first:last]) == {status}
    for first, last in [(100, 250), (400, 550), (700, 850)]:
        assert set(statuses[first:last]) == {"miss"}


def test_each_request_is_told_what_happened_to_it(tmp_path: Path) -> None:
    """Every request that cannot read or write what is shared says so, once; the cache's trouble is told to the first that met it."""
    (tmp_path / "data").write_text("a file in place of the folder")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cache.db").write_bytes(b"garbage " * 1000)
    asker = Asker(tmp_path, "http://127.0.0.1:1/v1", clock=SystemClock())
    asker.cache.close()
    cache = Cache(tmp_path / "cache", CacheSettings(memory_entries=0), clock=SystemClock())
    asker.resources = asker.resources._replace(cache=cache, stream=answered)
    told = [sorted(one.code for one in asker.ask(f"Question {number}?").warnings) for number in range(3)]
    asker.close()
    cache.close()
    assert told == [["cache_unavailable", "log_unavailable"], ["log_unavailable"], ["log_unavailable"]]
