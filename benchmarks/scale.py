"""How a job's time falls with the workers of a fleet, each bounded by its own limit.

    python benchmarks/scale.py [--lines 600] [--at-once 4] [--workers 1 2 4]

Run from the root of the repository; needs `redis-server`. Each worker is a process with a home of its own, as on a machine of its own;
the simulator, in this process, answers after 50 ms. What a worker takes to start and to plan is not in the figures: the time is from the
first call to the last. Calls are read from the simulator; all but the ratios depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts" / "fleet")]

from kills import PROFILES, free_port, start_server, verdict  # noqa: E402 - found above


def run(workers: int, lines: int, at_once: int) -> float:
    """Return the seconds from the first call to the last."""
    from deepsel.simulator import Behaviour, Scenario, Simulator

    port = free_port()
    server = start_server(port)
    with tempfile.TemporaryDirectory() as folder, Simulator(Scenario("scale", "", Behaviour(text="Fine.", ttft_s=0.05))) as host:
        source, output = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        source.write_text("".join(f'{{"prompt": "Question {n}"}}\n' for n in range(lines)), encoding="utf-8")
        command = [sys.executable, "-m", "deepsel", "batch", "run", str(source), "-o", str(output), "--no-cache", "--yes", "-q"]
        command += ["--fleet", "scale", "--concurrency", str(at_once)]
        processes = []
        for number in range(workers):
            home = Path(folder) / str(number)
            home.mkdir(mode=0o700)
            (home / "profiles.toml").write_text(PROFILES.format(url=host.base_url, port=port), encoding="utf-8")
            processes.append(subprocess.Popen(command, env={**os.environ, "DEEPSEL_HOME": str(home)}))  # noqa: S603 - this program
        while not host.calls:
            time.sleep(0.001)
        began = time.monotonic()
        while len(host.calls) < lines and any(one.poll() is None for one in processes):
            time.sleep(0.001)
        took = time.monotonic() - began
        codes = [one.wait(timeout=300) for one in processes]
        wrong = verdict(output, lines)
        server.kill()
        if wrong or any(codes) or len(host.calls) != lines:
            sys.exit(f"{codes}, {len(host.calls)} calls: {wrong[:3]}")
    return took


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=600)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    chosen = parser.parse_args()
    first = None
    for workers in chosen.workers:
        took = run(workers, chosen.lines, chosen.at_once)
        first = first or took
        print(f"| {workers} | {took:.2f} s | {chosen.lines / took:.0f} | {first / took:.2f} |", flush=True)


if __name__ == "__main__":
    main()
