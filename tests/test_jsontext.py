"""JSON is what its standard says, for documents from anybody."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.jsontext import load_at, loads

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    """Any value comes back as it was, also from the middle of a text."""
    text = json.dumps(value)
    assert loads(text) == value
    assert load_at(f"so: {text} ", 4) == (value, 4 + len(text))


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "[-1e400]", "[" * 100_000, "", "'a'", "9" * 5000])
def test_what_is_no_json_is_refused(text: str) -> None:
    """Numbers that are none, numbers too large to be written again, and depth without end are all ValueErrors."""
    for read in (loads, lambda one: load_at(one, 0)):
        with pytest.raises(ValueError):
            read(text)
