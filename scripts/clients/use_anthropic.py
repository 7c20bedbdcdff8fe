"""The Anthropic SDK: messages, streamed and not, tools, counts, models, errors."""

from __future__ import annotations

from typing import Any

import anthropic
from place import ANTHROPIC_URL, KEY, MODEL, SCHEMA, TOOL_NAME, case, run

client = anthropic.Anthropic(base_url=ANTHROPIC_URL, api_key=KEY, max_retries=0, _strict_response_validation=True)
ASKED: Any = [{"role": "user", "content": "What is the weather in Rome?"}]
TOOLS: Any = [{"name": TOOL_NAME, "description": "Tell it.", "input_schema": SCHEMA}]


def words(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@case
def messages() -> None:
    """A plain answer, and its usage."""
    made = client.messages.create(model=MODEL, max_tokens=400, messages=ASKED, system="Be brief.")
    assert words(made)
    assert made.stop_reason == "end_turn"
    assert made.usage.output_tokens > 0


@case
def messages_stream() -> None:
    """The pieces are the answer."""
    whole = words(client.messages.create(model=MODEL, max_tokens=400, messages=ASKED))
    with client.messages.stream(model=MODEL, max_tokens=400, messages=ASKED) as stream:
        assert "".join(stream.text_stream) == whole
        assert stream.get_final_message().stop_reason == "end_turn"


@case
def messages_tools() -> None:
    """A call, its result, and the answer after it; streamed too."""
    made = client.messages.create(model=MODEL, max_tokens=400, messages=ASKED, tools=TOOLS)
    calls = [block for block in made.content if block.type == "tool_use"]
    assert [call.name for call in calls] == [TOOL_NAME]
    assert made.stop_reason == "tool_use"
    results: Any = [{"type": "tool_result", "tool_use_id": call.id, "content": "warm"} for call in calls]
    turns: Any = [*ASKED, {"role": "assistant", "content": made.content}, {"role": "user", "content": results}]
    assert words(client.messages.create(model=MODEL, max_tokens=400, messages=turns, tools=TOOLS))
    with client.messages.stream(model=MODEL, max_tokens=400, messages=ASKED, tools=TOOLS) as stream:
        streamed = stream.get_final_message()
    assert [block.input for block in streamed.content if block.type == "tool_use"] == [call.input for call in calls]


@case
def count() -> None:
    """What a request counts."""
    assert client.messages.count_tokens(model=MODEL, messages=ASKED, tools=TOOLS).input_tokens > 0


@case
def models() -> None:
    """The list, and one of it."""
    listed = client.models.list().data
    assert listed
    assert client.models.retrieve(listed[0].id).id == listed[0].id


@case
def unknown_model() -> None:
    """A model that is not there is a 404 in the wire's shape."""
    try:
        client.messages.create(model="no-such-model", max_tokens=9, messages=ASKED)
    except anthropic.NotFoundError as error:
        told = str(error)
    assert "no-such-model" in told


run()
