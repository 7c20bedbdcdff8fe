"""Which template writes for which model; the one place to add one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from deepsel.tokens.templates.writer import WrittenPrompt
    from deepsel.values import Request


class Template(Protocol):
    """Writes a request out as a model reads it."""

    def __call__(self, request: Request, *, thinks: bool) -> WrittenPrompt:
        """Return the prompt; `thinks` says whether the model is to think before it answers."""


TEMPLATES: Mapping[str, tuple[str, str]] = {
    "claude": ("claude", "turns"),
    "deepseek-v4": ("deepseek", "v4"),
    "deepseek-v4.1": ("deepseek", "v41"),
    "openai": ("openai", "turns"),
    "qwen3": ("qwen", "json_calls"),
    "qwen3.5": ("qwen", "tagged_calls"),
    "tekken": ("mistral", "tekken"),
}
"""The file here, and the function in it, imported when a request is first written with it."""
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


def template(name: str) -> Template:
    """Return a template by its name in TEMPLATES."""
    file, function = TEMPLATES[name]
    return cast("Template", getattr(import_module(f"deepsel.tokens.templates.{file}"), function))
