"""Measures the answer cache: hits by tier, many processes at once, growth with entries, one flight. Figures: cache.md.

    python benchmarks/cache.py [--entries 1000000]

Run from the root of the repository. Needs redis-server on the path for the Redis rows, and disk space for the entries (1.6 KB each).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "cache")]

from cache_support import make_answer  # noqa: E402  the path has to be set first

from deepsel.cache import Cache, RedisServer  # noqa: E402  the same
from deepsel.clock import SystemClock  # noqa: E402  the same
from deepsel.config import CacheSettings  # noqa: E402  the same

SAMPLES = 2000
ANSWER = "word " * 100
GROWTH = (1_000, 10_000, 100_000, 1_000_000)


def told(name: str, seconds: list[float]) -> None:
    """Print one row: median and 95th percentile in milliseconds."""
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(f"| {name} | {statistics.median(seconds) * 1000:.3f} | {p95 * 1000:.3f} | {len(seconds):,} |", flush=True)


def timed(action: Callable[[int], object], samples: int = SAMPLES) -> list[float]:
    """Run an action again and again; one float a run, in run order."""
    taken = []
    for number in range(samples):
        began = time.perf_counter()
        action(number)
        taken.append(time.perf_counter() - began)
    return taken


@contextmanager
def redis_server() -> Iterator[str | None]:
    """Run a Redis server; None where there is none to run."""
    binary = shutil.which("redis-server")
    if binary is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [binary, "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - found on the path
        assert process.stdout is not None
        while b"Ready to accept" not in process.stdout.readline():
            pass
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


def hits(folder: Path, url: str | None) -> None:
    """Look one of 500 entries up in each tier, in a process that is warm."""
    print("\n| hit in | p50 ms | p95 ms | n |\n|---|---|---|---|")
    clock = SystemClock()
    keys = [make_answer(f"prompt {number}", ANSWER) for number in range(500)]
    server = RedisServer(url, clock=clock, namespace="bench") if url else None
    rows: list[tuple[str, CacheSettings, RedisServer | None]] = [
        ("memory", CacheSettings(memory_entries=1000), None),
        ("disk", CacheSettings(memory_entries=0), None),
    ]
    if server:
        rows.append(("redis, loopback", CacheSettings(memory_entries=0, disk=False), server))
    for name, settings, shared in rows:
        with Cache(folder / "hits", settings, clock=clock, server=shared) as cache:
            for key, answer in keys:
                cache.put(key, answer)
            told(name, timed(lambda number: cache.get(keys[number % 500][0])))
            if name != "memory":  # a write there is one on disk too
                told(f"{name}: a write", timed(lambda number: cache.put(*keys[number % 500]), 300))


def whole_command(folder: Path) -> None:
    """Time `deepsel ask` from the shell when the answer is on disk, beside what Python itself takes to start."""
    print("\n| whole process | p50 ms | p95 ms | n |\n|---|---|---|---|")
    environment = {**os.environ, "DEEPSEL_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "deepsel", "ask", "-q", "-p", "demo", "What is DNS?"]

    def run(arguments: list[str]) -> None:
        subprocess.run(arguments, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - ours

    run(command)
    told("`deepsel ask`, hit on disk", timed(lambda _: run(command), 30))
    told("`python -c pass`", timed(lambda _: run([sys.executable, "-c", "pass"]), 30))


def many(folder: Path, processes: int = 16, rounds: int = 200) -> None:
    """Let processes read and write one file at once: nine look-ups to one write, half of the keys shared by all."""
    reads, writes = folder / "reads.jsonl", folder / "writes.jsonl"
    began = time.perf_counter()
    for me in range(processes):
        if os.fork() == 0:
            with Cache(folder / "many", CacheSettings(memory_entries=0), clock=SystemClock()) as cache:
                got, put = [], []
                for number in range(rounds):
                    pair = make_answer(f"prompt {number}" if number % 2 else f"prompt {number} of {me}", ANSWER)
                    put += timed(lambda _: cache.put(*pair), 1)  # noqa: B023 - used at once
                    got += timed(lambda _: cache.get(pair[0]), 9)  # noqa: B023 - used at once
                assert cache.get(pair[0])
            for path, values in ((reads, got), (writes, put)):
                with path.open("a") as file:
                    file.write(json.dumps(values) + "\n")
            os._exit(0)
    assert all(os.waitpid(-1, 0)[1] == 0 for _ in range(processes))
    wall_s = time.perf_counter() - began
    print(f"\n| {processes} processes at once | p50 ms | p95 ms | n |\n|---|---|---|---|")
    for name, path in (("look-up", reads), ("write", writes)):
        told(name, [value for line in path.read_text().splitlines() for value in json.loads(line)])
    print(f"\n{processes * rounds * 10 / wall_s:,.0f} operations a second; no warning, no error.")


def growth(folder: Path, most: int) -> None:
    """Fill the file step by step with rows like ours, and look existing and missing keys up in a process that is warm."""
    print("\n| entries | file | hit p50 ms | hit p95 ms | miss p50 ms | write p50 ms | first hit ms |\n|---|---|---|---|---|---|---|")
    pairs = [make_answer(f"prompt {number}", ANSWER) for number in range(200)]
    with Cache(folder / "growth", CacheSettings(memory_entries=0, size_limit_bytes=1 << 40), clock=SystemClock()) as cache:
        for pair in pairs:
            cache.put(*pair)
        path, held = cache.path / "cache.db", len(pairs)
    for entries in [step for step in GROWTH if step <= most]:
        fill(path, held, entries)
        held = entries
        with Cache(folder / "growth", CacheSettings(memory_entries=0, size_limit_bytes=1 << 40), clock=SystemClock()) as cache:
            first = timed(lambda _: cache.get(pairs[0][0]), 1)
            hit = timed(lambda number: cache.get(pairs[number % 200][0]))
            miss = timed(lambda number: cache.get(f"k1-{number}"))
            write = timed(lambda number: cache.put(*pairs[number % 200]), 200)
        p95 = statistics.quantiles(hit, n=20)[-1]
        milliseconds = [statistics.median(hit), p95, statistics.median(miss), statistics.median(write), first[0]]
        figures = " | ".join(f"{value * 1000:.3f}" for value in milliseconds)
        print(f"| {entries:,} | {path.stat().st_size / 1e6:,.0f} MB | {figures} |", flush=True)


def fill(path: Path, held: int, entries: int) -> None:
    """Add rows of the size and form of ours; their keys are hashes as ours are, so that they lie as scattered."""
    value = sqlite3.Binary(b"x" * 1500)
    now = time.time()
    rows = (
        (f"k1-{sha256(str(number).encode()).hexdigest()}", now, now + 3600, now, 0, "m-1", 0, 1, None, value)
        for number in range(held, entries)
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO Cache (key, store_time, expire_time, access_time, access_count, tag, size, mode, filename, value,"
            " raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
            rows,
        )


def main() -> None:
    """Print every table of cache.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, redis_server() as url:
        folder = Path(name)
        hits(folder, url)
        whole_command(folder)
        many(folder)
        growth(folder, arguments.entries)


if __name__ == "__main__":
    main()
