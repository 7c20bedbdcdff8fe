"""The count endpoint of the wire `anthropic-messages`: POST /v1/messages/count_tokens, free of charge.

https://docs.anthropic.com/en/api/messages-count-tokens
"""

from __future__ import annotations

from deepsel.wires.anthropic_messages.request import encode, url
from deepsel.wires.counts import count_by
from deepsel.wires.wire import CountRequest

_COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config")
"""The members of a request that the endpoint takes."""

count_request: CountRequest | None = count_by(url, encode, suffix="count_tokens", members=_COUNTED)
