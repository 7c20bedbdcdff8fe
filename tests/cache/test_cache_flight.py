"""One flight: identical requests at the same time cost one call, among threads, processes and machines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asking_support import Asker
from redis_support import RedisProcess

from deepsel.clock import SystemClock
from deepsel.errors import NoRouteError, UnavailableError
from deepsel.simulator import Simulator

SCRIPT = Path(__file__).parent / "asking_support.py"
SLOW = {"text": "The answer.", "ttft_s": 0.02}
Simulate = Callable[..., Simulator]


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Callable[..., Asker]]:
    """Makes askers, which are closed after the test."""
    made: list[Asker] = []

    def make(server: Simulator, home: Path = tmp_path, **settings: Any) -> Asker:
        made.append(Asker(home, server.base_url, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


def crowds(homes: list[Path], server: Simulator, *, redis_url: str, processes: int, prompts: int) -> list[dict[str, Any]]:
    """Let a crowd of processes in each home ask the same prompts at the same time; return what each process got."""
    running = [
        subprocess.Popen(
            [sys.executable, SCRIPT, home, server.base_url, redis_url, str(processes), str(prompts)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for home in homes
    ]  # fmt: skip
    said: list[dict[str, Any]] = []
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
    for process in running:
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout, process.stderr:
            lines, errors = process.stdout.read(), process.stderr.read()
        assert process.wait(timeout=100) == 0, errors.decode()
        said += [json.loads(line) for line in lines.splitlines()]
    return said


def check(said: list[dict[str, Any]], server: Simulator, *, processes: int, prompts: int) -> None:
    assert len(said) == processes
    assert [one for one in said if one != {"texts": ["The answer."] * prompts, "warnings": 0}] == []
    asked = [call.body["messages"][-1]["content"] for call in server.calls]
    assert sorted(asked) == sorted(f"Question {number}?" for number in range(prompts))


def test_sixteen_processes_pay_once(simulate: Simulate, tmp_path: Path) -> None:
    """16 processes that ask the same 50 prompts at once, half of them streaming, cost 50 calls, and all get the answers."""
    server = simulate(**SLOW)
    said = crowds([tmp_path], server, redis_url="", processes=16, prompts=50)
    check(said, server, processes=16, prompts=50)
    assert list((tmp_path / "cache" / "turns").iterdir()) == []


def test_two_machines_pay_once(simulate: Simulate, tmp_path: Path, redis: RedisProcess) -> None:
    """The same from two homes that share nothing but a Redis server."""
    server = simulate(**SLOW)
    homes = [tmp_path / "one", tmp_path / "two"]
    said = crowds(homes, server, redis_url=redis.url, processes=8, prompts=50)
    check(said, server, processes=16, prompts=50)
    names = [name.decode() for name in redis.client.keys("*")]
    assert len(names) == 50
    assert all(":answer:" in name for name in names)  # no lease is left


def test_threads_pay_once(simulate: Simulate, asker: Callable[..., Asker]) -> None:
    """Threads of one process wait for each other too."""
    server = simulate(**SLOW)
    one = asker(server, memory_entries=8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: one.ask("Hi?"), range(8)))
    assert {answer.text for answer in answers} == {"The answer."}
    assert len(server.calls) == 1
    assert sorted(answer.cache.status for answer in answers) == ["hit"] * 7 + ["stored"]


def test_a_dead_leader_frees_the_others(simulate: Simulate, tmp_path: Path, asker: Callable[..., Asker]) -> None:
    """When the process that asks for all is killed, exactly one of the others asks anew."""
    server = simulate(text="The answer.", steps=[{"fault": ("hang_before_first_token",)}])
    leader = subprocess.Popen(
        [sys.executable, SCRIPT, tmp_path, server.base_url, "", "1", "1"],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    clock = SystemClock()
    while not server.calls:
        assert leader.poll() is None
        clock.sleep(0.01)
    crowd = [asker(server) for _ in range(4)]
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(one.ask, "Question 0?") for one in crowd]
        os.killpg(leader.pid, signal.SIGKILL)
        assert {one.result(timeout=60).text for one in waiting} == {"The answer."}
    leader.wait(timeout=60)
    assert len(server.calls) == 2


@pytest.mark.parametrize("shared", [False, True], ids=["one machine", "two machines"])
def test_a_stopped_leader_is_passed_by_one(
    simulate: Simulate, tmp_path: Path, asker: Callable[..., Asker], request: pytest.FixtureRequest, shared: bool
) -> None:
    """While the process that asks for all is stopped, one of the others asks; it comes back, and its answer is stored as well."""
    url = request.getfixturevalue("redis").url if shared else ""
    server = simulate(text="The answer.", ttft_s=0.5)
    leader = subprocess.Popen(
        [sys.executable, SCRIPT, tmp_path, server.base_url, url, "1", "1"],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    clock = SystemClock()
    while not server.calls:
        assert leader.poll() is None
        clock.sleep(0.01)
    os.killpg(leader.pid, signal.SIGSTOP)
    homes = [tmp_path, tmp_path / "other"] if shared else [tmp_path]
    crowd = [asker(server, homes[number % len(homes)], redis_url=url, timeout_s=100.0) for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: one.ask("Question 0?"), crowd))
    assert {one.text for one in answers} == {"The answer."}
    assert sorted(one.cache.status for one in answers) == ["hit"] * 11 + ["stored"]
    assert len(server.calls) == 2
    os.killpg(leader.pid, signal.SIGCONT)
    said, _ = leader.communicate(timeout=60)
    assert json.loads(said)["texts"] == ["The answer."]
    assert len(server.calls) == 2
    assert list((tmp_path / "cache" / "turns").iterdir()) == []


def test_a_leader_without_an_answer_frees_all(simulate: Simulate, asker: Callable[..., Asker]) -> None:
    """Where the first call fails nobody waits in a row for the next failures."""
    server = simulate(fault=("500",), ttft_s=0.2)
    crowd = [asker(server) for _ in range(4)]

    def ask(one: Asker) -> str:
        with pytest.raises(UnavailableError):
            one.ask("Hi?")
        return "failed"

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, crowd)) == ["failed"] * 4
    assert len(server.calls) == 4


def test_waiting_is_bounded(simulate: Simulate, asker: Callable[..., Asker]) -> None:
    """Who has waited half of his time asks himself."""
    server = simulate(text="The answer.")
    one = asker(server, timeout_s=0.2)
    lock = next(one.cache.locks_of(_key_of(one, "Hi?")))(0)
    lock.try_acquire()
    assert one.ask("Hi?").cache.status == "stored"
    lock.release(is_kept=False)


def _key_of(asker: Asker, prompt: str) -> str:
    run = asker.run(prompt, cache_mode="only")
    assert list(run.events()) == []
    key = run.answer().cache.key
    assert key is not None
    return key


def test_what_is_not_cached_does_not_wait(simulate: Simulate, asker: Callable[..., Asker]) -> None:
    """Requests that may not be cached, and those that ask anew, are all sent."""
    server = simulate(text="The answer.")
    one = asker(server)
    lock = next(one.cache.locks_of(_key_of(one, "Hi?")))(0)
    lock.try_acquire()
    for mode in ("off", "refresh"):
        assert one.ask("Hi?", cache_mode=mode).text == "The answer."
    lock.release(is_kept=True)
    assert len(server.calls) == 2


def test_only_the_cache_sends_nothing(simulate: Simulate, asker: Callable[..., Asker]) -> None:
    """With `only` a miss names its candidates and nothing is sent; a hit is a hit."""
    server = simulate(text="The answer.")
    one = asker(server)
    with pytest.raises(NoRouteError, match="m: not in the cache"):
        one.ask("Hi?", cache_mode="only")
    assert len(server.calls) == 0
    one.ask("Hi?")
    assert one.ask("Hi?", cache_mode="only").cache.status == "hit"
    assert len(server.calls) == 1
