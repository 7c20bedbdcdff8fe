"""Counting by words gives the counts of the whole encoders, in every vocabulary, for any text, whatever was counted before."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.tokens import NAMES, count, count_all, encoding, prepare, words
from deepsel.tokens.vocabulary import normalise
from deepsel.tokens.words import WordCounts, split

CORPUS = Path(__file__).parent / "corpus"
SAMPLES = Path(__file__).parents[2] / "samples"
# The seams of the makers' rules: what may or may not join what stands beside it.
BITS = st.sampled_from([
    " ", "  ", "\t", "\n", "\r\n", "\n\n", "\r", "\f", "\v", "\x1c", "\x85", "\u00a0", "\u3000", "\u2028",
    "\x00", "a", "B", "word", "fooBar", "1", "123", "4567", "'", "'s", "'S", "'ll", "'re", "'x", "'\u017f",
    "\u017f", "K", "/", "//", "_", "-", "(", '("', ");", '"', "<", ">", "=", "\u0338", "\u0301", "é", "²",
    "½", "٣", "中文", "，", "。", "あ", "ー", "・", "゛", "ไทย", "กำ", "नमस्ते", "।", "،", "한국", "\u1100\u1161",
    "Привет", "—", "’", "“", "…", "€", "😀", "\u200d", "\ufe0f", "\u0378", "\ufffd", "Ǆ", "ﬁ", "\U00010437",
    "\u09df", "\u0958", "\ufb1d",
])  # fmt: skip
TEXTS = st.lists(BITS | st.text(st.characters(exclude_categories=["Cs"]), max_size=2), max_size=24).map("".join)
PLAIN = st.text(st.sampled_from("aZs19 \t\r\n'\"/_(.<é"), max_size=24)


def _whole(text: str) -> list[int]:
    return [len(one.encoding.encode_ordinary(normalise(text) if "qwen" in one.name else text)) for one in map(encoding, NAMES) if one]


@pytest.fixture(scope="module")
def counts() -> WordCounts:
    """What remembers words over all texts of these tests, as over all files of a tree."""
    prepare(NAMES)
    return WordCounts([one for one in map(encoding, NAMES) if one])


@settings(max_examples=3000, deadline=None)
@given(text=TEXTS | PLAIN)
def test_any_text_has_the_counts_of_the_whole_encoders(text: str, counts: WordCounts) -> None:
    """Any text of any characters has exactly the count of each vocabulary's whole encoder."""
    assert list(counts.count(text)) == _whole(text)
    assert "".join(split(text)) == text


def test_real_text_has_the_counts_of_the_whole_encoders(counts: WordCounts) -> None:
    """So have the texts of the corpus, the samples and this project's own sources, and they have again when they come again."""
    paths = [*CORPUS.iterdir(), *SAMPLES.rglob("*.*"), *Path(words.__file__).parents[1].rglob("*.py")]
    for path in paths * 2:
        text = path.read_bytes().decode("utf-8", "replace")
        assert list(counts.count(text)) == _whole(text), path.name


def test_words_repeat() -> None:
    """A program's words are far fewer than its characters, and the same word is the same wherever it stands in a line."""
    assert split("foo(bar)\n    foo(bar)  # x.foo(bar), 12") == (
        ["foo", "(bar", ")\n   ", " foo", "(bar", ")", " ", " #", " x", ".foo", "(bar", "),", " 12"]
    )


def test_forgetting_changes_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for a few words only, counts are the same and fewer words are held than that and those of one text."""
    monkeypatch.setattr(words, "MAX_WORDS", 20)
    small = WordCounts([one for one in map(encoding, NAMES) if one])
    for path in sorted(SAMPLES.glob("*.txt")):
        text = path.read_text("utf-8")[:3000]
        assert list(small.count(text)) == _whole(text)
        assert len(small._known) <= 20
        assert len(small._older) <= 20 + 600


@pytest.mark.parametrize("names", [NAMES, ("o200k_base", "claude3", "claude48"), ("deepseek", None, "no-such-vocabulary"), ("qwen",), ()])
@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_all_at_once_is_each_alone(names: tuple[str | None, ...], text: str) -> None:
    """Counts in several vocabularies at once are those of one after the other, source, error and method included."""
    assert count_all(text, names) == {name: count(text, name) for name in names}
