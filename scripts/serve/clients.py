"""Runs other people's clients against a served address before the simulator: whole, streamed, with tools; one line for each.

    python scripts/serve/clients.py URL MODEL [NAME]...

`URL` is what `deepsel serve` printed, `MODEL` one that stands at `deepsel simulate`. A client that is not installed is left out; to be run
in an environment of its own: pip install llm langchain-openai langchain-anthropic 'pydantic-ai-slim[openai,anthropic]' litellm instructor
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable

KEY = "local"
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sun in {city}."


def openai_sdk(url: str, model: str) -> None:
    """Whole, streamed, and a forced tool."""
    from openai import OpenAI

    client = OpenAI(base_url=f"{url}/v1", api_key=KEY)
    user = [{"role": "user", "content": "Hi"}]
    assert client.chat.completions.create(model=model, messages=user).choices[0].message.content
    stream = client.chat.completions.create(model=model, messages=user, stream=True)
    assert "".join(one.choices[0].delta.content or "" for one in stream if one.choices)
    tool = {"type": "function", "function": {"name": "weather", "parameters": _PARAMETERS}}
    answer = client.chat.completions.create(model=model, messages=user, tools=[tool], tool_choice="required")
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


def anthropic_sdk(url: str, model: str) -> None:
    """Whole, streamed, and a forced tool."""
    from anthropic import Anthropic

    client = Anthropic(base_url=url, api_key=KEY)
    ask = {"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": "Hi"}]}
    assert client.messages.create(**ask).content[0].text
    with client.messages.stream(**ask) as stream:
        assert "".join(stream.text_stream)
    tool = {"name": "weather", "input_schema": _PARAMETERS}
    answer = client.messages.create(**ask, tools=[tool], tool_choice={"type": "any"})
    assert answer.stop_reason == "tool_use"
    assert client.messages.count_tokens(model=model, messages=ask["messages"]).input_tokens


def langchain_openai(url: str, model: str) -> None:
    """Whole, streamed, a tool, and a structured answer."""
    from langchain_openai import ChatOpenAI

    chat = ChatOpenAI(base_url=f"{url}/v1", api_key=KEY, model=model)
    _langchain(chat)


def langchain_anthropic(url: str, model: str) -> None:
    """Whole, streamed, a tool, and a structured answer."""
    from langchain_anthropic import ChatAnthropic

    _langchain(ChatAnthropic(base_url=url, api_key=KEY, model=model, max_tokens=200))


def _langchain(chat: object) -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        """A city."""

        name: str

    assert chat.invoke("Hi").content
    assert "".join(str(one.content) for one in chat.stream("Hi"))
    assert chat.bind_tools([weather], tool_choice="weather").invoke("Hi").tool_calls[0]["name"] == "weather"
    assert isinstance(chat.with_structured_output(City, method="function_calling").invoke("Hi"), City)


def pydantic_ai_openai(url: str, model: str) -> None:
    """Whole, streamed, and a typed answer, which is a tool call."""
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    _pydantic_ai(OpenAIChatModel(model, provider=OpenAIProvider(base_url=f"{url}/v1", api_key=KEY)))


def pydantic_ai_anthropic(url: str, model: str) -> None:
    """Whole, streamed, and a typed answer, which is a tool call."""
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(base_url=url, api_key=KEY)
    _pydantic_ai(AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client)))


def _pydantic_ai(chosen: object) -> None:
    import asyncio

    from pydantic import BaseModel
    from pydantic_ai import Agent

    class City(BaseModel):
        """A city."""

        name: str

    async def run() -> None:
        agent = Agent(chosen)
        assert (await agent.run("Hi")).output
        async with agent.run_stream("Hi") as streamed:
            assert "".join([piece async for piece in streamed.stream_text(delta=True)])
        assert isinstance((await Agent(chosen, output_type=City).run("Hi")).output, City)

    asyncio.run(run())


def litellm(url: str, model: str) -> None:
    """Whole, streamed, and by Anthropic's wire."""
    from litellm import completion

    user = [{"role": "user", "content": "Hi"}]
    common = {"messages": user, "api_key": KEY}
    assert completion(model=f"openai/{model}", api_base=f"{url}/v1", **common).choices[0].message.content
    stream = completion(model=f"openai/{model}", api_base=f"{url}/v1", stream=True, **common)
    assert "".join(one.choices[0].delta.content or "" for one in stream)
    assert completion(model=f"anthropic/{model}", api_base=url, max_tokens=100, **common).choices[0].message.content


def instructor(url: str, model: str) -> None:
    """A typed answer, by a tool."""
    import instructor as library
    from openai import OpenAI
    from pydantic import BaseModel

    class City(BaseModel):
        """A city."""

        name: str

    client = library.from_openai(OpenAI(base_url=f"{url}/v1", api_key=KEY))
    found = client.chat.completions.create(model=model, response_model=City, messages=[{"role": "user", "content": "Hi"}])
    assert isinstance(found, City)


def llm(url: str, model: str) -> None:
    """By its own way to name a base URL."""
    from llm.default_plugins.openai_models import Chat

    chat = Chat(model, key=None, api_base=f"{url}/v1")
    chat.key = KEY
    assert chat.prompt("Hi", stream=False).text()
    assert "".join(chat.prompt("Hi"))


CLIENTS: dict[str, tuple[str, Callable[[str, str], None]]] = {
    "openai": ("openai", openai_sdk),
    "anthropic": ("anthropic", anthropic_sdk),
    "langchain-openai": ("langchain_openai", langchain_openai),
    "langchain-anthropic": ("langchain_anthropic", langchain_anthropic),
    "pydantic-ai, openai": ("pydantic_ai", pydantic_ai_openai),
    "pydantic-ai, anthropic": ("pydantic_ai", pydantic_ai_anthropic),
    "litellm": ("litellm", litellm),
    "instructor": ("instructor", instructor),
    "llm": ("llm", llm),
}


def main() -> int:
    """Run the clients that are named, or all; 1 where one fails."""
    url, model, *names = sys.argv[1:]
    failed = 0
    for name, (module, run) in CLIENTS.items():
        if names and name not in names:
            continue
        if importlib.util.find_spec(module) is None:
            print(f"{name}: not installed")
            continue
        try:
            run(url, model)
            print(f"{name}: good")
        except Exception:  # noqa: BLE001 - whatever a client raises is what is looked for
            failed = 1
            print(f"{name}: FAILED\n{traceback.format_exc(limit=-3)}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
