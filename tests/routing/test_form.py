"""What a prompt looks like, manners set aside, options and templates, in any language."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.routing import difficulty, form, kinds, task
from deepsel.routing.instruction import without_template

ROWS = [json.loads(line) for line in (Path(__file__).parent / "tasks.jsonl").read_text("utf-8").splitlines()]
WRAPPERS = (
    "Imagine you are an expert. {}",
    "hi, {}",
    "Hello! {}",
    "{}\n\nThanks in advance!",
    "You are a helpful assistant.\n\n{}",
    "Please help me with this: {}",
    "Question: {}\nAnswer:",
    "### Instruction:\n{}\n\n### Response:",
    "[INST] {} [/INST]",
    "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n",
    "{} Please.",
    "Could you help me? {}",
)


def test_manners_do_not_change_the_work() -> None:
    """Under twelve wrappers at most 3 % of the tasks of the table change, and under none of them 8 %."""
    changed = {
        wrapper: mean(task.detect(wrapper.format(row["prompt"])).task != task.detect(row["prompt"]).task for row in ROWS[::3])
        for wrapper in WRAPPERS
    }
    assert max(changed.values()) <= 0.08, changed
    assert mean(changed.values()) <= 0.03, changed


@given(st.sampled_from(ROWS), st.sampled_from(WRAPPERS), st.sampled_from(WRAPPERS))
@settings(max_examples=60)
def test_any_two_wrappers_leave_the_same_text(row: dict[str, str], inner: str, outer: str) -> None:
    """What is left of a prompt in two wrappers is, but for a rare one, what is left of the prompt: no more than its own words."""
    text = task.look(outer.format(inner.format(row["prompt"]))).text
    assert len(text) <= len(row["prompt"]) + len(inner) + len(outer)
    assert text.strip()


def test_difficulty_keeps_its_order_under_wrappers() -> None:
    """The rank correlation of the score with itself under each wrapper is at least .95."""
    prompts = [row["prompt"] for row in ROWS[::4]]
    plain = _ranks([difficulty.score(prompt) for prompt in prompts])
    for wrapper in WRAPPERS:
        other = _ranks([difficulty.score(wrapper.format(prompt)) for prompt in prompts])
        assert _correlation(plain, other) >= 0.95, wrapper


def _ranks(values: list[float]) -> list[float]:
    """Return the place of each value, ties in the middle."""
    order = sorted(values)
    return [order.index(value) + (order.count(value) - 1) / 2 for value in values]


def _correlation(one: list[float], other: list[float]) -> float:
    """Return Pearson's correlation."""
    means = mean(one), mean(other)
    both = sum((a - means[0]) * (b - means[1]) for a, b in zip(one, other, strict=True))
    spreads = sum((a - means[0]) ** 2 for a in one) * sum((b - means[1]) ** 2 for b in other)
    return float(both / spreads**0.5)


@pytest.mark.parametrize(
    "text",
    [
        "Which?\nA) one\nB) two\nC) three",
        "何ですか\nア 一つ\nイ 二つ\nウ 三つ",
        "ما هي؟\nأ) س\nب) ص\nج) ع",
        "Elige: a) uno b) dos c) tres",
        "고르시오 ① 가 ② 나 ③ 다",
    ],
)
def test_options_are_seen_in_any_script(text: str) -> None:
    """Three labelled options are seen, on their own lines or in one, in any script; prose has none."""
    assert form.has_options(text)
    assert not form.has_options("He came. B. was late. Nobody (as it happened) minded.")


@pytest.mark.parametrize(
    "prompt",
    ["[INST] What is DNS? [/INST]", "Question: What is DNS?\nAnswer:", "### Instruction:\nWhat is DNS?\n\n### Response:"],
)
def test_templates_are_taken_off(prompt: str) -> None:
    """The marks of a template are no part of a prompt."""
    assert without_template(prompt).strip() == "What is DNS?"


def test_every_kind_is_a_task() -> None:
    """Each finer kind belongs to one of the seven tasks, and the odds of kinds add up to those of tasks."""
    found = task.detect("Extract all dates from the text below:\n\nIt began on 3 May 2024 and ended on 9 June.")
    assert sum(found.odds) == pytest.approx(1)
    own = sum(found.odds[kinds.KINDS.index(name)] for name in ("structured", "extract"))
    assert dict(found.scores)["structured"] == pytest.approx(own, abs=1e-3)
    assert found.kind in ("structured", "extract")
    assert task.detect("Who wrote Don Quixote?").kind == "knowledge"


def test_where_nothing_speaks_no_evidence_is_claimed() -> None:
    """Of text in no language that is known nothing is claimed: the evidence is empty and the certainty low."""
    found = task.detect("ꔀꔤꔳ ꕉꕜꕮ")
    assert found.evidence == ()


@given(st.text(max_size=200))
def test_any_text_has_sums(text: str) -> None:
    """Adding passages is adding their sums, whatever the text."""
    once = kinds.sums(text)
    twice = once.plus(once)
    assert twice.known == 2 * once.known
    assert twice.values == tuple(2 * value for value in once.values)
