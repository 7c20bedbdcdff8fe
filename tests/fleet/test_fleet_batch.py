"""`batch run --fleet`: real processes share one job over a real Redis server, and may be killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from redis_support import RedisProcess

from deepsel.simulator import Behaviour, Scenario, Simulator

Deepsel: TypeAlias = Callable[..., Any]
LINES = 60
PROFILES = """
[providers.host]
wire = "openai-chat"
base_url = "{url}"
api_key_env = "TEST_KEY"
[models.one]
provider = "host"
id = "gpt-x"
context_window = 32000
vocabulary = "o200k_base"
price = {{ input = "1", output = "2" }}
[profiles.main]
models = ["one"]
max_tokens = 100
[fleet]
redis_url = "{redis}"
lease_s = 2
"""


@pytest.fixture
def host(home: Path, redis: RedisProcess) -> Iterator[Simulator]:
    """A provider that the profile names."""
    with Simulator(Scenario("fleet", "", Behaviour(text="Fine.", ttft_s=0.05)), keep_calls=10 * LINES) as one:
        (home / "profiles.toml").write_text(PROFILES.format(url=one.base_url, redis=redis.url))
        source = "".join(json.dumps({"prompt": f"Secret question {n}"}) + "\n" for n in range(LINES))
        (home / "in.jsonl").write_text(source)
        yield one


def _arguments(home: Path, output: str = "out.jsonl", *more: str) -> list[str]:
    place = ["batch", "run", str(home / "in.jsonl"), "-o", str(home / output)]
    return [*place, "--no-cache", "--yes", "--fleet", "job", "--concurrency", "4", *more]


def _lines(path: Path) -> list[int]:
    return [json.loads(raw)["line"] for raw in path.read_text().splitlines()]


def test_processes_share_a_job_and_one_is_killed(home: Path, host: Simulator, redis: RedisProcess) -> None:
    """Each line once and in order, calls at most lines and those under way; the server sees neither a prompt nor a key."""
    command = [sys.executable, "-m", "deepsel", *_arguments(home)]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    while len(host.calls) < LINES // 3:
        assert any(one.poll() is None for one in workers)
    workers[0].kill()
    told = [one.communicate(timeout=120)[1] for one in workers]
    assert [one.returncode for one in workers[1:]] == [0, 0], told
    assert _lines(home / "out.jsonl") == list(range(1, LINES + 1))
    assert LINES <= len(host.calls) <= LINES + 4
    client = redis.client
    kept = b"".join(key + (client.get(key) if client.type(key) == b"string" else b"") for key in client.keys("*"))
    assert b"Secret question" not in kept
    assert b"sk-test" not in kept


def test_a_machine_that_comes_later_gets_the_answers(home: Path, host: Simulator, deepsel: Deepsel) -> None:
    """Nothing is asked again; the summary is that of the whole job."""
    assert deepsel(*_arguments(home)).code == 0
    later = deepsel(*_arguments(home, "later.jsonl", "--json"))
    assert later.code == 0
    assert (home / "later.jsonl").read_bytes() == (home / "out.jsonl").read_bytes()
    assert len(host.calls) == LINES
    assert (later.record()["ok"], later.record()["calls"]) == (LINES, LINES)
    assert deepsel(*_arguments(home, "later.jsonl")).code == 0, "what is there already stays"
    assert list(home.glob("*.journal")) == []


def test_a_cap_ends_the_job(home: Path, host: Simulator, deepsel: Deepsel) -> None:
    """Exit 7, and no answer is written before the job is whole; a higher one goes on where it ended."""
    first = deepsel(*_arguments(home, "out.jsonl", "--max-cost", "0.0005"))
    assert first.code == 7
    assert 0 < len(host.calls) < LINES
    assert not (home / "out.jsonl").exists()
    assert deepsel(*_arguments(home, "out.jsonl", "--max-cost", "1")).code == 0
    assert len(host.calls) == LINES
    assert _lines(home / "out.jsonl") == list(range(1, LINES + 1))


def test_mistakes_have_one_clear_line(home: Path, host: Simulator, redis: RedisProcess, deepsel: Deepsel) -> None:
    """A bad name, a lane, another job under the name, a server that is away, and none at all."""
    assert deepsel(*_arguments(home)[:-3], "a b").code == 2
    for lane in ("batch", "off-peak", "auto"):
        laned = deepsel(*_arguments(home, "out.jsonl", "--lane", lane))
        assert (laned.code, f"no `--lane {lane}`" in laned.err) == (2, True)
    assert not host.calls
    assert deepsel(*_arguments(home)).code == 0
    other = deepsel(*_arguments(home, "other.jsonl", "--max-tokens", "9"))
    assert (other.code, "job of that name" in other.err) == (2, True)
    redis.stop()
    away = deepsel(*_arguments(home, "away.jsonl"))
    assert (away.code, "cannot be reached" in away.err, "Traceback" in away.err) == (5, True, False)
    assert list(home.glob("*.journal")) == []
    text = (home / "profiles.toml").read_text()
    (home / "profiles.toml").write_text(text.partition("[fleet]")[0])
    none = deepsel(*_arguments(home, "none.jsonl"))
    assert (none.code, "[fleet] redis_url" in none.err) == (3, True)


def _begun(home: Path, host: Simulator) -> subprocess.Popen[str]:
    """Start a worker, and return when it has asked some lines."""
    command = [sys.executable, "-m", "deepsel", *_arguments(home)]
    worker = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while len(host.calls) < LINES // 6:
        assert worker.poll() is None
    return worker


def test_a_server_that_comes_back_empty(home: Path, host: Simulator, redis: RedisProcess) -> None:
    """The worker takes nothing meanwhile, tells again what it has done, and goes on: no line is asked twice."""
    worker = _begun(home, host)
    redis.stop()
    redis.start()
    told = worker.communicate(timeout=120)[1]
    assert worker.returncode == 0, told
    assert "is back" in told
    assert _lines(home / "out.jsonl") == list(range(1, LINES + 1))
    assert len(host.calls) == LINES


def test_what_was_answered_outlives_worker_and_server(home: Path, host: Simulator, redis: RedisProcess, deepsel: Deepsel) -> None:
    """Ended while the server is away, a worker leaves a journal; the next run tells it, and asks only the rest."""
    worker = _begun(home, host)
    redis.stop()
    worker.send_signal(signal.SIGINT)
    told = worker.communicate(timeout=120)[1]
    assert (worker.returncode, "Traceback" in told) == (5, False), told
    assert len(list(home.glob("out.jsonl.job.*.journal"))) == 1
    redis.start()
    assert deepsel(*_arguments(home)).code == 0
    assert _lines(home / "out.jsonl") == list(range(1, LINES + 1))
    assert len(host.calls) == LINES
    assert list(home.glob("*.journal")) == []
