"""Text that stops too early is recognised; text that is whole is left alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.engine.judging.wholeness import stops_in_sentence, stops_inside

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, min_size=1) | st.dictionaries(st.text(), JSON, min_size=1), st.data())
def test_json_is_whole_or_cut(document: object, data: st.DataObject) -> None:
    """A whole document is never called cut; any proper beginning of one that shows what it is always is."""
    text = json.dumps(document)
    assert stops_inside(text) is None
    assert stops_inside(f"```json\n{text}\n```\n") is None
    cut = text[: data.draw(st.integers(2, len(text) - 1))] if len(text) > 2 else ""
    if cut and cut[1] in '"{[]}0123456789-':
        assert stops_inside(cut) == "a JSON document"


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("Here:\n```py\nx = 1\n", "a code fence"),
        ("Here:\n```py\nx = 1\n```\nDone.", None),
        ("~~~\n```\n~~~", None),
        ("````\n```\n", None),
        ("```markdown\n```js\nx\n```\n```\nDone.", None),
        ("Use ``` as a fence", None),
        ("[simulated answer] words", None),
        ("[Note: an aside", None),
        ('{"a": "x} ]', "a JSON document"),
        ("", None),
        ("1. one\n2. two", None),
    ],
)
def test_fences_and_documents(text: str, inside: str | None) -> None:
    """Fences follow CommonMark; prose that happens to begin with a bracket is no document."""
    assert stops_inside(text) == inside


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("One thing is so. Another is not. A third one is left open. And the last one breaks off in the midd", True),
        ("One thing is so. Another is not. A third one is left open. And the last one is whole as well.", False),
        ("Paris", False),
        ("No full stops here at all just a line of words that goes on and on without an end", False),
        ("A. B. C.\n- a list item that is rather long and ends without a full stop as they do", False),
        ("第一句。第二句。第三句。" + "这是一个很长很长的句子" * 5, True),
    ],
)
def test_prose_that_breaks_off_is_suspected(text: str, cut: bool) -> None:
    """Long prose that ends within a sentence is suspected; short answers, lists and titles are not."""
    assert stops_in_sentence(text) is cut
