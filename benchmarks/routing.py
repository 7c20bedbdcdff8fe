"""Measures the task detection on the labelled table, and the time of detection, score and decision.

    python benchmarks/routing.py                  # accuracy by half, kind and language; timings
    python benchmarks/routing.py --speed          # timings only
    python benchmarks/routing.py --public FILE    # accuracy on JSON lines of {"prompt", "task"} beside

`benchmarks/routing_apgr.py` measures what the difficulty score is worth. Run from the root of the repository.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from deepsel import catalog  # noqa: E402  the root has to be on the path first
from deepsel.catalog import Catalog  # noqa: E402  the same
from deepsel.routing import difficulty, task  # noqa: E402  the same
from deepsel.routing.candidates import Candidate, Needs, Policy  # noqa: E402  the same
from deepsel.routing.plan import plan  # noqa: E402  the same

RUNS = 300


def show_tasks(name: str, rows: Sequence[dict[str, str]]) -> None:
    """Print accuracy, the precision of `chat`, and languages below nine in ten."""
    found = [task.detect(row["prompt"]) for row in rows]
    right = [one.task == row["task"] for one, row in zip(found, rows, strict=True)]
    chat = [ok for ok, one in zip(right, found, strict=True) if one.task == "chat"]
    share = sum(right) / len(rows)
    wide = 1.96 * (share * (1 - share) / len(rows)) ** 0.5
    print(f"{name}: {sum(right)}/{len(rows)} = {share:.3f} ± {wide:.3f}; precision of chat {sum(chat) / max(1, len(chat)):.3f}")
    of = Counter(row.get("lang", "-") for row in rows)
    hits = Counter(row.get("lang", "-") for row, ok in zip(rows, right, strict=True) if ok)
    low = [f"{one} {hits[one]}/{of[one]}" for one in of if hits[one] < 0.9 * of[one]]
    print(f"  below nine in ten: {', '.join(low) or 'no language'}")


def show_decision() -> None:
    """Print the time of a decision: detection, score and plan of a 2 KB prompt with five candidates."""
    known, at = Catalog(), datetime(2026, 11, 24, 20, tzinfo=UTC)
    crew = []
    for name in known.default_models[:5]:
        model = known.find_model(name)
        bill = catalog.project(model, input_tokens=512, output_tokens=500, at=at)
        crew.append(Candidate(model, known.providers[model.provider], True, 512, 4096, 500, bill, bill, latency_s=3.0))
    sentence = "Please refactor the following service so that retries are bounded and the code is easier to test. "
    prompt = (sentence * 21)[:2048]

    def decide() -> None:
        found = task.detect(prompt)
        plan(crew, Needs(found.task, difficulty.from_detection(prompt, found)), Policy())

    _print("a decision, 2 KB, five candidates", decide)


def _print(name: str, call: Callable[[], object]) -> None:
    """Print the median and the least time of a call."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    print(f"{name}: median {statistics.median(times) * 1e3:.3f} ms, least {min(times) * 1e3:.3f} ms")


def show_speed() -> None:
    """Print the time of one score by size, of the import, and of the first score after it."""
    sentence = "A merchant bought 12 crates at $3 each, sold two thirds of them and kept the rest; explain her profit. "
    for size in (100, 1024, 20_000, 200_000):
        prompt = (sentence * (size // len(sentence) + 1))[:size]
        _print(f"score, {size:>7,} characters", lambda prompt=prompt: difficulty.score(prompt))  # type: ignore[misc]
    code = (
        "import time; a = time.perf_counter(); from deepsel.routing import difficulty, kinds; b = time.perf_counter();"
        "difficulty.weights(); kinds.weights(); c = time.perf_counter(); difficulty.score('Why is the sky blue?');"
        "d = time.perf_counter(); print(b - a, c - b, d - c)"
    )
    runs = [
        [float(value) for value in subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()]  # noqa: E501, S603
        for _ in range(15)
    ]
    for name, column in zip(("import", "load weights", "first score"), zip(*runs, strict=True), strict=True):
        print(f"{name}: median {statistics.median(column) * 1e3:.2f} ms")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description="Measure task detection and the time of a decision.")
    parser.add_argument("--speed", action="store_true", help="timings only")
    parser.add_argument("--public", type=Path, help="JSON lines of prompt and task")
    arguments = parser.parse_args()
    if not arguments.speed:
        rows = [json.loads(line) for line in (ROOT / "tests" / "routing" / "tasks.jsonl").read_text("utf-8").splitlines()]
        for half, name in enumerate(("development half", "held-out half")):
            show_tasks(name, [row for row in rows if zlib.crc32(row["prompt"].encode()) % 2 == half])
        if arguments.public:
            show_tasks("public", [json.loads(line) for line in arguments.public.read_text("utf-8").splitlines()])
    show_decision()
    show_speed()


if __name__ == "__main__":
    main()
