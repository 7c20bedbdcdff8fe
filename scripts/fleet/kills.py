"""Has a few processes carry one job together, kills them and the server, and holds what was written and asked against what should be.

    python scripts/fleet/kills.py [--lines 2000] [--workers 3] [--kills 5] [--restarts 1] [--at-once 16] [--seed 1]

Run from the root of the repository; needs `redis-server`, which is started here and keeps nothing on a disk: a restart loses all.
The simulator stands in this process and counts every call. Ends with 1 where a line is missing or doubled, or where there were more
calls than lines and lines that could be under way at the kills and restarts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]

PROFILES = """
[providers.host]
wire = "openai-chat"
base_url = "{url}"
[models.one]
provider = "host"
id = "gpt-x"
context_window = 32000
vocabulary = "o200k_base"
price = {{ input = "1", output = "2" }}
[profiles.main]
models = ["one"]
[fleet]
redis_url = "redis://127.0.0.1:{port}/0"
lease_s = 3
"""


def start_server(port: int) -> subprocess.Popen[bytes]:
    """Start a Redis server that listens when this returns."""
    binary = shutil.which("redis-server") or sys.exit("there is no redis-server")
    command = [binary, "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - found above
    assert server.stdout is not None
    for line in server.stdout:
        if b"Ready to accept connections" in line:
            return server
    sys.exit("redis-server did not start")


def free_port() -> int:
    """Find a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def verdict(output: Path, lines: int) -> list[str]:
    """Return what is wrong with the output."""
    records = [json.loads(raw) for raw in output.read_text(encoding="utf-8").splitlines()] if output.exists() else []
    numbers = Counter(record["line"] for record in records)
    wrong = [f"line {number} stands there {numbers[number]} times" for number in range(1, lines + 1) if numbers[number] != 1]
    wrong += [f"line {record['line']}: {record['status']}" for record in records if record["status"] != "ok"]
    return [*wrong, *(["out of order"] if [record["line"] for record in records] != sorted(numbers) else [])]


class Crowd:
    """The processes of a job."""

    def __init__(self, command: list[str], size: int) -> None:
        """Start them."""
        self._command = command
        self.workers = [self._start() for _ in range(size)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command)  # noqa: S603 - this very program

    def kill_one(self, chance: random.Random) -> bool:
        """Kill one and start another in its place; False where none is at work."""
        alive = [one for one in self.workers if one.poll() is None]
        if not alive:
            return False
        victim = chance.choice(alive)
        victim.kill()
        victim.wait()
        self.workers[self.workers.index(victim)] = self._start()
        return True

    def codes(self) -> list[int]:
        """Wait for all of them."""
        return [one.wait(timeout=300) for one in self.workers]


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("lines", 2000), ("workers", 3), ("kills", 5), ("restarts", 1), ("at-once", 16), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    from deepsel.simulator import Behaviour, Scenario, Simulator

    chance, port = random.Random(chosen.seed), free_port()  # noqa: S311 - repeatable on purpose
    server = start_server(port)
    scenario = Scenario("kills", "", Behaviour(text="Fine.", ttft_s=0.05))
    with tempfile.TemporaryDirectory() as folder, Simulator(scenario, keep_calls=100 * chosen.lines) as host:
        home = Path(folder)
        (home / "profiles.toml").write_text(PROFILES.format(url=host.base_url, port=port), encoding="utf-8")
        os.environ["DEEPSEL_HOME"] = folder
        source, output = home / "in.jsonl", home / "out.jsonl"
        source.write_text("".join(json.dumps({"prompt": f"Question {n}"}) + "\n" for n in range(chosen.lines)), encoding="utf-8")
        command = [sys.executable, "-m", "deepsel", "batch", "run", str(source), "-o", str(output), "--no-cache", "--yes", "-q"]
        command += ["--fleet", "kills", "--concurrency", str(chosen.at_once)]
        crowd, kills, restarts = Crowd(command, chosen.workers), 0, 0
        began = time.monotonic()
        for number in range(chosen.kills + chosen.restarts):
            while len(host.calls) < chosen.lines * (number + 1) // (chosen.kills + chosen.restarts + 2) and time.monotonic() - began < 240:
                time.sleep(0.02)
            if number < chosen.restarts:
                server.kill()
                server.wait()
                time.sleep(1.0)
                server, restarts = start_server(port), restarts + 1
            else:
                kills += crowd.kill_one(chance)
        codes = crowd.codes()
        wrong, calls = verdict(output, chosen.lines), len(host.calls)
        left = list(home.glob("*.journal"))
    server.kill()
    most = chosen.lines + chosen.at_once * (kills + restarts * chosen.workers)
    print(f"{kills} kills, {restarts} restarts; {calls} calls for {chosen.lines} lines, at most {most} may be; exits {codes}")
    if calls > most:
        wrong.append(f"{calls - most} calls too many")
    if left:
        wrong.append(f"{len(left)} journals are left")
    print("\n".join(wrong[:20]) or "every line exactly once")
    return int(bool(wrong) or any(codes))


if __name__ == "__main__":
    sys.exit(main())
