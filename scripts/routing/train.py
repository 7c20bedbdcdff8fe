"""Fits the weights of `deepsel.routing.difficulty` and measures them; owns no feature (those are the package's own).

    python scripts/routing/train.py DATA_FOLDER                 # writes deepsel/routing/data/difficulty.bin
    python scripts/routing/train.py DATA_FOLDER --output FILE   # writes elsewhere, to compare

DATA_FOLDER holds mmlu_train.jsonl.gz and gsm8k_train.jsonl.gz: rows of prompt, weak, strong (quality in [0, 1]) and,
for MMLU, subject. The fit is ridge regression of the gain, strong minus weak, solved by conjugate gradients in plain
Python: exactly rounded sums (`math.fsum`; `sum` differs between Python versions) and products in one fixed order, so
that the file comes out the same bit for bit anywhere.
The mean gain of each benchmark is taken off first, so that telling the benchmarks apart earns nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepsel.routing import difficulty, task

RIDGE = 20.0
ITERATIONS = 40
CONVERGED = 1e-20
"""Squared length of a gradient that is nothing but rounding."""
MIN_PROMPTS = 3
"""An n-gram is kept where so many prompts of the training set have it."""
FEATURE_SCALE = 0.3
"""Weight of a standardised plain feature against an n-gram: the larger, the less it is shrunk."""
REPEATS = {"mmlu": 1.0, "gsm8k": 3.0}
"""How often each prompt counts, so that the smaller benchmark is not drowned."""
CENTRE = -0.07
SLOPE = 9.0
"""Set by hand so that small talk scores about 0.2 and a proof about 0.8; they change no order."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt with the quality two models reached on it."""

    prompt: str
    weak: float
    strong: float
    group: str
    """What is held out as a whole: the subject, or one of ten parts of GSM8K."""
    benchmark: str
    looked: difficulty.Looked


@dataclass(frozen=True, slots=True)
class Fit:
    """A trained model, before it is rounded."""

    features: tuple[float, ...]
    grams: dict[int, float]

    def raw(self, looked: difficulty.Looked) -> float:
        """Add up the three sums of the score."""
        known = math.fsum(self.grams.get(gram, 0.0) for gram in looked.grams) / math.sqrt(len(looked.grams) or 1)
        return looked.prior + math.fsum(map(float.__mul__, self.features, looked.features)) + known


def load(folder: Path) -> list[Row]:
    """Read both benchmarks, in the order of the files."""
    rows: list[Row] = []
    for benchmark in ("mmlu", "gsm8k"):
        with gzip.open(folder / f"{benchmark}_train.jsonl.gz", "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                row = json.loads(line)
                prompt = row["prompt"]
                looked = difficulty.look(prompt, task.detect(prompt))
                group = row.get("subject", f"gsm8k-{number % 10}")
                rows.append(Row(prompt, row["weak"], row["strong"], group, benchmark, looked))
    return rows


def fit(rows: Sequence[Row]) -> Fit:
    """Fit plain features and n-grams to what the prior leaves of the gain."""
    owners = _owners(rows)
    columns = {gram: number for number, gram in enumerate(owners, start=len(difficulty.FEATURES))}
    means, scales = _standard(rows)
    matrix = []
    for row in rows:
        count = math.sqrt(REPEATS[row.benchmark])
        weight = count / math.sqrt(len(row.looked.grams) or 1)
        values = zip(row.looked.features, means, scales, strict=True)
        plain = [(value - mean) * scale * count for value, mean, scale in values]
        matrix.append((plain, [columns[gram] for gram in row.looked.grams if gram in columns], weight))
    target = [math.sqrt(REPEATS[row.benchmark]) * value for row, value in zip(rows, _target(rows), strict=True)]
    solved = _solve(matrix, target, width=len(difficulty.FEATURES) + len(columns))
    features = tuple(weight * scale for weight, scale in zip(solved, scales, strict=False))
    return Fit(features, {gram: solved[column] for gram, column in columns.items()})


def _target(rows: Sequence[Row]) -> list[float]:
    """Take the prior and the benchmark's mean off the gain."""
    left = [row.strong - row.weak - row.looked.prior for row in rows]
    means = {}
    for benchmark in ("mmlu", "gsm8k"):
        own = [value for value, row in zip(left, rows, strict=True) if row.benchmark == benchmark]
        means[benchmark] = math.fsum(own) / max(1, len(own))
    return [value - means[row.benchmark] for value, row in zip(left, rows, strict=True)]


def _owners(rows: Sequence[Row]) -> list[int]:
    """Give each slot of the table to its most frequent n-gram (the smallest hash on a tie)."""
    counts = Counter(gram for row in rows for gram in row.looked.grams)
    kept = sorted((-count, gram) for gram, count in counts.items() if count >= MIN_PROMPTS)
    slots: dict[int, int] = {}
    for _, gram in kept:
        slots.setdefault(gram & ((1 << difficulty.SLOT_BITS) - 1), gram)
    return list(slots.values())


def _standard(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Return mean and FEATURE_SCALE / deviation of each plain feature."""
    means, scales = [], []
    for values in zip(*(row.looked.features for row in rows), strict=True):
        mean = math.fsum(values) / len(values)
        spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
        means.append(mean)
        scales.append(FEATURE_SCALE / spread if spread else 0.0)
    return means, scales


def _solve(matrix: list[tuple[list[float], list[int], float]], target: list[float], *, width: int) -> list[float]:
    """Minimise |X b - target|^2 + RIDGE |b|^2 by conjugate gradients on the normal equations."""

    def times(vector: list[float]) -> list[float]:
        return [
            math.fsum(map(float.__mul__, plain, vector)) + weight * math.fsum([vector[at] for at in grams])
            for plain, grams, weight in matrix
        ]

    def transposed(vector: list[float]) -> list[float]:
        out = [0.0] * width
        for (plain, grams, weight), value in zip(matrix, vector, strict=True):
            for at, feature in enumerate(plain):
                out[at] += feature * value
            share = weight * value
            for at in grams:
                out[at] += share
        return out

    solution = [0.0] * width
    residual = transposed(target)
    direction = residual
    norm = math.fsum(value * value for value in residual)
    for _ in range(ITERATIONS):
        if norm < CONVERGED:
            break
        image = transposed(times(direction))
        image = [value + RIDGE * along for value, along in zip(image, direction, strict=True)]
        step = norm / math.fsum(map(float.__mul__, direction, image))
        solution = [value + step * along for value, along in zip(solution, direction, strict=True)]
        residual = [value - step * along for value, along in zip(residual, image, strict=True)]
        previous, norm = norm, math.fsum(value * value for value in residual)
        direction = [value + norm / previous * along for value, along in zip(residual, direction, strict=True)]
    return solution


def encode(model: Fit) -> bytes:
    """Round a model into the bytes of the weights file: one line of JSON, then the table."""
    step = float(f"{max(map(abs, model.grams.values())) / 127:.3e}")
    table = bytearray(2 << difficulty.SLOT_BITS)
    for gram, weight in model.grams.items():
        at = (gram & ((1 << difficulty.SLOT_BITS) - 1)) * 2
        table[at] = gram >> 24 or 1
        table[at + 1] = 128 + max(-127, min(127, round(weight / step)))
    features = {name: round(weight, 5) for name, weight in zip(difficulty.FEATURES, model.features, strict=True)}
    head = json.dumps({"features": features, "centre": CENTRE, "slope": SLOPE, "step": step}, sort_keys=True)
    return head.encode() + b"\n" + bytes(table)


def main() -> None:
    """Train on everything and write the file."""
    parser = argparse.ArgumentParser(description="Fit the difficulty weights.")
    parser.add_argument("data", type=Path, help="folder with the two training files")
    parser.add_argument("--output", type=Path, default=difficulty.WEIGHTS_FILE)
    arguments = parser.parse_args()
    rows = load(arguments.data)
    content = encode(fit(rows))
    arguments.output.write_bytes(content)
    print(f"{arguments.output}: {len(content)} bytes from {len(rows)} prompts")


if __name__ == "__main__":
    main()
