"""The wire `anthropic-messages`: its requests, its answers, and what others have to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepsel.wires.anthropic_messages.count import count_request
from deepsel.wires.anthropic_messages.facts import END_MARKS, FORMAT, LENGTH_FIELDS
from deepsel.wires.anthropic_messages.request import encode, headers, is_deterministic, may_think, url, withheld

if TYPE_CHECKING:
    from deepsel.wires import anthropic_messages
    from deepsel.wires.anthropic_messages.answer import Decoder
    from deepsel.wires.wire import Wire

    _SHAPE: Wire = anthropic_messages
else:

    def __getattr__(name: str) -> type:
        """Load the reader of answers when one is to be read: an answer from the cache is not."""
        if name != "Decoder":
            raise AttributeError(name)
        from deepsel.wires.anthropic_messages.answer import Decoder

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
