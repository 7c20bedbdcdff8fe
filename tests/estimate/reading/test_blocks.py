"""Blocks and sentences: joined they are the text, counted apart they are its count."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel import tokens
from deepsel.estimate.reading.blocks import count_sentences, cut, split
from deepsel.estimate.reading.count import measure_text

EXACT = ("cl100k_base", "o200k_base", "deepseek", "qwen", "qwen35", "tekken")
_WORDS = st.sampled_from(
    [
        "\n", "\n\n", "\r\n", "\r\n\r\n", " ", "  ", "\t", "a", "The", "word", "don't", "12", "3456", "٣", "²", "_", "-", "/", "//",
        ".", "...", "{", "};", "你好", "世", "カ", "ー", "・", "한국", "ไทย", "नमस्ते", "े", "é", "e\u0301", "\u0301", "А", "ß", "😀", "👩‍💻",
        "\u200d", "\u00a0", "\u2028", "\x85", "\ufffd", "𐐷", "ﬁ", "Ǆ", "\u1100\u1161", "\u1161", "'s", "'S", "\u3000", "ـ", "ا",
        "!", "?\n", "\v", "\f",
    ]
)  # fmt: skip
TEXTS = st.lists(_WORDS | st.text(max_size=3), max_size=60).map("".join)


def _chunks(text: str, size: int) -> Iterator[str]:
    """Cut a text as a reading does, joining what a cut of last resort would part."""
    held = ""
    for part in tokens.pieces(text, size):
        held += part.text
        if part.is_exact:
            yield held
            held = ""
    if held:
        yield held


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@given(TEXTS)
def test_blocks_joined_are_the_text(text: str) -> None:
    """Nothing is lost or moved by cutting."""
    assert "".join(cut(text)) == text
    assert "".join(block.text for block in split(text)) == text
    assert "".join(block.text for block in split(text, is_program=True)) == text


@pytest.mark.parametrize("vocabulary", EXACT)
@settings(max_examples=400, deadline=None)
@given(text=TEXTS.map(_encodable), size=st.integers(1, 30))
def test_the_parts_count_as_the_whole(vocabulary: str, text: str, size: int) -> None:
    """Cut into chunks, blocks and languages, any text has exactly the count of the whole, in every exact vocabulary."""
    apart = sum(measure_text(chunk, (vocabulary,)).total(vocabulary) for chunk in _chunks(text, size))
    assert apart == tokens.count(text, vocabulary).tokens


def test_a_long_paragraph_is_cut_at_lines() -> None:
    """A paragraph of thousands of lines is several blocks, each of whole lines."""
    parts = list(cut("A line of a table.\n" * 2000))
    assert len(parts) > 5
    assert all(part.endswith("\n") for part in parts)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", 0), ("  \n", 0), ("...", 1), ("One", 1), ("One. Two! Three?", 3), ("One. Two", 2), ("Version 1.2.3 is out.", 1),
        ('He said "go." Then he went.', 2), ("一。二！三？", 3), ("यह है। वह है॥", 2), ("هذا؟ نعم۔", 2), ("Ձև։ Այլ։", 2), ("ሰላም። ደህና።", 2),
        ("មួយ។ ពីរ។", 2), ("တစ်။ နှစ်။", 2), ("ภาษาไทยไม่มีจุด", 1), ("«Un.» Deux…", 2),
    ],
)  # fmt: skip
def test_sentences(text: str, sentences: int) -> None:
    """Full stops of many scripts end a sentence, a point inside a number does not, and a text without one is one."""
    assert count_sentences(text) == sentences


@pytest.mark.parametrize("text", ["." * 300_000 + "x", ("." * 50 + '"') * 5_000, "\n" * 300_000, " \n" * 150_000, "\r\n" * 150_000])
def test_nonsense_takes_no_longer_than_text(text: str) -> None:
    """Runs of dots or line ends are linear work: this ends before the time limit of a test."""
    count_sentences(text)
    assert "".join(cut(text)) == text
