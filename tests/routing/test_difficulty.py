"""The difficulty score: range, order on formats beyond its training data, length, languages, weights."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import mean
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.routing import difficulty, instruction, task

ROOT = Path(__file__).parent.parent.parent
TWINS = [json.loads(line) for line in (Path(__file__).parent / "twins.jsonl").read_text("utf-8").splitlines()]
LANGUAGES = sorted(set(TWINS[0]) - {"level", "en"})

EASY = (
    "hi",
    "Thanks, that helped!",
    "What is the capital of Australia?",
    "Recommend a film for tonight",
    "Tell me a joke about cats",
    "Translate to German: see you tomorrow",
    "Summarise the article below in two sentences.",
    "Write a birthday card for my aunt",
)
HARD = (
    "Prove that every bounded monotone sequence of real numbers converges.",
    "Let $p$ be a prime. Find all integers $n$ such that $n^2 + p$ divides $n^p - 3$. Prove your answer.",
    "Implement a lock-free concurrent queue in Rust and argue why it is linearizable.",
    "Find the number of ordered triples (a, b, c) of positive integers with a + b + c = 2024 and gcd(a, b, c) = 1.",
    "Write a function to find the longest common subsequence of two strings using dynamic programming.",
    "A tank fills in 6 hours and drains in 9 hours. With both open, how long until it is full? Show your steps.",
)


@given(st.text(max_size=3000))
def test_any_text_has_a_score(prompt: str) -> None:
    """Whatever the text, the score lies in [0, 1] and is the same each time."""
    value = difficulty.score(prompt)
    assert 0.0 <= value <= 1.0
    assert value == difficulty.score(prompt)


def test_small_talk_is_easier_than_proofs() -> None:
    """Every hard probe scores above every easy one."""
    assert max(map(difficulty.score, EASY)) < min(map(difficulty.score, HARD))


def test_a_pasted_log_is_not_hard() -> None:
    """200 KB to be summarised are as easy as a screenful, and easier than any hard probe."""
    line = "2024-05-01 12:00:01 ERROR db[7]: connection to 10.0.0.1:443 = {refused}; prove() failed, retry in 30 s\n"
    short, long = (difficulty.score(f"Summarise this log:\n{line * count}") for count in (20, 2000))
    assert long == pytest.approx(short, abs=0.05)
    assert long < min(map(difficulty.score, HARD))


@given(st.integers(min_value=3, max_value=400))
@settings(max_examples=25)
def test_length_of_a_document_does_not_matter(count: int) -> None:
    """Beyond the size that is read whole, more of a document changes nothing."""
    paragraph = "The harbour was built in the last century and has been widened twice since then.\n\n"
    prompt = "What does the text say about the harbour?\n\n" + paragraph * 20
    assert difficulty.score(prompt + paragraph * count) == pytest.approx(difficulty.score(prompt), abs=0.02)


def test_the_work_is_bounded() -> None:
    """Of a megabyte no more text is looked at than of a long page."""
    prompt = "Explain the following:\n" + "x = 1; y = 2\n" * 80_000
    looked = difficulty.look(prompt, task.detect(prompt))
    assert len(looked.grams) <= 3 * (instruction.HEAD_CHARS + instruction.TAIL_CHARS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_are_scored_alike(language: str) -> None:
    """Over the twins no language is systematically harder or easier than English, and hard stays above easy."""
    differences = [difficulty.score(row[language]) - difficulty.score(row["en"]) for row in TWINS]
    assert mean(differences) == pytest.approx(0, abs=0.06)
    levels = {
        level: [difficulty.score(row[language]) for row in TWINS if row["level"] == level] for level in ("easy", "hard")
    }
    assert max(levels["easy"]) < min(levels["hard"])


def test_scaffolding_of_a_choice_says_nothing() -> None:
    """The labels of options are not part of what is scored."""
    question = "Which organ produces insulin?"
    options = ("pancreas", "liver", "kidney", "spleen")
    lettered = question + "".join(f"\n{label}. {text}" for label, text in zip("ABCD", options, strict=True))
    bracketed = question + "".join(f"\n({label}) {text}" for label, text in zip("ABCD", options, strict=True))
    plain = difficulty.look(lettered, task.detect(lettered))
    assert plain.grams == difficulty.look(bracketed, task.detect(bracketed)).grams
    assert plain.grams == difficulty.look(lettered + "\nAnswer:", task.detect(lettered)).grams


def test_the_weights_are_small_and_the_measured_ones() -> None:
    """The file is within 512 KB and is the one whose figures stand in benchmarks/routing.md."""
    content = difficulty.WEIGHTS_FILE.read_bytes()
    assert len(content) <= 512 * 1024
    report = (ROOT / "benchmarks" / "routing.md").read_text("utf-8")
    assert re.search(r"sha256 `([0-9a-f]{64})`", report).group(1) == hashlib.sha256(content).hexdigest()  # type: ignore[union-attr]


def test_unknown_n_grams_weigh_nothing() -> None:
    """Words of a language the table has never seen hit hardly any weight."""
    words = [f"{a}{b}qxz{c}" for a in "bcdfgh" for b in "aeiou" for c in "klmnp"]
    hits = [difficulty._lookup((gram,), difficulty.weights().table) for gram in difficulty._grams(words)]
    assert sum(hit != 0 for hit in hits) < 0.02 * len(hits)


def test_training_is_reproducible(training: ModuleType) -> None:
    """The same rows give the same bytes, and the fit puts the prompts that gain above those that do not."""
    rows = [_row(training, f"Prove the lemma {word} about rings", gain=1.0) for word in "abcdef"]
    rows += [_row(training, f"Name the colour {word} of grass", gain=0.0) for word in "abcdef"]
    model = training.fit(rows)
    assert training.encode(model) == training.encode(training.fit(rows))
    assert min(model.raw(row.looked) for row in rows[:6]) > max(model.raw(row.looked) for row in rows[6:])


def test_the_import_is_light() -> None:
    """Scoring needs the standard library only."""
    code = "import sys, deepsel.routing.difficulty as d; d.score('x'); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"numpy", "scipy", "tiktoken", "httpx", "rich", "diskcache", "typer"}


@pytest.fixture(scope="module")
def training() -> ModuleType:
    """The training script as a module."""
    spec = importlib.util.spec_from_file_location("train", ROOT / "scripts" / "routing" / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["train"] = module
    spec.loader.exec_module(module)
    return module


def _row(training: ModuleType, prompt: str, *, gain: float) -> object:
    looked = difficulty.look(prompt, task.detect(prompt))
    return training.Row(prompt, 0.0, gain, "subject", "mmlu", looked)
