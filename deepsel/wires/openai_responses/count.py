"""The count endpoint of the wire `openai-responses`: POST /responses/input_tokens.

https://platform.openai.com/docs/api-reference/responses/input-tokens
"""

from __future__ import annotations

from deepsel.wires.counts import count_by
from deepsel.wires.openai_responses.request import encode, url
from deepsel.wires.wire import CountRequest

_COUNTED = ("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls", "truncation")
"""The members of a request that the endpoint takes."""

count_request: CountRequest | None = count_by(url, encode, suffix="input_tokens", members=_COUNTED)
