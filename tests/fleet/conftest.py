"""What the tests of a fleet stand on: a real Redis server, and the helpers that start one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cache"))  # pytest's importlib mode leaves the helpers' folder out

from redis_support import RedisProcess


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis server of the test's own."""
    server = RedisProcess(tmp_path)
    yield server
    server.stop()
