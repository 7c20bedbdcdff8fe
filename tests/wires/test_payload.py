"""What an event's data holds: one document, several that nothing parts, one that broke off before an error."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.wires.payload import apart, is_done, read_data
from deepsel.wires.sse import Event, EventStream

ONE, TWO, ERROR = '{"a": {"b": "}{\\n data: {"}}', '{"c": [1, {}]}', '{"error": {"message": "x"}}'


@pytest.mark.parametrize(
    ("data", "documents"),
    [
        (ONE, [ONE]),
        (json.dumps(json.loads(ONE), indent=1), [json.dumps(json.loads(ONE), indent=1)]),
        (f"{ONE}{TWO}", [ONE, TWO]),
        (f"{ONE}\n{TWO}\n[DONE]", [ONE, TWO, "[DONE]"]),
        (f"{ONE}data: {TWO}", [ONE, TWO]),
        ('{"id": "x", "choi\n' + ERROR, [ERROR]),
        ('{"id": "x", "choidata: ' + ERROR, [ERROR]),
        ('{"id": "x", "choi\n' + TWO, ['{"id": "x", "choi\n' + TWO]),
        ("[DONE]", ["[DONE]"]),
        ("a\nb", ["a\nb"]),
    ],
)
def test_what_stands_in_one_event(data: str, documents: list[str]) -> None:
    """Documents that nothing parts are read each; behind one that broke off only an error counts, since text is lost."""
    found = apart(Event(data, "error"))
    assert [event.data for event in found] == documents
    assert [event.event for event in found] == [""] * (len(documents) - 1) + ["error"]


@given(st.lists(st.sampled_from([ONE, TWO, ERROR]), min_size=1, max_size=5), st.booleans(), st.lists(st.integers(0, 200), max_size=9))
def test_a_stream_without_blank_lines_is_read_as_one_with_them(documents: list[str], has_data: bool, cuts: list[int]) -> None:
    """Each line that begins a document behind one that has ended is an event of its own, by its own name, as soon as the next begins."""
    lines = [f"event: e{number}\ndata: {one}\n" for number, one in enumerate(documents)]
    text = "".join(lines if has_data else (line.replace("\ndata: ", "\n") for line in lines)).encode()
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    parser = EventStream()
    found = [event for start, end in pairwise(places) for event in parser.feed(text[start:end])]
    assert len(found) >= len(documents) - 1
    assert [*found, *parser.rest()] == [Event(one, f"e{number}") for number, one in enumerate(documents)]


@pytest.mark.parametrize("data", [": note", "ping", "[PING]", "keep-alive", "null", "true", "OK", '""', "data: data:", ""])
def test_what_says_nothing(data: str) -> None:
    """Comments and words that keep a connection open are no documents, and no errors."""
    assert read_data(data) is None


@pytest.mark.parametrize("data", ["[DONE]", "[done]", '"[DONE]"', "DONE", "data: [DONE]"])
def test_end_markers(data: str) -> None:
    """The end marker is known in its spellings."""
    assert is_done(data)
