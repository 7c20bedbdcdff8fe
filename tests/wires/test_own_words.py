"""Effort and stop as each host has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deepsel.catalog import Catalog
from deepsel.wires.own_words import in_own_words

CATALOG = Catalog()


@pytest.mark.parametrize(
    ("name", "effort", "expected"),
    [
        ("deepseek-flash", "high", {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
        ("deepseek-flash", "none", {"thinking": {"type": "disabled"}}),
        ("qwen3.8-flash", "high", {"enable_thinking": True}),
        ("qwen3.8-flash", "none", {"enable_thinking": False}),
        ("gpt-6-luna", "low", {"reasoning_effort": "low"}),
        ("gpt-6-luna", "none", {"reasoning_effort": "none"}),
        ("claude-opus-5-5", "low", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
    ],
)
def test_effort(name: str, effort: str, expected: dict[str, Any]) -> None:
    """What the row's own switch says decides."""
    model = CATALOG.find_model(name)
    assert in_own_words({"reasoning_effort": effort}, model, CATALOG.providers[model.provider]) == expected


def test_others_stay(model: Callable[..., Any], provider: Callable[..., Any]) -> None:
    """What nobody has another word for is not touched, nor copied."""
    params = {"top_p": 1}
    assert in_own_words(params, model(), provider()) is params
    own = {"reasoning_effort": "low", "thinking": {"type": "enabled", "budget_tokens": 2000}, "output_config": {"format": 1}}
    found = in_own_words(own, model(), provider(wire="anthropic-messages"))
    assert found == {"thinking": own["thinking"], "output_config": {"effort": "low", "format": 1}}
