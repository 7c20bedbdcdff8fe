"""kill -9 at any moment: nothing completed is lost, nothing is damaged, nothing stays locked."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cache_support import make_answer

from deepsel.cache import Cache, LockAttempt, upkeep
from deepsel.clock import SystemClock
from deepsel.config import CacheSettings

PROCESSES, WRITES = 8, 500
WRITER = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from cache_support import make_answer
from deepsel.cache import Cache
from deepsel.clock import SystemClock
from deepsel.config import CacheSettings

cache = Cache(Path(sys.argv[3]), CacheSettings(memory_entries=0), clock=SystemClock())
for number in map(int, sys.argv[4:]):
    key, answer = make_answer(f"prompt {number}", "text " * 200)
    lock = next(cache.locks_of(key))(0)
    lock.try_acquire()
    stored = cache.put(key, answer)
    assert stored, stored.notices
    print(number, flush=True)
    lock.release(is_kept=True)
"""


def write_and_die(folder: Path, share: list[int], lives_for: int) -> tuple[set[int], bool]:
    """Let one process write, and kill it when it has completed so many writes; return what it completed, and whether it died."""
    root, support = Path(__file__).parents[2], Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, root, support, folder, *map(str, share)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        completed = {int(process.stdout.readline()) for _ in range(lives_for)}
        process.kill()  # somewhere within its next writes
        completed.update(int(line) for line in process.stdout.read().split("\n") if line)
    return completed, process.wait(timeout=60) == -signal.SIGKILL


def test_kill_9_loses_and_damages_nothing(tmp_path: Path) -> None:
    """8 processes make 500 writes and are killed at random moments, with others put in their place, until all is written."""
    folder = tmp_path / "answers"
    chance = random.Random(7)
    shares = [list(range(first, WRITES, PROCESSES)) for first in range(PROCESSES)]
    completed: set[int] = set()
    killed = 0
    with ThreadPoolExecutor(PROCESSES) as pool:
        while any(shares):
            lives = [chance.randrange(1, len(share) // 2 + 2) for share in shares if share]
            for done, is_dead in pool.map(partial(write_and_die, folder), filter(None, shares), lives):
                completed |= done
                killed += is_dead
            shares = [[number for number in share if number not in completed] for share in shares]
    assert killed >= PROCESSES
    assert completed == set(range(WRITES))
    with Cache(folder, CacheSettings(memory_entries=0), clock=SystemClock()) as cache:
        for number in range(WRITES):
            key, answer = make_answer(f"prompt {number}", "text " * 200)
            found = cache.get(key)
            assert found.answer is not None, number
            assert found.answer.text == answer.text
            lock = next(cache.locks_of(key))(0)
            assert lock.try_acquire() is LockAttempt.HELD
            lock.release(is_kept=True)
        assert upkeep.verify(cache, repairs=False) == upkeep.Verdict(WRITES, (), is_repaired=False)
        assert upkeep.prune(cache, clock=SystemClock()) == (0, 0)


def test_a_killed_process_holds_no_lock(tmp_path: Path, open_cache: Callable[..., Cache]) -> None:
    """The kernel frees the lock of a process that was killed; the file it leaves is removed by `prune`."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from deepsel.cache import Cache; from deepsel.clock import SystemClock\n"
        "from deepsel.config import CacheSettings\n"
        "lock = next(Cache(Path(sys.argv[1]), CacheSettings(), clock=SystemClock()).locks_of('k1-a'))(0); lock.try_acquire()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "answers"], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    cache = open_cache(tmp_path / "answers")
    assert [path.name for path in cache.locks_folder.iterdir()] == ["k1-a"]
    assert upkeep.prune(cache, clock=SystemClock()) == (0, 1)
    assert next(cache.locks_of("k1-a"))(0).try_acquire() is LockAttempt.HELD
