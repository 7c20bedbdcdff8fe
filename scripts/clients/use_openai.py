"""The OpenAI SDK: chat and Responses, streamed and not, tools, schemas, vectors, models, errors."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
from place import HAS_VECTORS, KEY, MODEL, OPENAI_URL, SCHEMA, TOOL_NAME, case, run

client = openai.OpenAI(base_url=OPENAI_URL, api_key=KEY, max_retries=0, _strict_response_validation=True)
lenient = openai.OpenAI(base_url=OPENAI_URL, api_key=KEY, max_retries=0)  # in its strict mode it refuses the base64 it asks for
CHAT: Any = [{"role": "user", "content": "What is the weather in Rome?"}]
TOOLS: Any = [{"type": "function", "function": {"name": TOOL_NAME, "description": "Tell it.", "parameters": SCHEMA}}]
FLAT: Any = [{"type": "function", "name": TOOL_NAME, "description": "Tell it.", "parameters": SCHEMA, "strict": False}]


class Weather(pydantic.BaseModel):
    """What is asked for as a document."""

    city: str
    degrees: int


@case
def chat() -> None:
    """A plain answer, and its usage."""
    made = client.chat.completions.create(model=MODEL, messages=CHAT)
    assert made.choices[0].message.content
    assert made.choices[0].finish_reason == "stop"
    assert made.usage
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens


@case
def chat_stream() -> None:
    """The pieces are the answer, and usage comes at the end."""
    whole = client.chat.completions.create(model=MODEL, messages=CHAT).choices[0].message.content
    parts, usage = [], None
    for chunk in client.chat.completions.create(model=MODEL, messages=CHAT, stream=True, stream_options={"include_usage": True}):
        parts += [choice.delta.content or "" for choice in chunk.choices]
        usage = chunk.usage or usage
    assert "".join(parts) == whole
    assert usage is not None


@case
def chat_tools() -> None:
    """A call, its result, and the answer after it; streamed too."""
    made = client.chat.completions.create(model=MODEL, messages=CHAT, tools=TOOLS)
    calls = made.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == [TOOL_NAME]
    assert made.choices[0].finish_reason == "tool_calls"
    results: Any = [{"role": "tool", "tool_call_id": call.id, "content": "warm"} for call in calls]
    after = client.chat.completions.create(
        model=MODEL, messages=[*CHAT, made.choices[0].message.model_dump(exclude_none=True), *results], tools=TOOLS
    )
    assert after.choices[0].message.content
    with client.chat.completions.stream(model=MODEL, messages=CHAT, tools=TOOLS) as stream:
        streamed = stream.get_final_completion()
    pieces = [json.loads(call.function.arguments) for call in streamed.choices[0].message.tool_calls or []]
    assert pieces == [json.loads(call.function.arguments) for call in calls]


@case
def chat_schema() -> None:
    """A document of the wanted form."""
    made = client.chat.completions.parse(model=MODEL, messages=CHAT, response_format=Weather)
    assert isinstance(made.choices[0].message.parsed, Weather)


@case
def responses() -> None:
    """A plain answer of the Responses API, and its usage."""
    made = client.responses.create(model=MODEL, input="What is DNS?", instructions="Be brief.")
    assert made.output_text
    assert made.status == "completed"
    assert made.usage
    assert made.usage.output_tokens > 0


@case
def responses_stream() -> None:
    """The pieces are the answer, and the last event holds it whole."""
    parts, last = [], None
    for event in client.responses.create(model=MODEL, input="What is DNS?", stream=True):
        if event.type == "response.output_text.delta":
            parts.append(event.delta)
        if event.type == "response.completed":
            last = event.response
    assert last is not None
    assert "".join(parts) == last.output_text
    with client.responses.stream(model=MODEL, input="What is DNS?") as stream:
        assert stream.get_final_response().output_text == last.output_text


@case
def responses_tools() -> None:
    """A call, its result, and the answer after it."""
    made = client.responses.create(model=MODEL, input=CHAT, tools=FLAT)
    calls = [item for item in made.output if item.type == "function_call"]
    assert [call.name for call in calls] == [TOOL_NAME]
    results: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "warm"} for call in calls]
    items: Any = [*CHAT, *(item.model_dump(exclude_none=True) for item in made.output), *results]
    assert client.responses.create(model=MODEL, input=items, tools=FLAT).output_text
    with client.responses.stream(model=MODEL, input=CHAT, tools=FLAT) as stream:
        streamed = stream.get_final_response()
    pieces = [json.loads(item.arguments) for item in streamed.output if item.type == "function_call"]
    assert pieces == [json.loads(call.arguments) for call in calls]


@case
def responses_schema() -> None:
    """A document of the wanted form."""
    made = client.responses.parse(model=MODEL, input="Weather in Rome?", text_format=Weather)
    assert isinstance(made.output_parsed, Weather)


@case
def responses_count() -> None:
    """What a request counts."""
    if hasattr(client.responses, "input_tokens"):
        assert client.responses.input_tokens.count(model=MODEL, input="Hello there").input_tokens > 0


@case
def embeddings() -> None:
    """Vectors of one size."""
    if not HAS_VECTORS:
        return
    made = lenient.embeddings.create(model=MODEL, input=["one", "two"])
    assert len(made.data) == 2
    assert len(made.data[0].embedding) == len(made.data[1].embedding) > 0


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
        client.chat.completions.create(model="no-such-model", messages=CHAT)
    except openai.NotFoundError as error:
        told = str(error)
    assert "no-such-model" in told


run()
