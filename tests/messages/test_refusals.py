"""What no part can hold is refused by name; nothing is dropped in silence."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.errors import UsageError
from deepsel.messages.chat import read_messages
from deepsel.messages.lines import read_line
from deepsel.messages.loading import load
from deepsel.messages.tools import read_tool_choice, read_tools
from deepsel.values import Message, Text

USER = {"role": "user", "content": "Hi"}


def part(**members: Any) -> dict[str, Any]:
    return {"role": "user", "content": [members]}


def calls(**members: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [members]}


REFUSED = [
    (part(type="input_audio", input_audio={"data": "x"}), "input_audio"),
    (part(type="video_url"), "video_url"),
    (part(type="refusal", refusal="No."), "refusal"),
    (part(type="search_result"), "search_result"),
    (part(type="server_tool_use", id="a", name="b", input={}), "server_tool_use"),
    (part(type="file", file={"file_id": "file-1"}), "file_id"),
    (part(type="file", file={"file_data": "plain"}), "file_data"),
    (part(type="image", source={"type": "file", "file_id": "x"}), "source"),
    (part(type="image", source={"type": "base64", "media_type": "text/plain", "data": ""}), "media_type"),
    (part(type="image_url", image_url={"url": "file:///etc/passwd"}), "image"),
    (part(type="text"), "text"),
    (part(type="tool_use", id="a", name="b", input="{}"), "input"),
    (part(type="tool_result", content="x"), "tool_use_id"),
    (
        part(type="tool_result", tool_use_id="a", content=[{"type": "tool_use", "id": "a", "name": "b", "input": {}}]),
        "result",
    ),
    (part(type="redacted_thinking"), "data"),
    (part(), "type"),
    (calls(id="a", type="custom", custom={"name": "x", "input": "y"}), "custom"),
    (calls(type="function", function={"name": "x", "arguments": "{}"}), "id"),
    (calls(id="a", type="function", function={"name": "x", "arguments": {}}), "arguments"),
    (calls(id="a", type="function"), "function"),
    (
        {"role": "user", "content": "Hi", "tool_calls": [{"id": "a", "function": {"name": "x", "arguments": "{}"}}]},
        "tool_calls",
    ),
    ({"role": "tool", "content": "x"}, "tool_call_id"),
    ({"role": "function", "content": "x"}, "name"),
    ({"role": "robot", "content": "x"}, "role"),
    ({"role": "assistant", "content": None}, "content"),
    ({"role": "user", "content": []}, "content"),
    (
        {
            "role": "user",
            "name": "Ann",
            "content": [{"type": "image", "source": {"type": "url", "url": "https://x/y"}}],
        },
        "image",
    ),
]


@pytest.mark.parametrize(("message", "said"), REFUSED)
def test_what_cannot_be_held_is_refused_by_name(message: dict[str, Any], said: str) -> None:
    """The error is one line that names the message's number and the member or type."""
    with pytest.raises(UsageError) as caught:
        read_messages([USER, message], "`chat.json`")
    assert "`chat.json`, message 2" in caught.value.message
    assert said in caught.value.message
    assert "\n" not in caught.value.message


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["role", "content", "type", "text", "tool_calls", "function", "id", "name", "arguments", "source"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_messages_or_a_usage_error(value: Any) -> None:
    """No value makes the reader of lists, tools, choices or lines fail otherwise."""
    for read in (read_messages, read_tools, read_tool_choice):
        try:
            read(value, "it")
        except UsageError:
            continue
    with suppress(UsageError):
        read_line(json.dumps(value), "line 1")


TOOL = {"type": "function", "function": {"name": "f"}}
BAD_TOOLS = [
    ({}, "list"),
    ([], "list"),
    ([1], "tool 1"),
    ([TOOL, TOOL], "two tools called `f`"),
    ([{"type": "web_search_20250305", "name": "s"}], "web_search"),
    ([{"type": "function", "function": {}}], "name"),
    ([{"type": "function", "function": {"name": "f", "parameters": []}}], "parameters"),
    ([{"type": "function", "function": {"name": "f", "strict": "yes"}}], "strict"),
    ([{"name": "f"}], "type"),
]


@pytest.mark.parametrize(("data", "said"), BAD_TOOLS)
def test_a_bad_tool_is_refused_by_name(data: Any, said: str) -> None:
    """The error names what is wrong with which tool."""
    with pytest.raises(UsageError, match=said):
        read_tools(data, "`tools.json`")


@pytest.mark.parametrize(
    "choice",
    ["sometimes", 3, {"type": "function"}, {"type": "auto", "disable_parallel_tool_use": True}, {"type": "tool"}],
)
def test_a_choice_that_cannot_be_told_is_refused(choice: Any) -> None:
    """A choice with a member no field stands for is not cut down to what is known."""
    with pytest.raises(UsageError, match="tool_choice"):
        read_tool_choice(choice, "line 1")


LINES = [
    ({"prompt": "Hi"}, None, {}),
    ({"id": 7, "prompt": "Hi", "model": "m"}, "7", {"model": "m"}),
    ({"id": "a", "messages": [USER], "max_tokens": 5}, "a", {"max_tokens": 5}),
    (
        {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [USER]}},
        "a",
        {"model": "m"},
    ),
    ({"custom_id": "a", "params": {"max_tokens": 5, "messages": [USER]}}, "a", {"max_tokens": 5}),
]


@pytest.mark.parametrize(("record", "name", "members"), LINES)
def test_each_line_is_a_request(record: dict[str, Any], name: str | None, members: dict[str, Any]) -> None:
    """Own lines and batch lines give their messages, their id and what else they ask for."""
    line = read_line(json.dumps(record), "line 1")
    assert (line.messages, line.id, line.members) == ((Message("user", (Text("Hi"),)),), name, members)
    assert line.url == record.get("url", "")


BAD_LINES = [
    ("{", "JSON"),
    ("[]", "object"),
    ("{}", "asks nothing"),
    ('{"input": 5}', "input"),
    ('{"input": [{"type": "computer_call"}]}', "computer_call"),
    ('{"prompt": ["a"]}', "prompt"),
    ('{"custom_id": "a", "body": {"prompt": "Hi"}, "colour": 1}', "colour"),
    ('{"id": {}, "prompt": "Hi"}', "id"),
    ('{"prompt": "Hi", "system": [{"type": "image", "source": {"type": "url", "url": "https://x/y"}}]}', "system"),
]


@pytest.mark.parametrize(("text", "said"), BAD_LINES)
def test_a_line_that_cannot_be_sent_is_refused(text: str, said: str) -> None:
    """The error says which line and what of it."""
    with pytest.raises(UsageError) as caught:
        read_line(text, "line 3")
    assert caught.value.message.startswith("line 3")
    assert said in caught.value.message


def test_lone_surrogates_are_replaced_wherever_they_stand() -> None:
    """Half a pair becomes U+FFFD in names and values of any depth; a whole pair is its character."""
    loaded = load(r'[{"a\ud800": ["\udc00", "\ud83d\ude00"]}]')
    assert loaded == ([{"a\ufffd": ["\ufffd", "😀"]}], True)
    assert load(r'"\ud83d\ude00"') == ("😀", False)


def test_a_list_of_messages_is_never_sent_in_part(tmp_path: Path) -> None:
    """What was dropped in silence once (a call, a name, a mark for the cache) is now in the message."""
    listed = json.loads((Path(__file__).parent / "dropped.json").read_text("utf-8"))
    first, second, third = read_messages(listed, "the list")
    assert [type(part).__name__ for part in second.parts] == ["Text", "ToolCall"]
    assert third.provider_data == {"name": "Ann"}
    assert first.parts[0].provider_data == {"cache_control": {"type": "ephemeral"}}
