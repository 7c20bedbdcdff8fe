"""The wire `openai-responses`: its requests, its answers, and what others have to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepsel.wires.openai_responses.count import count_request
from deepsel.wires.openai_responses.facts import END_MARKS, FORMAT, LENGTH_FIELDS
from deepsel.wires.openai_responses.request import encode, headers, is_deterministic, may_think, url, withheld

if TYPE_CHECKING:
    from deepsel.wires import openai_responses
    from deepsel.wires.openai_responses.answer import Decoder
    from deepsel.wires.wire import Wire

    _SHAPE: Wire = openai_responses
else:

    def __getattr__(name: str) -> type:
        """Load the reader of answers when one is to be read: an answer from the cache is not."""
        if name != "Decoder":
            raise AttributeError(name)
        from deepsel.wires.openai_responses.answer import Decoder

        return Decoder

__all__ = [
    "END_MARKS",
    "FORMAT",
    "LENGTH_FIELDS",
    "Decoder",
    "count_request",
    "encode",
    "headers",
    "is_deterministic",
    "may_think",
    "url",
    "withheld",
]
