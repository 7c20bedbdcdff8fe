"""What others have to know of the wire `openai-responses`."""

from __future__ import annotations

NAME = "openai-responses"
FORMAT: int = 1
END_MARKS: tuple[bytes, ...] = (b'"response.completed"', b'"response.incomplete"')
LENGTH_FIELDS: frozenset[str] = frozenset({"max_output_tokens"})
