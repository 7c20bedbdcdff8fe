"""Measures the difficulty score and the task detection: cross-validated APGR, accuracy, speed.

    python benchmarks/routing.py DATA_FOLDER      # figures and timings, about two minutes
    python benchmarks/routing.py --speed          # timings only, no data needed

DATA_FOLDER is that of `scripts/routing/train.py`. Run from the root of the repository.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts" / "routing")]

import train  # noqa: E402  the script's folder has to be on the path first

from deepsel.routing import difficulty, task  # noqa: E402  the same

FOLDS = 10


def apgr(scores: Sequence[float], rows: Sequence[train.Row], *, steps: int = 10) -> float:
    """Return the average performance gap recovered: arXiv 2406.18665, section 4; ties by a fixed shuffle."""
    tie = random.Random(0)  # noqa: S311  an order, not a secret
    order = sorted(range(len(rows)), key=lambda at: (-scores[at], tie.random()))
    quality = []
    shares = [round(len(rows) * step / steps) for step in range(steps + 1)]
    for cut in shares:
        strong = set(order[:cut])
        quality.append(sum(row.strong if at in strong else row.weak for at, row in enumerate(rows)) / len(rows))
    area = sum(
        (shares[at + 1] - shares[at]) / len(rows) * (quality[at + 1] + quality[at]) / 2 for at in range(steps)
    )
    return (area - quality[0]) / (quality[-1] - quality[0])


def cross_validate(rows: Sequence[train.Row], fold_of: Callable[[train.Row], int]) -> dict[str, float]:
    """Score every prompt by a model that has not seen its fold; return each benchmark's APGR."""
    raw = [0.0] * len(rows)
    folds = [fold_of(row) for row in rows]
    for fold in sorted(set(folds)):
        model = train.fit([row for row, own in zip(rows, folds, strict=True) if own != fold])
        for at, own in enumerate(folds):
            if own == fold:
                raw[at] = model.raw(rows[at].looked)
    return _both(raw, rows)


def _both(scores: Sequence[float], rows: Sequence[train.Row]) -> dict[str, float]:
    """Return each benchmark's APGR."""
    return {name: _part(name, scores, rows) for name in ("mmlu", "gsm8k")}


def _part(benchmark: str, scores: Sequence[float], rows: Sequence[train.Row]) -> float:
    """Return the APGR over the rows of one benchmark."""
    own = [at for at, row in enumerate(rows) if row.benchmark == benchmark]
    return apgr([scores[at] for at in own], [rows[at] for at in own])


def show_quality(folder: Path) -> None:
    """Print the APGR figures."""
    rows = train.load(folder)
    groups = sorted({row.group for row in rows})
    random.Random(5).shuffle(groups)  # noqa: S311  a fixed order
    by_group = {group: at % FOLDS for at, group in enumerate(groups)}
    figures = {
        "length of the prompt": _both([len(row.prompt) for row in rows], rows),
        "hand-set prior alone": _both([row.looked.prior for row in rows], rows),
        "prompts held out": cross_validate(rows, lambda row: zlib.crc32(row.prompt.encode()) % FOLDS),
        "whole subjects held out": cross_validate(rows, lambda row: by_group[row.group]),
    }
    for name, figure in figures.items():
        print(f"{name:26} MMLU {figure['mmlu']:.3f}  GSM8K {figure['gsm8k']:.3f}")


def show_tasks() -> None:
    """Print the accuracy of the task detection on both halves of the table."""
    lines = (ROOT / "tests" / "routing" / "tasks.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    for half, name in enumerate(("development", "held out")):
        own = [row for row in rows if zlib.crc32(row["prompt"].encode()) % 2 == half]
        right = sum(task.detect(row["prompt"]).task == row["task"] for row in own)
        print(f"task, {name:12} {right}/{len(own)} = {right / len(own):.3f}")


def show_speed() -> None:
    """Print the time of one score by size, of the import, and of the first score after it."""
    sentence = "A merchant bought 12 crates at $3 each, sold two thirds of them and kept the rest; explain her profit. "
    for size in (100, 1024, 20_000, 200_000):
        prompt = (sentence * (size // len(sentence) + 1))[:size]
        times = []
        for _ in range(300):
            start = time.perf_counter()
            difficulty.score(prompt)
            times.append(time.perf_counter() - start)
        print(f"score, {size:>7,} characters: median {statistics.median(times) * 1e3:.3f} ms")
    code = (
        "import time; a = time.perf_counter(); from deepsel.routing import difficulty; b = time.perf_counter();"
        "difficulty.weights(); c = time.perf_counter(); difficulty.score('Why is the sky blue?');"
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
    parser = argparse.ArgumentParser(description="Measure difficulty and task detection.")
    parser.add_argument("data", type=Path, nargs="?", help="folder with the two training files")
    parser.add_argument("--speed", action="store_true", help="timings only")
    arguments = parser.parse_args()
    if arguments.data and not arguments.speed:
        show_quality(arguments.data)
        show_tasks()
    show_speed()


if __name__ == "__main__":
    main()
