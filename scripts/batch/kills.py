"""Kills a job again and again, resumes it, and holds what it wrote and what it asked against what it should have.

    python scripts/batch/kills.py [--lines 2000] [--kills 10] [--at-once 64] [--seed 1] [--unordered]

Run from the root of the repository. The simulator stands in this process and counts every call; each run of the job is a process of its
own that is ended by SIGKILL at a random moment. Says what was found, and ends with 1 where a line is missing or doubled, or where
there were more calls than lines and lines under way at the kills.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
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
"""


def under_way(journal: Path) -> int:
    """Count the lines of a journal that were begun, and have neither a result nor been counted as lost."""
    begun: set[int] = set()
    for raw in journal.read_bytes().split(b"\n") if journal.exists() else ():
        try:
            entry = json.loads(raw)
        except ValueError:
            continue
        if "i" in entry:
            begun.add(entry["i"])
        elif "d" in entry:
            begun.discard(entry["d"])
        elif "lost" in entry:
            begun.clear()
    return len(begun)


def killed(command: list[str], journal: Path, kills: int, chance: random.Random) -> Iterator[int]:
    """Run the job and kill it, so many times; yields how many lines were under way each time."""
    for number in range(kills):
        before = size_of(journal)
        with subprocess.Popen([*command, "--resume"]) as process:  # noqa: S603 - this very program
            # Most of them while lines are asked; some at any moment, as while they are counted.
            while number % 5 and process.poll() is None and size_of(journal) <= before:
                time.sleep(0.01)
            try:
                process.wait(chance.uniform(0.0, 0.6) if number % 5 else chance.uniform(0.0, 3.0))
                return
            except subprocess.TimeoutExpired:
                process.kill()
        yield under_way(journal)


def size_of(path: Path) -> int:
    """Return the size of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def verdict(output: Path, lines: int, is_ordered: bool) -> list[str]:
    """Return what is wrong with the output."""
    records = [json.loads(raw) for raw in output.read_text(encoding="utf-8").splitlines()]
    numbers = Counter(record["line"] for record in records)
    wrong = [f"line {number} stands there {numbers[number]} times" for number in range(1, lines + 1) if numbers[number] != 1]
    wrong += [f"line {record['line']}: {record['status']}" for record in records if record["status"] != "ok"]
    if is_ordered and [record["line"] for record in records] != list(range(1, lines + 1)):
        wrong.append("the lines are out of order")
    return wrong


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("lines", 2000), ("kills", 10), ("at-once", 64), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--unordered", action="store_true")
    chosen = parser.parse_args()
    from deepsel.simulator import Behaviour, Scenario, Simulator

    scenario = Scenario("kills", "", Behaviour(text="Fine.", ttft_s=0.05))
    with tempfile.TemporaryDirectory() as folder, Simulator(scenario, keep_calls=100 * chosen.lines) as host:
        home = Path(folder)
        (home / "profiles.toml").write_text(PROFILES.format(url=host.base_url), encoding="utf-8")
        os.environ["DEEPSEL_HOME"] = folder
        source, output = home / "in.jsonl", home / "out.jsonl"
        source.write_text("".join(json.dumps({"prompt": f"Question {n}"}) + "\n" for n in range(chosen.lines)), encoding="utf-8")
        command = [sys.executable, "-m", "deepsel", "batch", "run", str(source), "-o", str(output), "--no-cache", "-q", "--yes"]
        command += ["--concurrency", str(chosen.at_once), *(["--unordered"] if chosen.unordered else [])]
        journal = Path(f"{output}.journal")
        begun = list(killed(command, journal, chosen.kills, random.Random(chosen.seed)))  # noqa: S311 - repeatable on purpose
        code = subprocess.run([*command, "--resume"], check=False).returncode  # noqa: S603 - this very program
        wrong = verdict(output, chosen.lines, not chosen.unordered)
        calls, most = len(host.calls), chosen.lines + sum(begun)
    print(f"{len(begun)} kills; under way at them: {begun}; {calls} calls for {chosen.lines} lines, at most {most} may be; exit {code}")
    if calls > most:
        wrong.append(f"{calls - most} calls too many")
    print("\n".join(wrong) or "every line exactly once")
    return int(bool(wrong) or code != 0)


if __name__ == "__main__":
    sys.exit(main())
