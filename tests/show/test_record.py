"""What all JSON records have in common."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.show.record import dump, dump_parts, price_member


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_one_line_of_utf8(text: str) -> None:
    """Whatever is in a record, lone surrogates included, it is one line that can be sent as UTF-8 and read back."""
    line = dump({"text": text})
    line.encode("utf-8")
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert json.loads(line) == {"text": text}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=()), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), _VALUES, min_size=1, max_size=4), st.lists(_VALUES, max_size=4), st.integers(1, 200))
def test_parts_join_to_the_record(members: dict[str, object], items: list[object], times: int) -> None:
    """A record with a long list, written part by part, reads as the same record with the list whole."""
    line = "".join(dump_parts({**members, "items": iter(items * times)}))
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert json.loads(line) == {**members, "items": items * times}


def test_money_and_times_are_text() -> None:
    """Money has all its digits and no exponent, a time is ISO 8601; what JSON has no form for is a bug."""
    at = datetime(2026, 12, 1, tzinfo=UTC)
    assert dump([Decimal("1E-7"), at]) == '["0.0000001","2026-12-01T00:00:00+00:00"]\n'
    with pytest.raises(TypeError, match="no JSON form for object"):
        dump(object())


def test_an_unknown_price_is_null() -> None:
    """A price nobody knows the source of has null in each place."""
    assert price_member(source="", as_of=None, rule="") == {"source": None, "as_of": None, "rule": None}
    known = price_member(source="a page", as_of=date(2026, 12, 1), rule="peak")
    assert known == {"source": "a page", "as_of": "2026-12-01", "rule": "peak"}
