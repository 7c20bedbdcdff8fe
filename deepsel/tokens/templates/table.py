"""Which template writes for which model; the one place to add one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from deepsel.tokens.templates import claude, deepseek, mistral, openai, qwen
from deepsel.tokens.templates.writer import WrittenPrompt
from deepsel.values import Request


class Template(Protocol):
    """Writes a request out as a model reads it."""

    def __call__(self, request: Request, *, thinks: bool) -> WrittenPrompt:
        """Return the prompt; `thinks` says whether the model is to think before it answers."""


TEMPLATES: Mapping[str, Template] = {
    "claude": claude.turns,
    "deepseek-v4": deepseek.v4,
    "deepseek-v4.1": deepseek.v41,
    "openai": openai.turns,
    "qwen3": qwen.json_calls,
    "qwen3.5": qwen.tagged_calls,
    "tekken": mistral.tekken,
}
OF_VOCABULARY: Mapping[str, str] = {
    "cl100k_base": "openai",
    "claude3": "claude",
    "claude47": "claude",
    "claude48": "claude",
    "deepseek": "deepseek-v4.1",
    "o200k_base": "openai",
    "qwen": "qwen3",
    "qwen35": "qwen3.5",
    "tekken": "tekken",
}
"""What a model of a vocabulary is taken to read where its row names no template."""
