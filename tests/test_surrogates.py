"""Characters that a server has cut in two."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from deepsel.surrogates import Mender


@given(st.lists(st.text(alphabet="ab😀é", max_size=6)), st.data())
def test_mender_keeps_every_character(texts: list[str], data: st.DataObject) -> None:
    """However text is cut between its UTF-16 units, it comes out whole and can be encoded."""
    text = "".join(texts)
    units = text.encode("utf-16-le")
    cuts = sorted(data.draw(st.sets(st.integers(0, len(units) // 2))) | {0, len(units) // 2})
    mender = Mender()
    parts = [units[2 * a : 2 * b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(cuts)]
    assert "".join([*map(mender.feed, parts), mender.flush()]) == text


@given(st.lists(st.text(alphabet=["a", "\ud83d", "\ude00", "é"])))
def test_mender_gives_only_characters(parts: list[str]) -> None:
    """Whatever halves come, what goes out can be encoded."""
    mender = Mender()
    out = "".join([*map(mender.feed, parts), mender.flush()])
    assert out.encode().decode() == out
    assert out.count("a") == "".join(parts).count("a")
