"""Caches on a folder of the test's own, with a clock that only the test moves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deepsel.cache import Cache
from deepsel.config import CacheSettings

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode leaves the helpers' folder out

from cache_support import FakeClock
from redis_support import RedisProcess


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache" / "answers"


@pytest.fixture
def open_cache(folder: Path, clock: FakeClock) -> Iterator[Callable[..., Cache]]:
    """Opens caches on one folder and closes them after the test."""
    opened: list[Cache] = []

    def make(path: Path = folder, **settings: Any) -> Cache:
        given = {name: settings.pop(name) for name in ("server", "own_accounts") if name in settings}
        cache = Cache(path, CacheSettings(**{"memory_entries": 0, **settings}), clock=clock, **given)
        opened.append(cache)
        return cache

    yield make
    for cache in opened:
        cache.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis server of the test's own."""
    server = RedisProcess(tmp_path)
    yield server
    server.stop()
