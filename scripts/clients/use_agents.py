"""openai-agents: an agent with a tool and one with a typed answer, on both of its APIs."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from place import KEY, MODEL, OPENAI_URL, case, run

set_tracing_disabled(True)


def models() -> dict[str, Any]:
    """The model on both APIs, with connections of the loop that runs now."""
    client = AsyncOpenAI(base_url=OPENAI_URL, api_key=KEY, max_retries=0)
    return {"chat": OpenAIChatCompletionsModel(MODEL, client), "responses": OpenAIResponsesModel(MODEL, client)}


class Weather(pydantic.BaseModel):
    """What is asked for as a document."""

    city: str
    degrees: int


@function_tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"warm in {city}"


@case
def text_after_a_tool() -> None:
    """A tool is called and an answer in words follows."""

    async def ask() -> None:
        for wire, model in models().items():
            agent = Agent(name="one", instructions="Be brief.", model=model, tools=[weather])
            asked = await Runner.run(agent, "Weather in Rome?")
            assert any(item.type == "tool_call_output_item" for item in asked.new_items), wire
            assert asked.final_output, wire

    asyncio.run(ask())


@case
def typed() -> None:
    """The answer is an object of the wanted type."""

    async def ask() -> None:
        for wire, model in models().items():
            asked = await Runner.run(Agent(name="one", model=model, output_type=Weather), "Weather in Rome?")
            assert isinstance(asked.final_output, Weather), wire

    asyncio.run(ask())


@case
def streamed() -> None:
    """Events come while the model answers."""

    async def ask() -> None:
        for wire, model in models().items():
            result = Runner.run_streamed(Agent(name="one", model=model, tools=[weather]), "Weather in Rome?")
            assert len([event async for event in result.stream_events()]) > 3, wire

    asyncio.run(ask())


run()
