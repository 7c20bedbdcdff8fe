"""Made prompts have the size they say, and nothing in common where nothing is to be shared."""

from __future__ import annotations

import random

import pytest

from deepsel import tokens
from deepsel.bench.prompts import MIN_TOKENS, WORDS, Prompter


@pytest.mark.parametrize("vocabulary", tokens.NAMES)
@pytest.mark.parametrize("size", [MIN_TOKENS, 64, 1000])
def test_size_is_exact(vocabulary: str, size: int) -> None:
    """A made prompt has exactly so many tokens in every vocabulary that comes with deepsel."""
    prompter = Prompter(random.Random(3))
    assert {tokens.count(prompter.made(size), vocabulary).tokens for _ in range(3)} == {size}


def test_each_word_is_one_token() -> None:
    """Each word is one token, first in a text or not."""
    for vocabulary in tokens.NAMES:
        assert tokens.count(" ".join(WORDS), vocabulary).tokens == len(WORDS)
        assert all(tokens.count(word, vocabulary).tokens == 1 for word in WORDS)


@pytest.mark.parametrize("shares", [False, True])
def test_what_is_shared(shares: bool) -> None:
    """Prompts differ in their first words, or only in their last where the prefix is to be shared."""
    prompter = Prompter(random.Random(4), shares)
    for one, other in ((prompter.made(500), prompter.made(500)), (prompter.own("Say hi."), prompter.own("Say hi."))):
        assert one != other
        assert (one[:40] == other[:40] or one.startswith("Say hi.")) is shares
