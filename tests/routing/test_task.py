"""Task detection: the labelled table, both halves, and what the instruction is."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.routing.task import detect
from deepsel.values import TASKS

ROWS = [json.loads(line) for line in (Path(__file__).parent / "tasks.jsonl").read_text("utf-8").splitlines()]


def _half(number: int) -> list[dict[str, str]]:
    """Half 0 was looked at while the cues were written, half 1 was held out; the rule was fixed before."""
    return [row for row in ROWS if zlib.crc32(row["prompt"].encode()) % 2 == number]


def _accuracy(rows: list[dict[str, str]]) -> float:
    return sum(detect(row["prompt"]).task == row["task"] for row in rows) / len(rows)


def test_the_table_is_wide_enough() -> None:
    """The table has at least 220 different prompts in at least 8 languages, and every task in both halves."""
    assert len({row["prompt"] for row in ROWS}) >= 220
    assert len({row["lang"] for row in ROWS}) >= 8
    assert {row["task"] for row in _half(0)} == {row["task"] for row in _half(1)} == set(TASKS)


def test_held_out_accuracy() -> None:
    """At least 90 % of the held-out half is detected."""
    assert _accuracy(_half(1)) >= 0.90


@pytest.mark.parametrize("language", sorted({row["lang"] for row in ROWS}))
def test_every_language_is_detected(language: str) -> None:
    """No language falls far behind the others."""
    assert _accuracy([row for row in ROWS if row["lang"] == language]) >= 0.8


def test_the_instruction_counts_not_the_document() -> None:
    """A pasted article full of code, stories and sums does not change what is asked."""
    document = "\n\n".join(
        ["The poet wrote a short story in Python.", "def f(x): return x", "Prove that 2 + 2 = 4.", "He left."]
    )
    for glue in ("\n\n", ":\n", ":\n\n"):
        assert detect(f"Summarize the following text{glue}{document}").task == "summarize"
    assert detect(f"{document}\n\nTranslate the text above into French, please:").task == "translate"


def test_evidence_is_named() -> None:
    """The cues that decided are given as they are written in the lexicon."""
    detection = detect("Write a C++ function that reverses a linked list")
    assert detection.task == "code"
    assert {"c++", "linked list"} & set(detection.evidence)


@given(st.text(max_size=400))
def test_any_text_has_a_task(prompt: str) -> None:
    """Whatever the text, the answer is one of the tasks, and the same each time."""
    assert detect(prompt).task in TASKS
    assert detect(prompt) == detect(prompt)
