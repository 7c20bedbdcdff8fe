"""Measures the difficulty score on sources its weights have not seen: average performance gap recovered (APGR).

    python benchmarks/routing_apgr.py DATA_FOLDER [SOURCE ...]

DATA_FOLDER is that of `scripts/routing/train.py`. Each named source (all but the smallest where none is named) is scored by a
fit to all other sources; `halves` scores MMLU and GSM8K by fits to the other half of their own prompts beside the other
sources, and is the mean of the two. Beside each figure stands its 95 % interval over 400 resamplings of the prompts. Some minutes a fit.
"""

from __future__ import annotations

import argparse
import random
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts" / "routing")]

import train  # noqa: E402  the script's folder has to be on the path first

HELD_OUT = ("mmlu_pro", "routerbench_arc", "bfcl", "gsm8k", "halves")
RESAMPLINGS = 400


def apgr(scores: Sequence[float], rows: Sequence[train.Row], *, steps: int = 10) -> float:
    """Return the average performance gap recovered: arXiv 2406.18665, section 4; ties by a fixed shuffle."""
    tie = random.Random(0)  # noqa: S311  an order, not a secret
    order = sorted(range(len(rows)), key=lambda at: (-scores[at], tie.random()))
    strong = sum(row.strong for row in rows) / len(rows)
    quality = [sum(row.weak for row in rows) / len(rows)]
    weak, total, shares = quality[0], quality[0] * len(rows), [0]
    for step in range(1, steps + 1):
        cut = round(len(rows) * step / steps)
        total += sum(rows[at].strong - rows[at].weak for at in order[shares[-1] : cut])
        shares.append(cut)
        quality.append(total / len(rows))
    area = sum((shares[at + 1] - shares[at]) / len(rows) * (quality[at + 1] + quality[at]) / 2 for at in range(steps))
    return (area - weak) / (strong - weak)


def with_interval(parts: Sequence[tuple[Sequence[float], Sequence[train.Row]]]) -> str:
    """Return the figure, the mean over parts that were scored by different fits, with its interval."""
    chance = random.Random(1)  # noqa: S311  resampling
    drawn = []
    for _ in range(RESAMPLINGS):
        values = []
        for scores, rows in parts:
            picked = chance.choices(range(len(rows)), k=len(rows))
            values.append(apgr([scores[at] for at in picked], [rows[at] for at in picked]))
        drawn.append(sum(values) / len(values))
    drawn.sort()
    low, high = drawn[RESAMPLINGS // 40], drawn[-RESAMPLINGS // 40]
    figure = sum(apgr(scores, rows) for scores, rows in parts) / len(parts)
    return f"{figure:.3f} [{low:.3f}, {high:.3f}] of {sum(len(rows) for _, rows in parts):,} prompts"


def leave_out(source: str, rows: Sequence[train.Row]) -> str:
    """Score a source by a fit to all the others."""
    model = train.fit([row for row in rows if row.source != source])
    own = [row for row in rows if row.source == source]
    return with_interval([([model.score(row.looked) for row in own], own)])


def halves(rows: Sequence[train.Row]) -> dict[str, str]:
    """Score MMLU and GSM8K by fits that have not seen the half of the prompts they are scored on; each half by itself."""
    parts: dict[str, list[tuple[list[float], list[train.Row]]]] = {"mmlu": [], "gsm8k": []}
    for half in (0, 1):
        is_own = [zlib.crc32(row.prompt.encode()) % 2 == half for row in rows]
        model = train.fit([row for row, own in zip(rows, is_own, strict=True) if not own])
        for source, found in parts.items():
            own = [row for row, mine in zip(rows, is_own, strict=True) if mine and row.source == source]
            found.append(([model.score(row.looked) for row in own], own))
    return {source: with_interval(found) for source, found in parts.items()}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description="APGR on sources held out.")
    parser.add_argument("data", type=Path, help="folder with the training files")
    parser.add_argument("sources", nargs="*", default=HELD_OUT)
    arguments = parser.parse_args()
    rows = train.load(arguments.data)
    for source in arguments.sources:
        if source == "halves":
            for name, figure in halves(rows).items():
                print(f"{name}, the other half: {figure}", flush=True)
        else:
            print(f"{source}, held out whole: {leave_out(source, rows)}", flush=True)


if __name__ == "__main__":
    main()
