"""What others have to know of the wire `openai-chat`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepsel.wires.wire import CountRequest

FORMAT: int = 3
END_MARKS: tuple[bytes, ...] = (b"[DONE]",)
LENGTH_FIELDS: frozenset[str] = frozenset({"max_tokens", "max_completion_tokens"})
count_request: CountRequest | None = None
"""No host of this wire has a count endpoint."""
