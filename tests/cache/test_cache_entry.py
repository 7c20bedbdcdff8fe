"""The text form of an answer: it keeps everything, and anything else reads as a miss."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from cache_support import document_for, make_answer
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cache import CachedAnswer, cache_key
from deepsel.cache.entry import decode, encode
from deepsel.values import Finish, Source, Usage

COUNTS = st.none() | st.integers(min_value=0, max_value=10**12)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.sampled_from(Source))
ANSWERS = st.builds(
    CachedAnswer,
    text=st.text(),
    reasoning=st.text(),
    finish=st.just(Finish.COMPLETE),
    model=st.text(),
    provider=st.text(),
    answered_model=st.none() | st.text(),
    usage=USAGES,
    cost_usd=st.none() | st.decimals(min_value=0, max_value=10**6, places=12),
    document=st.text().map(document_for),
    price_source=st.text(),
    price_as_of=st.none() | st.dates(),
    price_rule=st.text(),
    task=st.none() | st.text(),
    stored_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    ttl_s=st.floats(min_value=0, max_value=1e9),
    version=st.text(),
)


@given(ANSWERS)
def test_everything_is_kept(answer: CachedAnswer) -> None:
    """An answer reads back equal, amounts with every digit."""
    assert decode(encode(answer), cache_key(answer.document)) == answer


@pytest.mark.parametrize("finish", [finish for finish in Finish if finish is not Finish.COMPLETE])
def test_an_incomplete_answer_is_refused(finish: Finish) -> None:
    """Only a complete answer has a text form."""
    with pytest.raises(ValueError, match="only complete"):
        encode(make_answer(finish=finish)[1])


def test_half_an_emoji_is_kept() -> None:
    """Text that is no valid Unicode survives."""
    key, answer = make_answer(text="\ud83d!", prompt="\ud800?")
    text = encode(answer)
    text.encode("utf-8")
    assert decode(text, key) == answer


def _members() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(encode(make_answer()[1]))
    return data


@given(st.sampled_from(sorted(_members().keys() - {"question"})))
def test_a_missing_member_is_a_miss(name: str) -> None:
    """An entry without any one of its members is not served, but for the question, which earlier versions did not keep."""
    data = _members()
    del data[name]
    assert decode(json.dumps(data), make_answer()[0]) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 2),
        ("finish", "length"),
        ("finish", "nonsense"),
        ("text", None),
        ("text", 7),
        ("usage", []),
        ("usage", {"source": "reported"}),
        ("usage", {**_members()["usage"], "cache_read": -1}),
        ("usage", {**_members()["usage"], "cache_read": True}),
        ("usage", {**_members()["usage"], "source": "guessed"}),
        ("cost_usd", 0.5),
        ("cost_usd", "NaN"),
        ("cost_usd", "much"),
        ("stored_at", "yesterday"),
        ("stored_at", "2026-03-01T12:00:00"),
        ("ttl_s", True),
        ("ttl_s", 1e300),
        ("ttl_s", -1),
        ("price_as_of", "soon"),
        ("document", []),
        ("document", {}),
        ("question", None),
        *(("cost_usd", amount) for amount in ("-5", "1e999999", "1e99999999", "NaN", "1_000", "1000001")),
        *(("usage", {**_members()["usage"], "output_visible": count}) for count in (-1, 10**13, True, 1.5)),
        ("question", ["hello"]),
        ("document", document_for("another prompt")),
        ("document", {"x": float("nan")}),
    ],
)
def test_a_wrong_member_is_a_miss(name: str, value: Any) -> None:
    """A member of another type, range, version or request makes the whole entry unreadable."""
    assert decode(json.dumps({**_members(), name: value}), make_answer()[0]) is None


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_other_text_is_a_miss(text: str) -> None:
    """Text that is no entry reads as None and raises nothing."""
    assert decode(text, make_answer()[0]) is None


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format":' + "9" * 5000 + "}", encode(make_answer()[1])[:-1]])
def test_hostile_text_is_a_miss(text: str) -> None:
    """Nesting without end, endless digits and a cut entry raise nothing."""
    assert decode(text, make_answer()[0]) is None


def test_the_prompt_is_the_beginning_of_the_question() -> None:
    """The list shows the first 80 characters of the last user message."""
    assert make_answer(prompt="x" * 100)[1].prompt == "x" * 80


def test_an_entry_of_before_questions_were_kept_is_served() -> None:
    """An entry without `question`, as earlier versions wrote it, is read whole; its question is empty."""
    key, answer = make_answer()
    earlier = {name: value for name, value in _members().items() if name != "question"}
    assert decode(json.dumps(earlier), key) == answer._replace(question="")


def test_expiry_counts_from_the_time_of_storing() -> None:
    """An answer expires its time to live after it was stored."""
    answer = make_answer(stored_at=datetime(2026, 3, 1, tzinfo=UTC), ttl_s=60.0, price_as_of=date(2026, 2, 1))[1]
    assert answer.expires_at == datetime(2026, 3, 1, 0, 1, tzinfo=UTC)
    assert answer.cost_usd == Decimal("0.000125")
