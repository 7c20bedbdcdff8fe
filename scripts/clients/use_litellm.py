"""litellm as a client: chat and messages, streamed and not, tools."""

from __future__ import annotations

from typing import Any

import litellm
from place import ANTHROPIC_URL, KEY, MODEL, OPENAI_URL, SCHEMA, TOOL_NAME, case, run

litellm.suppress_debug_info = True
ASKED: Any = [{"role": "user", "content": "What is the weather in Rome?"}]
TOOLS: Any = [{"type": "function", "function": {"name": TOOL_NAME, "description": "Tell it.", "parameters": SCHEMA}}]
PLACES: Any = {
    "chat": {"model": f"openai/{MODEL}", "api_base": OPENAI_URL, "api_key": KEY, "num_retries": 0},
    "messages": {"model": f"anthropic/{MODEL}", "api_base": ANTHROPIC_URL, "api_key": KEY, "num_retries": 0, "max_tokens": 400},
}


@case
def words() -> None:
    """A plain answer."""
    for wire, place in PLACES.items():
        made = litellm.completion(messages=ASKED, **place)
        assert made.choices[0].message.content, wire
        assert made.usage.total_tokens > 0, wire


@case
def stream() -> None:
    """The pieces are the answer."""
    for wire, place in PLACES.items():
        whole = litellm.completion(messages=ASKED, **place).choices[0].message.content
        parts = [chunk.choices[0].delta.content or "" for chunk in litellm.completion(messages=ASKED, stream=True, **place)]
        assert "".join(parts) == whole, wire


@case
def tools() -> None:
    """A call of the tool."""
    for wire, place in PLACES.items():
        made = litellm.completion(messages=ASKED, tools=TOOLS, **place)
        assert [call.function.name for call in made.choices[0].message.tool_calls] == [TOOL_NAME], wire


@case
def responses() -> None:
    """The Responses API."""
    place = PLACES["chat"]
    made = litellm.responses(model=place["model"], input="What is DNS?", api_base=OPENAI_URL, api_key=KEY)
    assert made.output[0].content[0].text


run()
