"""The count endpoint of the wire `anthropic-messages`: POST /v1/messages/count_tokens, free of charge.

https://docs.anthropic.com/en/api/messages-count-tokens
"""

from __future__ import annotations

from collections.abc import Sequence

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Json, JsonObject, Model, Provider
from deepsel.wires.anthropic_messages.request import url
from deepsel.wires.wire import CountRequest


def _count_url(provider: Provider) -> str:
    return f"{url(provider)}/count_tokens"


def _encode_count(texts: Sequence[str], model: Model) -> JsonObject:
    messages: list[Json] = [{"role": "user", "content": text} for text in texts]
    return {"model": model.id, "messages": messages}


def _read_count(document: JsonObject) -> int:
    count = document.get("input_tokens")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise AttemptFailed(ErrorClass.MALFORMED, "the count endpoint answered without `input_tokens`")
    return count


count_request: CountRequest | None = CountRequest(_count_url, _encode_count, _read_count)
