"""The count endpoint of the wire `openai-responses`: POST /responses/input_tokens.

https://platform.openai.com/docs/api-reference/responses/input-tokens
"""

from __future__ import annotations

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import JsonObject, Model, Provider, Request
from deepsel.wires.openai_responses.request import encode, url
from deepsel.wires.wire import CountRequest

_COUNTED = ("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls", "truncation")
"""The members of a request that the endpoint takes."""


def _count_url(provider: Provider) -> str:
    return f"{url(provider)}/input_tokens"


def _encode_count(request: Request, model: Model, provider: Provider) -> JsonObject:
    body = encode(request, model, provider, max_tokens=1)
    return {name: body[name] for name in _COUNTED if name in body}


def _read_count(document: JsonObject) -> int:
    count = document.get("input_tokens")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise AttemptFailed(ErrorClass.MALFORMED, "the count endpoint answered without `input_tokens`")
    return count


count_request: CountRequest | None = CountRequest(_count_url, _encode_count, _read_count)
