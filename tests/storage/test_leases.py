"""Places that processes share: never more than there are, and free again however their process ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deepsel.engine.limiter import Limiter
from deepsel.storage.leases import Leases, give_back
from deepsel.values import Provider

HOLD = (
    "import sys, time\nfrom pathlib import Path\nfrom deepsel.storage.leases import Leases\n"
    "place = Leases(Path(sys.argv[1])).take('host', 1)\nprint(place is not None, flush=True)\ntime.sleep(60)\n"
)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the only place."""
    made = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert made.stdout is not None
    assert made.stdout.readline() == "True\n"
    yield made
    made.kill()
    made.wait()
    made.stdout.close()


def test_no_more_than_there_are(tmp_path: Path) -> None:
    """Of so many places each is taken once, a name at a time, and is free again when it is given back."""
    leases = Leases(tmp_path / "made")
    first, second = leases.take("host", 2), leases.take("host", 2)
    assert first is not None
    assert second is not None
    assert leases.take("host", 2) is None
    other = leases.take("another", 2)
    assert other is not None
    give_back(first)
    again = leases.take("host", 2)
    assert again is not None
    for place in (second, other, again):
        give_back(place)


def test_a_process_that_is_killed_gives_its_place_back(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """What another process holds is taken, until it ends, be it by SIGKILL."""
    leases = Leases(tmp_path)
    assert leases.take("host", 1) is None
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    place = leases.take("host", 1)
    assert place is not None
    give_back(place)


class CountedClock:
    """A clock on which time passes by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_a_place_is_waited_for_as_long_as_there_is_time(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """Nobody presses and nobody waits longer than the request may: looks become seldom, and end with the time."""
    clock = CountedClock()
    slots = Limiter(tmp_path, clock)  # type: ignore[arg-type]  # nobody asks for the time of day
    host = Provider(name="host", wire="openai-chat", base_url="", max_concurrency=1)
    name = f"{host.name} {host.base_url}"
    place = Leases(tmp_path).take(name, 1)
    assert place is not None
    with slots.taken(host, timeout_s=5.0) as is_taken:
        assert not is_taken
    assert 4.0 < sum(clock.slept) <= 5.0
    assert max(clock.slept) <= 0.25
    give_back(place)
    with slots.taken(host, timeout_s=0.0) as is_taken:
        assert is_taken
        assert Leases(tmp_path).take(name, 1) is None


def test_a_folder_that_cannot_be_used_holds_nobody_up(tmp_path: Path) -> None:
    """Where places cannot be shared, each process keeps to the limit by itself."""
    (tmp_path / "file").write_text("no folder")
    slots = Limiter(tmp_path / "file")
    host = Provider(name="host", wire="openai-chat", base_url="", max_concurrency=2)
    with ThreadPoolExecutor(1) as pool, slots.taken(host, timeout_s=1.0) as first, slots.taken(host, timeout_s=1.0) as second:

        def third() -> bool:
            with slots.taken(host, timeout_s=0.0) as is_taken:
                return is_taken

        assert (first, second, pool.submit(third).result()) == (True, True, False)
