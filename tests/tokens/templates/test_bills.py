"""The makers' own encoders and templates are met to the token; what has no encoder is met within the doubt that is stated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deepsel.messages.chat import read_messages
from deepsel.messages.tools import read_tools
from deepsel.tokens import ModelReader, count_request
from deepsel.values import Request, Source

BILLS = json.loads((Path(__file__).parent / "bills.json").read_text("utf-8"))
VOCABULARY = {"deepseek-v4.1": "deepseek", "deepseek-v4": "deepseek", "tekken": "tekken", "qwen3": "qwen", "qwen3.5": "qwen35"}


def request_of(body: dict[str, Any]) -> Request:
    """Read a chat body."""
    tools = read_tools(body["tools"], "it") if "tools" in body else ()
    return Request(read_messages(body["messages"], "it"), tools=tools, schema=body.get("schema"))


def reader(template: str, vocabulary: str, *, framing: int | None = None, thinks: bool = False) -> ModelReader:
    """Make the reader of a model."""
    return ModelReader(vocabulary, template, framing, None, thinks)


@pytest.mark.parametrize("template", VOCABULARY)
def test_makers_encoders(template: str) -> None:
    """Plain, with system texts, histories, tools, calls, results and schemas, thinking off and on (scripts/estimate/make_bills.py)."""
    rows = [row for row in BILLS if template in row["tokens"]]
    assert len(rows) >= 60
    for row in rows:
        counts = [count_request(request_of(row["body"]), reader(template, VOCABULARY[template], thinks=on)) for on in (False, True)]
        assert [one.tokens for one in counts] == row["tokens"][template], row["body"]
        assert {one.source for one in counts} == {Source.COUNTED}


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {"type": "string", "description": "The unit of temperature to return", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location"],
        },
    },
}
ASKED = {"role": "user", "content": "What's the weather like in San Francisco?"}
SYSTEM = {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."}


@pytest.mark.parametrize(("vocabulary", "billed"), [("o200k_base", 101), ("cl100k_base", 105)])
def test_openai_tools(vocabulary: str, billed: int) -> None:
    """The bills that OpenAI's cookbook prints for its example ("How to count tokens with tiktoken") are within the doubt."""
    body = {"messages": [SYSTEM, ASKED], "tools": [WEATHER]}
    count = count_request(request_of(body), reader("openai", vocabulary))
    assert abs(count.tokens - billed) <= 2
    assert count.source is Source.ESTIMATED
    assert count.error_pct is not None
    assert count.tokens * count.error_pct / 100 >= abs(count.tokens - billed)


def test_claude_tools() -> None:
    """The count that Anthropic's documents give for their example (403) is within the error."""
    tool = json.loads(json.dumps(WEATHER).replace("get_current_weather", "get_weather"))
    del tool["function"]["parameters"]["properties"]["unit"]
    count = count_request(request_of({"messages": [ASKED], "tools": [tool]}), reader("claude", "claude3"))
    assert count.error_pct is not None
    assert abs(count.tokens - 403) <= count.tokens * count.error_pct / 100


@pytest.mark.parametrize(
    ("template", "vocabulary", "framing", "one", "with_system", "further"),
    [
        ("openai", "o200k_base", None, 7, 4, 8),
        ("openai", "o200k_base", 6, 6, 4, 8),
        ("claude", "claude3", None, 7, 0, 4),
        ("claude", "claude3", 6, 6, 0, 4),
        ("deepseek-v4.1", "deepseek", None, 4, 1, 4),
        ("deepseek-v4", "deepseek", None, 4, 0, 4),
        ("tekken", "tekken", None, 3, 1, 3),
        ("tekken", "tekken", 15, 15, 1, 3),
        ("qwen3", "qwen", None, 8, 5, 10),
    ],
)
def test_framing(template: str, vocabulary: str, framing: int | None, one: int, with_system: int, further: int) -> None:
    """What stands around one message, around a system text, and around an answer and a further question."""
    of = reader(template, vocabulary, framing=framing)

    def framed(*roles: str) -> int:
        messages = [{"role": role, "content": "word"} for role in roles]
        return count_request(request_of({"messages": messages}), of).tokens - len(roles)

    assert framed("user") == one
    assert framed("system", "user") == one + with_system
    assert framed("user", "assistant", "user") == one + further


def test_thinking_is_told_first() -> None:
    """A model that thinks is told how hard, which is billed: 30 tokens for Flash, 83 for Pro."""
    hello = request_of({"messages": [{"role": "user", "content": ""}]})
    assert count_request(hello, reader("deepseek-v4.1", "deepseek", thinks=True)).tokens == 30
    assert count_request(hello, reader("deepseek-v4", "deepseek", thinks=True)).tokens == 83


def test_an_unknown_template_is_bounded() -> None:
    """Where neither vocabulary nor template is known the most is what no byte-level vocabulary exceeds, and the error is stated."""
    text = "Q2lhbyBtb25kbyE=" * 40
    count = count_request(request_of({"messages": [{"role": "user", "content": text}]}), ModelReader(None, None, None, None, thinks=False))
    assert count.source is Source.ESTIMATED
    assert count.most is not None
    assert len(text) < count.most < len(text) + 40
