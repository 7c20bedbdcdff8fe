"""Cutting bytes into events, against a naive parser of the whole text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.wires.sse import Event, EventStream


def cut(chunks: list[bytes], **options: int) -> list[Event]:
    parser = EventStream(**options)
    return [*(event for chunk in chunks for event in parser.feed(chunk)), *parser.rest()]


def naive(document: bytes) -> list[Event]:
    """The WHATWG rules over a whole document, as plainly as they can be written, with names in any case and between blanks."""
    text = document.decode().removeprefix("\ufeff")
    events, data, name = [], [], ""
    for line in [*re.split("\r\n|\r|\n", text), ""]:  # but for the last event, which needs no blank line
        if line == "":
            if "\n".join(data):
                events.append(Event("\n".join(data), name))
            data, name = [], ""
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            field, value = field.strip().lower(), value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
    return events


LINES = st.sampled_from(
    [
        *("data: a", "data:b", "data", "data: ", "event: error", "event", ": ping", "id: 7", "retry: 1", "nonsense"),
        *("data: żółć 😀", "data:  two", "", "", "\u2028", "data: \x0b\x85", "data : x", " Data: y"),
    ]
)
DOCUMENTS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n"])), max_size=25).map(
    lambda pairs: "".join(line + end for line, end in pairs)
)


@given(DOCUMENTS, st.booleans(), st.lists(st.integers(0, 400), max_size=30))
def test_any_chunking_gives_the_same_events(text: str, has_bom: bool, cuts: list[int]) -> None:
    """However the bytes are cut, inside characters and line ends too, the events are those of the whole document."""
    document = (b"\xef\xbb\xbf" if has_bom else b"") + text.encode()
    places = sorted({0, len(document), *(place % (len(document) + 1) for place in cuts)})
    chunks = [document[start:end] for start, end in pairwise(places)]
    assert cut(chunks) == naive(document)
    assert cut([bytes([byte]) for byte in document]) == naive(document)


@pytest.mark.parametrize(
    ("document", "events"),
    [
        (b"data: a\n\n", [Event("a")]),
        (b"data: a\r\rdata: b\r\n\r\n", [Event("a"), Event("b")]),
        (b"event: error\ndata: {}\n\n", [Event("{}", "error")]),
        (b"data: a\ndata: b\n\n", [Event("a\nb")]),
        (b": keep-alive\n\n: keep-alive\n\n", []),
        (b"data:\n\nevent: x\n\ndata: a\n\n", [Event("a")]),
        (b"data: a\n", [Event("a")]),
        (b"event: x\ndata: a", [Event("a", "x")]),
        (b"data: a\n\ndata: b\ndata: c", [Event("a"), Event("b\nc")]),
        (b"data: a\n\n: b", [Event("a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b": \xff\n\ndata: a\n\n", [Event("a")]),
    ],
)
def test_documents(document: bytes, events: list[Event]) -> None:
    """Line ends, names, joined data, comments, empty events, unended events and a byte-order mark follow the rules."""
    assert cut([document]) == events


def test_empty_chunk_changes_nothing() -> None:
    """An empty chunk between CR and LF does not make two lines of one end."""
    assert cut([b"data: a\r", b"", b"\ndata: b\r\n\r\n"]) == [Event("a\nb")]


def test_events_before_a_bad_one_are_given() -> None:
    """Bytes that are not UTF-8 are malformed, after the events that came before them."""
    parser = EventStream().feed(b"data: a\n\ndata: \xc3\x28\n\n")
    assert next(parser) == Event("a")
    with pytest.raises(AttemptFailed) as failed:
        next(parser)
    assert failed.value.error_class is ErrorClass.MALFORMED


@pytest.mark.parametrize("document", [b"data: " + b"x" * 60, b"data: xxxxxxxxx\n" * 9, b":" + b"x" * 60])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_size_is_bounded(document: bytes, size: int) -> None:
    """A line or an event over the bound is malformed before it ends, however it is chunked."""
    chunks = [document[start : start + size] for start in range(0, len(document), size)]
    with pytest.raises(AttemptFailed, match="larger than 50 bytes") as failed:
        cut(chunks, max_event_bytes=50)
    assert failed.value.error_class is ErrorClass.MALFORMED
    assert cut([b"data: " + b"x" * 40 + b"\n\n"] * 5, max_event_bytes=50) == [Event("x" * 40)] * 5
