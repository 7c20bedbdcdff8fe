"""instructor: typed answers by tools, on both makers' SDKs."""

from __future__ import annotations

from typing import Any

import anthropic
import instructor
import openai
import pydantic
from place import ANTHROPIC_URL, KEY, MODEL, OPENAI_URL, case, run

ASKED: Any = [{"role": "user", "content": "Weather in Rome?"}]


class Weather(pydantic.BaseModel):
    """What is asked for."""

    city: str
    degrees: int


@case
def openai_tools() -> None:
    """Tools."""
    client = instructor.from_openai(openai.OpenAI(base_url=OPENAI_URL, api_key=KEY, max_retries=0), mode=instructor.Mode.TOOLS)
    made = client.chat.completions.create(model=MODEL, messages=ASKED, response_model=Weather, max_retries=0)
    assert isinstance(made, Weather)


@case
def anthropic_tools() -> None:
    """Tools."""
    client = instructor.from_anthropic(anthropic.Anthropic(base_url=ANTHROPIC_URL, api_key=KEY, max_retries=0))
    made = client.messages.create(model=MODEL, max_tokens=400, messages=ASKED, response_model=Weather, max_retries=0)
    assert isinstance(made, Weather)


run()
