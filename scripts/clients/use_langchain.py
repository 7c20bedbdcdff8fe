"""langchain-openai and langchain-anthropic: words, streams, tools, typed answers."""

from __future__ import annotations

from typing import Any

import pydantic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from place import ANTHROPIC_URL, HAS_VECTORS, KEY, MODEL, OPENAI_URL, case, run

MODELS: dict[str, Any] = {
    "chat": ChatOpenAI(model=MODEL, base_url=OPENAI_URL, api_key=KEY, max_retries=0),
    "responses": ChatOpenAI(model=MODEL, base_url=OPENAI_URL, api_key=KEY, max_retries=0, use_responses_api=True),
    "messages": ChatAnthropic(model=MODEL, base_url=ANTHROPIC_URL, api_key=KEY, max_retries=0, max_tokens=400),
}


class Weather(pydantic.BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"warm in {city}"


@case
def words() -> None:
    """A plain answer."""
    for wire, model in MODELS.items():
        made = model.invoke("What is DNS?")
        assert made.text if isinstance(made.text, str) else made.text(), wire


@case
def stream() -> None:
    """The pieces are the answer."""
    for wire, model in MODELS.items():
        assert len(list(model.stream("What is DNS?"))) > 1, wire


@case
def tools() -> None:
    """A call, its result, and the answer after it."""
    for wire, model in MODELS.items():
        able = model.bind_tools([weather])
        asked: list[Any] = [HumanMessage("What is the weather in Rome?")]
        made = able.invoke(asked)
        assert [call["name"] for call in made.tool_calls] == ["weather"], wire
        call = made.tool_calls[0]
        after = able.invoke([*asked, made, ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])])
        assert after.content, wire


@case
def typed() -> None:
    """The answer is an object of the wanted type."""
    for wire, model in MODELS.items():
        assert isinstance(model.with_structured_output(Weather).invoke("Weather in Rome?"), Weather), wire


@case
def vectors() -> None:
    """Texts become vectors."""
    if not HAS_VECTORS:
        return
    made = OpenAIEmbeddings(model=MODEL, base_url=OPENAI_URL, api_key=KEY, check_embedding_ctx_length=False).embed_query("Hi")
    assert len(made) > 0


run()
