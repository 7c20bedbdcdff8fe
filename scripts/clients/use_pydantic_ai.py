"""pydantic-ai: agents with tools and with typed answers, on all three wires, streamed and not."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from place import ANTHROPIC_URL, KEY, MODEL, OPENAI_URL, case, run
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


def model(wire: str) -> Any:
    """The model on one of the wires, with connections of its own."""
    if wire == "messages":
        return AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=AsyncAnthropic(base_url=ANTHROPIC_URL, api_key=KEY)))
    place = OpenAIProvider(openai_client=AsyncOpenAI(base_url=OPENAI_URL, api_key=KEY))
    return OpenAIChatModel(MODEL, provider=place) if wire == "chat" else OpenAIResponsesModel(MODEL, provider=place)


WIRES = ("chat", "responses", "messages")


class Weather(pydantic.BaseModel):
    """What is asked for as a document."""

    city: str
    degrees: int


def agent(wire: str, **options: Any) -> Agent[None, Any]:
    made = Agent(model(wire), **options)

    @made.tool_plain
    def temperature(city: str) -> int:
        """Tell the temperature of a city."""
        assert city
        return 20

    return made


@case
def text_after_a_tool() -> None:
    """A tool is called and an answer in words follows."""
    for wire in WIRES:
        asked = asyncio.run(agent(wire).run("How warm is Rome?"))
        kinds = [part.part_kind for message in asked.all_messages() for part in message.parts]
        assert "tool-return" in kinds, (wire, kinds)
        assert asked.output, wire


@case
def a_typed_answer() -> None:
    """The answer is an object of the wanted type, given as a call of the output tool."""
    for wire in WIRES:
        asked = asyncio.run(agent(wire, output_type=Weather).run("How warm is Rome?"))
        assert isinstance(asked.output, Weather), wire


@case
def streamed() -> None:
    """The pieces add up to the answer."""

    async def ask(wire: str) -> str:
        async with agent(wire).run_stream("How warm is Rome?") as stream:
            pieces = [piece async for piece in stream.stream_text(delta=True)]
        return "".join(pieces)

    for wire in WIRES:
        assert asyncio.run(ask(wire)), wire


run()
