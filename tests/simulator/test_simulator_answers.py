"""What good answers say, on both wires, streaming or not."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_client import PATHS, Ask

from deepsel.simulator import Simulator
from deepsel.simulator.answers.reply import UnreadableRequest
from deepsel.simulator.answers.schema import example
from deepsel.simulator.answers.tokens import count, pieces
from deepsel.simulator.wires.table import WIRES as SIMULATED

WIRES = tuple(PATHS)[:2]


@pytest.mark.parametrize("wire", PATHS)
def test_a_stream_and_a_body_say_the_same(wire: str, ask: Ask) -> None:
    """The answer is plainly simulated, made from the prompt, and does not depend on streaming."""
    with Simulator() as simulator:
        whole, stream = ask(simulator, wire), ask(simulator, wire, stream=True)
    assert whole.text == stream.text
    assert whole.text.startswith("[simulated answer from m]")
    assert "Tell me about the sea." in whole.text
    assert whole.is_whole
    assert stream.is_whole


def test_openai_stream_has_role_finish_usage_and_end(ask: Ask) -> None:
    """An openai-chat stream opens with the role and closes with finish value, usage with empty choices, and [DONE]."""
    with Simulator() as simulator:
        events = ask(simulator, stream=True).events
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert events[-3]["choices"][0]["finish_reason"] == "stop"
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["completion_tokens"] == len(events) - 4
    assert events[-1] == "[DONE]"


def test_openai_stream_reports_usage_only_where_asked(ask: Ask) -> None:
    """Without include_usage a stream has no usage; a body always has."""
    with Simulator() as simulator:
        stream = ask(simulator, stream=True, stream_options=None)
        whole = ask(simulator, stream_options=None)
    assert b"usage" not in stream.body
    assert whole.json["usage"]["total_tokens"] > 0


def test_anthropic_stream_has_every_event_in_order(ask: Ask) -> None:
    """An anthropic-messages stream opens and closes each block and names each event."""
    with Simulator() as simulator:
        raw = ask(simulator, "anthropic-messages", stream=True, model="x-reasoner")
    kinds = [event["type"] for event in raw.events]
    assert [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    names = [line[7:].decode() for line in raw.body.split(b"\n") if line.startswith(b"event: ")]
    assert names == kinds


@pytest.mark.parametrize("wire", WIRES)
def test_max_tokens_cuts_the_answer(wire: str, ask: Ask) -> None:
    """An answer longer than allowed has exactly as many tokens as allowed and says that it was cut."""
    with Simulator() as simulator:
        body = ask(simulator, wire, max_tokens=5).json
    if wire == "openai-chat":
        assert body["choices"][0]["finish_reason"] == "length"
        assert body["usage"]["completion_tokens"] == 5
    else:
        assert body["stop_reason"] == "max_tokens"
        assert body["usage"]["output_tokens"] == 5


def test_reasoning_counts_to_max_tokens_and_is_kept_apart(ask: Ask) -> None:
    """A `-reasoner` reasons first; an allowance used up by it leaves no text."""
    with Simulator() as simulator:
        body = ask(simulator, model="x-reasoner", max_tokens=10).json
    choice = body["choices"][0]
    assert choice["message"]["content"] == ""
    assert choice["message"]["reasoning_content"]
    assert choice["finish_reason"] == "length"
    assert body["usage"]["completion_tokens_details"] == {"reasoning_tokens": 10}


@pytest.mark.parametrize(
    ("members", "thinks"),
    [
        ({"model": "x-reasoner"}, True),
        ({"model": "x-reasoner", "thinking": {"type": "disabled"}}, False),
        ({"thinking": {"type": "enabled"}}, True),
        ({"enable_thinking": True}, True),
        ({"reasoning_effort": "low"}, True),
        ({"reasoning_effort": "none"}, False),
        ({}, False),
    ],
)
def test_thinking_is_heeded(members: dict[str, Any], thinks: bool, ask: Ask) -> None:
    """Reasoning follows the model's name unless the request says otherwise."""
    with Simulator() as simulator:
        message = ask(simulator, **members).json["choices"][0]["message"]
    assert ("reasoning_content" in message) is thinks


@pytest.mark.parametrize("wire", WIRES)
def test_cached_prefix_is_reported_in_the_wires_own_way(wire: str, ask: Ask) -> None:
    """The second time, whole blocks of the prompt count as cached: inside one wire's total, beside the other's."""
    text = "sea " * 600
    with Simulator({"default": {"cached_prefix": True}}) as simulator:
        words = (text, text + "x", "y" + text)
        first, second, other = (ask(simulator, wire, text=prompt).json["usage"] for prompt in words)
    if wire == "openai-chat":
        cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in (first, second, other)]
        assert second["prompt_tokens"] == 601
    else:
        cached = [usage["cache_read_input_tokens"] for usage in (first, second, other)]
        assert second["input_tokens"] == 601 - 512
    assert cached == [0, 512, 0]


@pytest.mark.parametrize("wire", WIRES)
def test_output_tokens_sets_the_exact_length(wire: str, ask: Ask) -> None:
    """An answer of a wanted length has it, in few events where several tokens share one."""
    play = {"default": {"output_tokens": 100, "chunk_tokens": 7, "events_per_write": 4}}
    with Simulator(play) as simulator:
        raw = ask(simulator, wire, stream=True)
        assert len(simulator.records[0].token_written_s) == 100
    deltas = [event for event in raw.events if "content_block_delta" in str(event) or "'content': '" in str(event)]
    assert len([event for event in deltas if "role" not in str(event)]) == 15


def test_text_is_said_word_for_word(ask: Ask) -> None:
    """A scenario's text is the answer."""
    with Simulator({"default": {"text": "Grüße, 世界"}}) as simulator:
        assert ask(simulator, stream=True).text == "Grüße, 世界"


def test_code_is_fenced(ask: Ask) -> None:
    """A prompt for code gets a fenced block in its language."""
    with Simulator() as simulator:
        text = ask(simulator, text="Write a C++ function that reverses a list").text
    assert "```cpp\n" in text
    assert text.rstrip().endswith("```")


@pytest.mark.parametrize("wire", WIRES)
def test_schema_is_satisfied(wire: str, ask: Ask) -> None:
    """A requested schema gets a document that satisfies it."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    wanted = {
        "openai-chat": {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}},
        "anthropic-messages": {"output_config": {"format": {"type": "json_schema", "schema": schema}}},
    }[wire]
    with Simulator() as simulator:
        assert json.loads(ask(simulator, wire, **wanted).text) == {"n": 3}


def test_json_object_is_json(ask: Ask) -> None:
    """A requested JSON object is one, and says that it is simulated."""
    with Simulator() as simulator:
        answer = json.loads(ask(simulator, response_format={"type": "json_object"}).text)
    assert answer["simulated"] is True


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "b": {"const": 7}}, "required": ["a", "b", "c"]},
        {"type": "array", "items": {"type": "string", "minLength": 20}, "minItems": 3, "uniqueItems": True},
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}}},
        {"anyOf": [{"type": "number", "exclusiveMinimum": 2, "maximum": 2.5}, {"type": "null"}]},
        {"allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "boolean"}}, "required": ["b"]}]},
        {"type": ["null", "integer"], "minimum": 5, "multipleOf": 4},
        {"type": "integer", "exclusiveMaximum": -3},
        {"type": "string", "maxLength": 3},
        {"prefixItems": [{"type": "integer"}, {"type": "null"}], "minItems": 2},
        {"type": "object", "additionalProperties": False},
        {"type": "array", "maxItems": 0},
        {"type": "string", "format": "date-time"},
    ],
)
def test_examples_satisfy_their_schema(schema: dict[str, Any]) -> None:
    """An independent validator accepts what is made for each kind of schema."""
    jsonschema.validate(example(schema), schema)


@given(st.text())
def test_pieces_join_to_the_text(text: str) -> None:
    """Cutting into tokens loses nothing, and each but the last has four bytes or little more."""
    tokens = pieces(text)
    assert "".join(tokens) == text
    assert all(4 <= len(token.encode()) < 8 for token in tokens[:-1])
    assert count(text) >= len(tokens)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("openai-chat", {"model": ""}, "model"),
        ("openai-chat", {"messages": []}, "messages"),
        ("openai-chat", {"messages": ["x"]}, "role"),
        ("openai-chat", {"max_tokens": 0}, "max_tokens"),
        ("openai-chat", {"stream": "yes"}, "stream"),
        ("openai-chat", {"response_format": "json"}, "response_format"),
        ("anthropic-messages", {"max_tokens": None}, "max_tokens"),
    ],
)
def test_bad_bodies_are_400_in_the_wires_shape(path: str, body: dict[str, Any], words: str, ask: Ask) -> None:
    """A body the wire would refuse is refused, with the member's name."""
    with Simulator() as simulator:
        raw = ask(simulator, path, **body)
    assert raw.status == 400
    assert words in raw.json["error"]["message"]


_KEYS = st.sampled_from(["type", "text", "schema", "json_schema", "role", "content"])
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("wire", WIRES)
@given(junk=_JUNK)
def test_no_body_breaks_the_reader(wire: str, junk: Any) -> None:
    """Whatever stands in a member, a body is read or refused, never a crash."""
    module = next(module for module in SIMULATED if wire == module.NAME)
    names = ("messages", "response_format", "output_config", "thinking", "system", "stream_options", "reasoning_effort")
    for name in names:
        body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": junk}], name: junk}
        with suppress(UnreadableRequest):
            assert module.read(body).model == "m"
