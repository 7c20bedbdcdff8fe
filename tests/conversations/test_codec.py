"""What is kept of messages and tools comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.conversations.codec import read_messages, read_tools, write_messages, write_tools
from deepsel.values import Document, Image, Message, Text, Thinking, Tool, ToolCall, ToolResult

TEXT = st.text(max_size=20)
JSON = st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT, max_size=2)
DATA = st.dictionaries(st.text(min_size=1, max_size=5), JSON, max_size=2)
FLAT: Any = st.one_of(
    st.builds(Text, TEXT, DATA), st.builds(Image, TEXT, TEXT, DATA), st.builds(Document, TEXT, TEXT, TEXT, TEXT, DATA)
)
PART: Any = st.one_of(
    FLAT,
    st.builds(Thinking, TEXT, DATA),
    st.builds(ToolCall, TEXT, TEXT, TEXT, DATA),
    st.builds(ToolResult, TEXT, st.lists(FLAT, max_size=2).map(tuple), st.none() | st.booleans(), TEXT, DATA),
)
MESSAGE = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant", "tool"]),
    st.lists(PART, max_size=3).map(tuple),
    DATA,
    st.sampled_from(["", "openai-chat", "anthropic-messages"]),
)


@given(st.lists(MESSAGE, max_size=3))
def test_messages_come_back_as_they_were(messages: list[Message]) -> None:
    """Every part, with its kind and all its data, whatever text it holds."""
    read = read_messages(write_messages(messages))
    assert read == tuple(messages)
    for one, other in zip(read, messages, strict=True):
        assert [type(part) for part in one.parts] == [type(part) for part in other.parts]


def test_tools_come_back_as_they_were() -> None:
    """Descriptions, schemas and what else a tool has."""
    tools = (Tool("a"), Tool("b", "does", {"type": "object"}, True, {"x": 1}, "openai-chat"))
    assert read_tools(write_tools(tools)) == tools


ODD = '[{"role": "user", "parts": [{"part": "Odd"}], "form": "", "provider_data": {}}]'


@pytest.mark.parametrize("text", ["{", '[{"role": "user"}]', ODD])
def test_what_was_not_written_here_is_an_error(text: str) -> None:
    """Never a message that nobody said."""
    with pytest.raises((ValueError, TypeError)):
        read_messages(text)
