"""The simulator's own token rule: four bytes of UTF-8 a token; it imitates no provider's vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepsel.simulator.answers.reply import Content

BYTES_PER_TOKEN = 4


def count(text: str) -> int:
    """Count the tokens of a prompt: its UTF-8 bytes divided by four, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def pieces(text: str) -> list[str]:
    """Cut an answer into tokens: whole characters until four bytes are reached; the last may be shorter."""
    if text.isascii():
        return [text[start : start + BYTES_PER_TOKEN] for start in range(0, len(text), BYTES_PER_TOKEN)]
    found: list[str] = []
    start = size = 0
    for position, character in enumerate(text):
        size += len(character.encode("utf-8", "surrogatepass"))
        if size >= BYTES_PER_TOKEN:
            found.append(text[start : position + 1])
            start, size = position + 1, 0
    return [*found, text[start:]] if start < len(text) else found


def said_tokens(content: Content) -> int:
    """Count what one answer says beside its reasoning: its text, and the names and arguments of its calls."""
    return len(pieces(content.text)) + sum(len(pieces(call.name)) + len(pieces(call.arguments)) for call in content.calls)
