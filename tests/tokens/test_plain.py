"""A short ASCII text is encoded without an encoder, to the ids of the whole one; the whole one is built once it pays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.tokens import NAMES, encoding, plain
from deepsel.tokens.plain import MAX_WORD_CHARS, PlainEncoder
from deepsel.tokens.table import Table, open_table
from deepsel.tokens.vocabulary import Vocabulary

DATA = Path(__file__).parent.parent.parent / "deepsel" / "tokens" / "data"
CORPUS = Path(__file__).parent / "corpus"
BITS = ["hello", " World", "HTTPServer", "don't", "I'LL", "'s", "\n", "\r\n", "\n\n/", "/usr/bin", "  ", "\t", "   x", "()", ");\n"]
BITS += ["123456", "\x0b", "\x1c", "\x00\x7f", "\x1f ", "$", "<=", "==", "//\r\n/", "...", "^", "`", "A", "aB", "9a", "_", " \n "]
TEXTS = st.lists(st.sampled_from(BITS) | st.text(st.characters(max_codepoint=127), max_size=4), max_size=40).map("".join)


def _table(name: str) -> Table:
    table = open_table(DATA / f"{name}.vocab")
    assert table is not None
    return table


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_plain_text_gets_the_ids_of_the_whole_encoder(name: str, text: str) -> None:
    """For any ASCII text, of any signs, spaces and controls, the ids are equal, the first time and again."""
    whole = encoding(name)
    assert whole is not None
    encoder = PlainEncoder(name, _table(name))
    wanted = whole.encoding.encode_ordinary(text)
    assert encoder.encode(text) in (wanted, None)
    assert encoder.encode(text) in (wanted, None)


@pytest.mark.parametrize("name", NAMES)
def test_plain_text_of_the_corpus_gets_the_same_ids(name: str) -> None:
    """What is ASCII of the corpus has equal ids, too, and is short of words that are too long."""
    whole, encoder = encoding(name), PlainEncoder(name, _table(name))
    assert whole is not None
    found = 0
    for path in sorted(CORPUS.iterdir()):
        text = path.read_text("utf-8", "replace").encode("ascii", "ignore").decode()[:3000]
        ids = encoder.encode(text)
        found += ids is not None
        assert ids in (whole.encoding.encode_ordinary(text), None)
    assert found > 3


def test_a_long_word_is_left_to_the_engine() -> None:
    """Merging is bounded: a text with a word that is longer is not encoded here."""
    encoder = PlainEncoder("o200k_base", _table("o200k_base"))
    assert encoder.encode("x" * MAX_WORD_CHARS) is not None
    assert encoder.encode("so " + "x" * MAX_WORD_CHARS) is None  # the space belongs to the word


def test_the_memory_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many words a process meets, so many are remembered, and what was forgotten is found again."""
    monkeypatch.setattr(plain, "MAX_WORDS", 50)
    encoder = PlainEncoder("o200k_base", _table("o200k_base"))
    first = encoder.encode("zero")
    encoder.encode(" ".join(f"{one:03}" for one in range(1000)))
    assert encoder.new_chars > 1000
    assert len(encoder._known) <= 50
    assert encoder.encode("zero") == first


@pytest.mark.parametrize("text", ["What is DNS?", "Was ist überhaupt DNS?"])
def test_many_threads_build_the_whole_encoder_once(text: str) -> None:
    """Once it pays, one thread builds it while the others wait, and short texts go on to have the same ids."""
    vocabulary = Vocabulary("cl100k_base", _table("cl100k_base"))
    first = vocabulary.encode(text)
    with ThreadPoolExecutor(16) as pool:
        encoders = list(pool.map(lambda _: vocabulary.encoding, range(64)))
    assert len({id(one) for one in encoders}) == 1
    assert vocabulary.encode(text) == first


def test_a_process_that_goes_on_stops_building_small_encoders() -> None:
    """After some dozens of short texts the whole encoder is there: so many small ones would have been dearer."""
    vocabulary = Vocabulary("cl100k_base", _table("cl100k_base"))
    texts = [f"Wörter {number}" for number in range(60)]
    assert vocabulary.is_short(texts[0])
    ids = [vocabulary.encode(text) for text in texts]
    assert not vocabulary.is_short(texts[0])
    assert ids == [vocabulary.encoding.encode_ordinary(text) for text in texts]
