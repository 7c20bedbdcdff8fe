"""Fits the weights of `deepsel.routing.difficulty`; owns no feature (those are the package's own).

    python scripts/routing/train.py DATA_FOLDER                 # writes deepsel/routing/data/difficulty.bin
    python scripts/routing/train.py DATA_FOLDER --output FILE   # writes elsewhere, to compare

DATA_FOLDER holds mmlu_train.jsonl.gz, gsm8k_train.jsonl.gz and, in its folder `train`, the other sources: rows of prompt, weak
and strong (quality in [0, 1] of a cheap and a strong tier of models) and, for MMLU, subject. The fit is ridge regression of what
an item-response model makes of a row: the gain (strong minus weak), which is what choosing can win, and a share of the weak
tier's failure, which says where on the scale the gain was won. It is solved by conjugate gradients in plain Python: exactly
rounded sums (`math.fsum`; `sum` differs between Python versions) and products in one fixed order, so that the file comes out the
same bit for bit anywhere.

Each source's mean is taken off and its spread made equal first, so that telling the sources apart earns nothing. Subjects of
MMLU whose worked answers were read as one letter (`FAULTY`) count less, and what is learned of numbers, symbols and length where
options are given stays there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepsel.routing import difficulty, task

RIDGE = 8.0
ITERATIONS = 30
CONVERGED = 1e-9
"""Squared length of a gradient that is nothing but rounding."""
MIN_PROMPTS = 3
"""An n-gram is kept where so many prompts of the training set have it."""
FEATURE_SCALE = 1.0
"""Weight of a standardised plain feature against an n-gram: the larger, the less it is shrunk."""
FAILURE = 0.3
"""How much of the weak tier's failure stands beside the gain."""
SPREAD = 0.35
"""The standard deviation every source's target is brought to."""
SOURCES = {
    "mmlu": "mmlu_train",
    "gsm8k": "gsm8k_train",
    **{name: f"train/{name}" for name in ("mmlu_pro", "bfcl", "routerbench_arc", "routerbench_mbpp", "math_level", "vicuna80")},
}
REPEATS = {"gsm8k": 3.0, "routerbench_mbpp": 2.0}
"""How often each prompt counts where not once, so that a smaller source is not drowned."""
FAULTY = ("high_school_mathematics", "college_mathematics", "elementary_mathematics", "high_school_statistics")
OF_FAULTY = 0.3
"""How much a row of such a subject counts."""
SLOPE = 6.0
"""How many logits a unit of the learned sum is worth; changes no order within a kind of work."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt with the quality two tiers of models reached on it."""

    prompt: str
    weak: float
    strong: float
    group: str
    """The subject, empty where there is none."""
    source: str
    looked: difficulty.Looked

    @property
    def count(self) -> float:
        """Return how often it counts."""
        return REPEATS.get(self.source, 1.0) * (OF_FAULTY if self.group in FAULTY else 1.0)


@dataclass(frozen=True, slots=True)
class Fit:
    """A trained model, before it is rounded."""

    features: tuple[float, ...]
    grams: dict[int, float]

    def raw(self, looked: difficulty.Looked) -> float:
        """Add up the learned sums of the score."""
        known = math.fsum(self.grams.get(gram, 0.0) for gram in looked.grams) / math.sqrt(len(looked.grams) or 1)
        return math.fsum(map(float.__mul__, self.features, looked.features)) + known

    def score(self, looked: difficulty.Looked) -> float:
        """Return the score before its logistic function, as the package reckons it but for rounding."""
        return looked.prior + SLOPE * self.raw(looked)


def load(folder: Path) -> list[Row]:
    """Read all sources that are there, in the order of the files."""
    rows: list[Row] = []
    for source, name in SOURCES.items():
        path = folder / f"{name}.jsonl.gz"
        if not path.exists():
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                prompt = row["prompt"]
                looked = difficulty.look(prompt, task.detect(prompt))
                rows.append(Row(prompt, row["weak"], row["strong"], row.get("subject", ""), source, looked))
    return rows


def fit(rows: Sequence[Row]) -> Fit:
    """Fit plain features and n-grams to gain and failure."""
    owners = _owners(rows)
    columns = {gram: number for number, gram in enumerate(owners, start=len(difficulty.FEATURES))}
    means, scales = _standard(rows)
    matrix = []
    for row in rows:
        count = math.sqrt(row.count)
        weight = count / math.sqrt(len(row.looked.grams) or 1)
        values = zip(row.looked.features, means, scales, strict=True)
        plain = [(value - mean) * scale * count for value, mean, scale in values]
        matrix.append((plain, [columns[gram] for gram in row.looked.grams if gram in columns], weight))
    target = [math.sqrt(row.count) * value for row, value in zip(rows, _target(rows), strict=True)]
    solved = _solve(matrix, target, width=len(difficulty.FEATURES) + len(columns))
    features = tuple(weight * scale for weight, scale in zip(solved, scales, strict=False))
    return Fit(features, {gram: solved[column] for gram, column in columns.items()})


def _target(rows: Sequence[Row]) -> list[float]:
    """Return what is to be told apart, with the same mean and spread in every source."""
    left = [row.strong - row.weak + FAILURE * (1 - row.weak) for row in rows]
    shapes = {}
    for source in {row.source for row in rows}:
        own = [(value, row.count) for value, row in zip(left, rows, strict=True) if row.source == source]
        mean = math.fsum(value * count for value, count in own) / math.fsum(count for _, count in own)
        shapes[source] = (mean, statistics.pstdev(value for value, _ in own) or 1.0)
    return [(value - shapes[row.source][0]) / shapes[row.source][1] * SPREAD for value, row in zip(left, rows, strict=True)]


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


def encode(model: Fit, *, centre: float = 0.0) -> bytes:
    """Round a model into the bytes of the weights file: one line of JSON, then the table."""
    step = float(f"{max(map(abs, model.grams.values())) / 127:.3e}")
    table = bytearray(2 << difficulty.SLOT_BITS)
    for gram, weight in model.grams.items():
        at = (gram & ((1 << difficulty.SLOT_BITS) - 1)) * 2
        table[at] = gram >> 24 or 1
        table[at + 1] = 128 + max(-127, min(127, round(weight / step)))
    features = {name: round(weight, 5) for name, weight in zip(difficulty.FEATURES, model.features, strict=True)}
    head = json.dumps({"features": features, "centre": round(centre, 4), "slope": SLOPE, "step": step}, sort_keys=True)
    return head.encode() + b"\n" + bytes(table)


def main() -> None:
    """Train on everything and write the file."""
    parser = argparse.ArgumentParser(description="Fit the difficulty weights.")
    parser.add_argument("data", type=Path, help="folder with the training files")
    parser.add_argument("--output", type=Path, default=difficulty.WEIGHTS_FILE)
    arguments = parser.parse_args()
    rows = load(arguments.data)
    model = fit(rows)
    centre = statistics.median(model.raw(row.looked) for row in rows)
    content = encode(model, centre=centre)
    arguments.output.write_bytes(content)
    print(f"{arguments.output}: {len(content)} bytes from {len(rows)} prompts")


if __name__ == "__main__":
    main()
