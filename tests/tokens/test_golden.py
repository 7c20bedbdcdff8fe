"""The ids equal those of an independent implementation; golden.json is made by scripts/vocabularies/golden.py."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from deepsel.tokens import NAMES, count, encoding

HERE = Path(__file__).parent
SAMPLES = HERE.parent.parent / "samples"
GOLDEN = json.loads((HERE / "golden.json").read_text("utf-8"))


def _corpus() -> dict[str, str]:
    texts = {path.name: path.read_bytes().decode() for path in sorted((HERE / "corpus").glob("*.txt"))}
    texts |= {f"samples/{path.relative_to(SAMPLES)}": path.read_bytes().decode() for path in sorted(SAMPLES.rglob("*.*"))}
    strings = json.loads((HERE / "corpus" / "strings.json").read_text("utf-8"))
    return texts | {f"string {number}": text for number, text in enumerate(strings)}


def _digest(ids: list[int]) -> str:
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", NAMES)
def test_ids_equal_the_independent_ones(name: str) -> None:
    """Every text of the corpus has the ids, and so the count, that another engine gives it with another package's file."""
    vocabulary = encoding(name)
    assert vocabulary is not None
    found = {}
    for label, text in _corpus().items():
        ids = vocabulary.encode(text)
        found[label] = [len(ids), _digest(ids)]
        assert count(text, name).tokens == len(ids)
    assert found == GOLDEN[name]


def test_corpus_is_wide() -> None:
    """The corpus has texts in more than twenty scripts and languages, program text and hundreds of random strings."""
    labels = set(_corpus())
    assert len([label for label in labels if label.startswith("udhr-")]) >= 30
    assert len([label for label in labels if label.startswith("code-")]) >= 3
    assert len([label for label in labels if label.startswith("samples/")]) >= 40
    assert len([label for label in labels if label.startswith("string ")]) >= 400
