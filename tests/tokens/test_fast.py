"""The optional fast engine gives the ids of tiktoken, and is missed by nobody where it is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.tokens import encoding, fast

CORPUS = Path(__file__).parent / "corpus"


def _ids(name: str, text: str) -> tuple[list[int], list[int]]:
    engine, whole = fast.engine(name), encoding(name)
    assert engine is not None
    assert whole is not None
    return engine(text), whole.encoding.encode_ordinary(text)


@pytest.mark.parametrize("name", fast.NAMES)
def test_both_engines_agree_on_real_text(name: str) -> None:
    """Every text of the corpus has equal ids."""
    for path in sorted(CORPUS.iterdir()):
        ours, theirs = _ids(name, path.read_text("utf-8", "replace"))
        assert ours == theirs, path.name


@pytest.mark.parametrize("name", fast.NAMES)
@settings(max_examples=300, deadline=None)
@given(text=st.text().map(lambda text: text.encode("utf-8", "replace").decode()))
def test_both_engines_agree_on_any_text(name: str, text: str) -> None:
    """Any text, of any code points, has equal ids."""
    ours, theirs = _ids(name, text)
    assert ours == theirs


@pytest.mark.parametrize("name", fast.NAMES)
def test_special_tokens_are_text_for_both(name: str) -> None:
    """What looks like a special token is counted as the characters it is."""
    ours, theirs = _ids(name, "a <|endoftext|> b <|im_start|>")
    assert ours == theirs
    assert len(ours) > 8


def test_without_the_extra_tiktoken_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine is not installed there is none, and nothing fails."""
    monkeypatch.setitem(sys.modules, "splintr", None)
    fast.engine.cache_clear()
    try:
        assert fast.engine("o200k_base") is None
    finally:
        fast.engine.cache_clear()


def test_other_vocabularies_keep_tiktoken() -> None:
    """A vocabulary it is not faster for is left alone."""
    assert fast.engine("deepseek") is None
