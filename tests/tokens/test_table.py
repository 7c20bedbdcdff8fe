"""An encoder of only those tokens that can occur in a text gives the ids of the whole one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepsel.tokens import NAMES, encoding
from deepsel.tokens.table import MAX_CANDIDATES, open_table
from deepsel.tokens.vocabulary import Vocabulary, normalise

DATA = Path(__file__).parent.parent.parent / "deepsel" / "tokens" / "data"
CORPUS = Path(__file__).parent / "corpus"

WORDS = st.sampled_from(
    ["hello", " world", "don't", "I'LL", "\n", "\n\n/", "/usr/bin", "  ", "\t", "   x", "()", ");\n", "123456", "é", "你好", "カナ・゛",
     "สวัสดี", "नमस्ते", "\u00a0", "\u3000", "\x1c", "\x85", "🙂👩‍👩‍👧", "e\u0301", "\u200d", "\\n", "//\r\n/", "...", "̈", "\u2028"]
)  # fmt: skip
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=40).map("".join)


def _fresh(name: str) -> Vocabulary:
    table = open_table(DATA / f"{name}.vocab")
    assert table is not None
    return Vocabulary(name, table)


def _same(name: str, text: str) -> None:
    whole = encoding(name)
    assert whole is not None
    text = text.encode("utf-8", "replace").decode()
    assert _fresh(name).encode(text) == whole.encoding.encode_ordinary(normalise(text) if "qwen" in name else text)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_small_encoder_equals_the_whole(name: str, text: str) -> None:
    """For any text, of any scripts, spaces and line ends, the ids are equal."""
    _same(name, text)


@pytest.mark.parametrize("name", NAMES)
def test_small_encoder_equals_the_whole_on_real_text(name: str) -> None:
    """The beginnings of the corpus' texts have equal ids, too."""
    for path in sorted(CORPUS.iterdir()):
        _same(name, path.read_text("utf-8", "replace")[:1500])


def test_long_runs_are_left_to_the_whole() -> None:
    """A text whose parts would take too many look-ups is not looked up."""
    table = open_table(DATA / "o200k_base.vocab")
    assert table is not None
    assert table.ranks_within("".join(map(chr, range(0x4E00, 0x5200)))) is None
    small = table.ranks_within("word " * 1000)
    assert small is not None
    assert len(small) < MAX_CANDIDATES / 100


def test_damaged_or_missing_files_give_no_table(tmp_path: Path) -> None:
    """A file that is absent, empty, cut or changed is no vocabulary."""
    good = (DATA / "cl100k_base.vocab").read_bytes()
    path = tmp_path / "x.vocab"
    assert open_table(path) is None
    for data in (b"", b"DSV1", good[:-1], good[:5000] + b"\0" + good[5001:], b"X" + good[1:]):
        path.write_bytes(data)
        assert open_table(path) is None
    path.write_bytes(good)
    table = open_table(path)
    assert table is not None
    assert len(table.all_ranks()) == 100_256
