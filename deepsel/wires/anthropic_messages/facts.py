"""What others have to know of the wire `anthropic-messages`."""

from __future__ import annotations

FORMAT: int = 2
END_MARKS: tuple[bytes, ...] = (b"message_stop",)
LENGTH_FIELDS: frozenset[str] = frozenset({"max_tokens"})
