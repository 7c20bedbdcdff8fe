"""The wire `openai-chat`: its requests, its answers, and what others have to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepsel.wires.openai_chat.facts import END_MARKS, FORMAT, LENGTH_FIELDS, count_request
from deepsel.wires.openai_chat.request import encode, headers, is_deterministic, may_think, url, withheld

if TYPE_CHECKING:
    from deepsel.wires import openai_chat
    from deepsel.wires.openai_chat.answer import Decoder
    from deepsel.wires.wire import Wire

    _SHAPE: Wire = openai_chat
else:

    def __getattr__(name: str) -> type:
        """Load the reader of answers when one is to be read: an answer from the cache is not."""
        if name != "Decoder":
            raise AttributeError(name)
        from deepsel.wires.openai_chat.answer import Decoder

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
