"""Jobs on several processes: few wait at a time, none is lost, and no process is left behind however the work ends."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Semaphore

import pytest

from deepsel.estimate.reading import count, workers
from deepsel.estimate.reading.count import Counter, Measure

ROOT = Path(__file__).parents[3]
ENDLESS = (
    "import os, sys\nfrom deepsel.estimate.reading.read import read\nfrom deepsel.estimate.records import Targets\n"
    "read(['-'], targets=Targets(('o200k_base', 'deepseek')), processes=2, stdin=sys.stdin.buffer,\n"
    "     on_progress=lambda step: print(os.getpid(), flush=True))\n"
)


def _one(size: int) -> Measure:
    return Measure(requests=size)


def _fail() -> Measure:
    raise MemoryError


def _die(parent: int) -> Measure:
    """Kill the process that does this job, unless it is the one that gave it."""
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return Measure(requests=1)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every job a batch of its own, given to another process from the first one on."""
    monkeypatch.setattr(count, "_BATCH_BYTES", 1)
    monkeypatch.setattr(count, "_ALONE_BYTES", 0)


def _run(code: str) -> str:
    """Run code in a process of one thread, where forking is safe."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=100, check=True)
    return done.stdout


@pytest.mark.usefixtures("at_once")
def test_sums_are_those_of_all_jobs() -> None:
    """What many jobs measure is added up, each to its own target, in order."""
    targets = [Measure(), Measure()]
    with Counter([], processes=2) as counter:
        for size in range(100):
            counter.submit(targets[size % 2], partial(_one, size), 1)
        counter.drain()
    assert [target.requests for target in targets] == [sum(range(0, 100, 2)), sum(range(1, 100, 2))]


@pytest.mark.usefixtures("at_once")
def test_few_jobs_wait_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much there is to do, only a few jobs are held: memory does not grow with the input."""
    monkeypatch.setattr(workers, "_executor", ThreadPoolExecutor)
    running = Semaphore(0)

    def job() -> Measure:
        running.acquire()
        return Measure()

    with Counter([], processes=2) as counter:
        for _ in range(4):
            counter.submit(Measure(), job, 1)
        running.release(100)
        for _ in range(50):
            counter.submit(Measure(), job, 1)
            assert len(counter._waiting) <= 4
        counter.drain()
        assert not counter._waiting


@pytest.mark.usefixtures("at_once")
def test_a_failing_job_is_not_lost() -> None:
    """An error in a job stops the reading with that error."""
    with Counter([], processes=2) as counter:
        counter.submit(Measure(), _fail, 1)
        with pytest.raises(MemoryError):
            counter.drain()


def test_a_killed_process_loses_nothing() -> None:
    """Where a process is killed, as by a system short of memory, its jobs are done in this one and nothing is missing."""
    code = (
        "import os, sys\nfrom functools import partial\nfrom deepsel.estimate.reading import count\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom test_workers import _die, _one\n"
        "count._BATCH_BYTES, count._ALONE_BYTES = 1, 0\nmeasure = count.Measure()\n"
        "with count.Counter([], processes=2) as counter:\n"
        "    for number in range(20):\n"
        "        counter.submit(measure, partial(_die, os.getpid()) if number == 7 else partial(_one, 1), 1)\n"
        "    counter.drain()\nprint(measure.requests)\n"
    )
    assert _run(code) == "20\n"


def test_processes_are_used_and_give_the_same(tmp_path: Path) -> None:
    """A large text is counted by two processes beside this one, to the counts of this one alone, and they end with the reading."""
    for path in (ROOT / "samples").glob("*.txt"):
        (tmp_path / path.name).write_text(path.read_text("utf-8") * 20, "utf-8")
    code = (
        "import os, sys\nfrom deepsel.estimate.reading.read import read\nfrom deepsel.estimate.records import Targets\n"
        "def children():\n"
        "    return open(f'/proc/self/task/{os.getpid()}/children').read().split()\n"
        "most = 0\n"
        "def note(step):\n    global most\n    most = max(most, len(children()))\n"
        f"both = [read([{str(tmp_path)!r}], targets=Targets(('o200k_base', 'qwen')), processes=n, on_progress=note) for n in (2, 1)]\n"
        "print(both[0] == both[1], most, len(children()))\n"
    )
    assert _run(code) == ("True 2 0\n" if sys.platform == "linux" else "True 0 0\n")


def test_threads_stand_in_where_nothing_can_be_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python cannot make the locks that processes share, threads do the work."""
    monkeypatch.setattr(workers, "_may_fork", lambda: True)
    for error in (OSError, ImportError, NotImplementedError):
        def refuse(*_: object, error: type[Exception] = error) -> None:
            raise error

        monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", refuse)
        started = workers.Workers(2)
        assert started.submit([lambda: 1, lambda: 2]).result(timeout=60) == [1, 2]
        started.stop()


def _children(parent: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked, and seen in /proc, on Linux only")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_behind(how: signal.Signals) -> None:
    """Interrupted as a terminal does, terminated or killed, a reading leaves no process, and only itself speaks of it."""
    endless = subprocess.Popen(["yes", "def add(a, b): return a + b  # a line of text"], stdout=subprocess.PIPE)
    command = [sys.executable, "-c", ENDLESS]
    reader = subprocess.Popen(
        command, stdin=endless.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, start_new_session=True
    )
    with endless, reader:
        assert reader.stdout
        for _ in range(8):
            parent = int(reader.stdout.readline())
        workers = _children(parent)
        assert len(workers) == 2
        (os.killpg if how is signal.SIGINT else os.kill)(parent, how)
        _, said = reader.communicate(timeout=60)
        endless.kill()
    assert said.count(b"Traceback") == (how is signal.SIGINT)
    until = time.monotonic() + 30
    while any(map(_is_running, workers)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(_is_running, workers))
