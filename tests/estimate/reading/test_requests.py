"""JSON lines: which are requests, and what of them is counted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.estimate.reading import requests
from deepsel.estimate.reading.requests import is_request_file, lines_of, parse
from deepsel.tokens import Picture

USER = {"role": "user", "content": "Hello"}


@pytest.mark.parametrize(
    ("record", "texts"),
    [
        ({"id": 1, "prompt": "Hello"}, ("Hello",)),
        ({"id": 1, "messages": [USER, {"role": "assistant", "content": "Hi"}]}, ("Hello", "Hi")),
        ({"messages": [USER]}, ("Hello",)),
        ({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [USER]}}, ("Hello",)),
        ({"custom_id": "a", "params": {"system": "Be kind.", "messages": [USER]}}, ("Be kind.", "Hello")),
        ({"custom_id": "a", "url": "/v1/responses", "body": {"instructions": "Be kind.", "input": "Hello"}}, ("Be kind.", "Hello")),
        ({"custom_id": "a", "url": "/v1/embeddings", "body": {"input": ["one", "two"]}}, ("one", "two")),
        ({"input": [USER, {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c", "output": "It is."}]}, ("Hello", "", "It is.")),
        ([USER, {"role": "assistant", "content": "Hi"}], ("Hello", "Hi")),
        ({"instruction": "Add.", "input": "1 and 2", "output": "3"}, ("Add.\n\n1 and 2",)),
        ({"instruction": "Hello", "input": "", "output": "Hi"}, ("Hello",)),
        ({"conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi"}, {"from": "human", "value": "So?"},
                            {"from": "gpt", "value": "Well."}]}, ("Hello", "Hi", "So?")),
        ({"question": "Hello", "answer": "Hi"}, ("Hello",)),
        ({"params": {"messages": [{"role": "user", "content": [
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A contract"}},
            {"type": "text", "text": "."}]}]}}, ("A contract.",)),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "He"}, {"type": "text", "text": "llo"}]}]}, ("Hello",)),
    ],
)
def test_each_shape_is_understood(record: object, texts: tuple[str, ...]) -> None:
    """Every documented shape gives the content of its messages."""
    prompt = parse(json.dumps(record))
    assert prompt is not None
    assert (prompt.texts, prompt.left_out, prompt.uncounted) == (texts, frozenset(), 0)


@pytest.mark.parametrize(
    "line",
    ["", "{", "[1]", "null", "3", '"text"', "{}", '{"prompt": 3}', '{"messages": []}', '{"messages": [1]}', '{"messages": {}}',
     '{"messages": [{"role": "user"}]}', '{"name": "x", "size": 3}', "[" * 100_000, "9" * 5000, '{"a":' * 100_000],
)  # fmt: skip
def test_what_is_no_request_is_none(line: str) -> None:
    """Broken JSON, other JSON and nonsense of any depth or size are no request and no error."""
    assert parse(line) is None


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["messages", "prompt", "input", "content", "body", "tools", "tool_calls", "text", "type"]), inner)))
def test_no_json_makes_it_fail(value: object) -> None:
    """Any JSON value is a request or none."""
    prompt = parse(json.dumps(value))
    assert prompt is None or all(isinstance(text, str) for text in prompt.texts)


def test_what_is_not_counted_is_named() -> None:
    """Tools, tool calls and files are told apart from the text and the pictures, which are counted."""
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}}
    prompt = parse(json.dumps({
        "tools": [{"type": "function"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture, file]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        ],
    }))
    assert prompt is not None
    assert prompt.texts == ("What is it?", "")
    assert prompt.left_out == {"tools that run at the provider", "tool calls"}
    assert (prompt.pictures, prompt.uncounted) == ((Picture(None, None, "low"),), 3)


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "input_text", "text": "Look"}, {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "low"}],
        [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}],
    ],
)
def test_pictures_of_either_endpoint(content: object) -> None:
    """A picture of the Responses API is one as that of the chat API is."""
    prompt = parse(json.dumps({"input": [{"role": "user", "content": content}]}))
    assert prompt is not None
    assert (prompt.texts, prompt.pictures, prompt.uncounted) == (("Look",), (Picture(None, None, "low"),), 0)


def test_items_of_the_responses_api_are_one_request() -> None:
    """A call, its result with a picture, and encrypted thinking are items there: the picture and the words count, no base64."""
    prompt = parse(json.dumps({"input": [
        USER,
        {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "gAAAAABQ" * 99},
        {"type": "function_call", "call_id": "c", "name": "shot", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [
            {"type": "input_text", "text": "Here"}, {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="},
        ]},
        {"type": "function_call_output", "call_id": "c", "output": "Done"},
    ]}))  # fmt: skip
    assert prompt is not None
    assert prompt.texts == ("Hello", "", "Here", "Done")
    assert (prompt.pictures, prompt.uncounted) == ((Picture(),), 1)
    assert prompt.left_out == {"reasoning that is encrypted"}


def test_what_only_a_provider_has_is_uncounted() -> None:
    """A picture that only a provider knows by an id, and sound, are parts whose tokens nobody knows."""
    for part in ({"type": "input_image", "file_id": "f"}, {"type": "input_audio", "input_audio": {"data": "AA=="}}):
        prompt = parse(json.dumps({"input": [{"role": "user", "content": [{"type": "input_text", "text": "Look"}, part]}]}))
        assert prompt is not None
        assert (prompt.texts, prompt.pictures, prompt.uncounted) == (("Look",), (), 1)


def test_lone_surrogates_are_replaced() -> None:
    """Half a surrogate pair becomes U+FFFD and is told; a whole pair is its character."""
    half = (r'{"prompt": "a\ud800b \ud83d\ude00"}', "a\ufffdb 😀", True)
    for line, text, is_told in (half, (r'{"prompt": "\ud83d\ude00"}', "😀", False)):
        prompt = parse(line)
        assert prompt is not None
        assert (prompt.texts, prompt.has_lone_surrogates) == ((text,), is_told)


@given(st.lists(st.text("ab\n ", max_size=8)))
def test_lines_are_the_same_however_the_text_is_cut(blocks: list[str]) -> None:
    """The lines and their numbers do not depend on where the reads fall; blank ones are left out."""
    whole = "".join(blocks).split("\n")
    expected = [(number, line) for number, line in enumerate(whole, 1) if line.strip()]
    assert [(line.number, line.text) for line in lines_of(blocks)] == expected


def test_a_line_without_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is too long is dropped while it is read, and told as a line that is no request."""
    monkeypatch.setattr(requests, "MAX_LINE_CHARS", 10)
    lines = list(lines_of(["aaaa", "aaaaaaaa", "aaaaaaaaaaaaaaaa", "aaa\nb"]))
    assert [(line.number, line.text) for line in lines] == [(1, ""), (2, "b")]


def test_a_file_is_requests_if_one_of_its_first_lines_is() -> None:
    """One broken line at the start does not make a file text; records of another kind do, and so does a cut line alone."""
    request = '{"prompt": "a"}'
    assert is_request_file(f"{{broken\n{request}\n", is_whole=True)
    assert is_request_file(request, is_whole=True)
    assert not is_request_file(request, is_whole=False)
    assert not is_request_file('{"level": "info"}\n' * 30 + request, is_whole=True)
