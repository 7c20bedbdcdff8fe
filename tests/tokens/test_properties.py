"""What holds for every text: counts add up at cuts, bounds hold, decoding gives the text back, nothing raises."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.tokens import NAMES, count, encoding, pieces

ALL = (*NAMES, "claude3", "claude47", "claude48", None, "no-such-vocabulary")
BITS = ["It's", " we'll", "\n", "\r\n", " ", "  ", "\t", "12345", "x = y[0];", "。", "中文", "あ・ー゛", "กา้", "é", "e\u0301"]
BITS += ["\u3000", "\u200d", "👩‍🚀", "한국", "\u1100\u1161", "_", "//", "...", "\x00\x00", "\u0378", "नमस्ते", "،مرحبا", "A", "a1"]
BITS += ["\u09df", "\u0958="]
# Any character but surrogates, and the seams of the makers' rules more often than chance would have them.
TEXTS = st.lists(st.one_of(st.sampled_from(BITS), st.text(st.characters(exclude_categories=["Cs"]), max_size=4))).map("".join)
WILD = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize("name", NAMES)
@given(text=TEXTS, size_chars=st.integers(1, 12))
@settings(max_examples=400, deadline=None)
def test_counts_add_up_at_exact_cuts(name: str, text: str, size_chars: int) -> None:
    """Where every cut is exact, the pieces' counts add up to the count of the whole."""
    parts = list(pieces(text, size_chars))
    assert "".join(part.text for part in parts) == text
    # A forced cut may change what follows it: join what it parts again.
    whole = [""]
    for part in parts:
        whole[-1] += part.text
        if part.is_exact:
            whole.append("")
    assert sum(count(part, name).tokens for part in whole) == count(text, name).tokens


@given(chunks=st.lists(TEXTS, max_size=6), size_chars=st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_a_stream_is_cut_in_bounded_pieces(chunks: list[str], size_chars: int) -> None:
    """A text in chunks comes out whole, in pieces that are neither empty nor over the size."""
    parts = [part.text for part in pieces(iter(chunks), size_chars)]
    assert "".join(parts) == "".join(chunks)
    assert all(0 < len(part) <= size_chars for part in parts)


@pytest.mark.parametrize("name", NAMES)
@given(text=TEXTS)
@settings(max_examples=150, deadline=None)
def test_decoding_gives_the_text_back(name: str, text: str) -> None:
    """The ids of a text decode to it; to its NFC form for Qwen."""
    vocabulary = encoding(name)
    assert vocabulary is not None
    wanted = unicodedata.normalize("NFC", text) if name.startswith("qwen") else text
    assert vocabulary.encoding.decode(vocabulary.encode(text)) == wanted


@pytest.mark.parametrize("name", ALL)
@given(text=WILD)
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_counted(name: str | None, text: str) -> None:
    """A text with lone surrogates, unassigned characters or controls has a count, zero only where it is empty."""
    assert (count(text, name).tokens == 0) == (text == "")
