"""How long an answer may be, and how long it will probably be; pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from deepsel.values import Model

MARGIN_TOKENS = 32
"""Left free in a window for what a provider adds around messages."""
ESTIMATE_MARGIN = 0.1
"""Left free besides, as a share of a prompt whose tokens are estimated."""
LEAST_ANSWER_TOKENS = 256
"""The smallest answer worth sending a prompt for, unless less is wanted."""


def fit_max_tokens(
    model: Model, input_tokens: int, *, wanted: int, least: int = LEAST_ANSWER_TOKENS, input_is_exact: bool = True
) -> int | None:
    """Return the largest answer up to `wanted` that fits the model's limits; None where not even `least` fits.

    A model's bound on output cuts the wish silently; its window does so only down to `least`. An unknown limit does
    not limit.
    """
    margin = MARGIN_TOKENS + (0 if input_is_exact else round(ESTIMATE_MARGIN * input_tokens))
    if model.max_input is not None and input_tokens + margin - MARGIN_TOKENS > model.max_input:
        return None
    fitted = wanted if model.max_output is None else min(wanted, model.max_output)
    if model.context_window is None:
        return fitted
    room = model.context_window - input_tokens - margin
    return min(fitted, room) if room >= max(1, min(least, fitted)) else None


def expected_output_tokens(
    task: str, input_tokens: int, *, max_tokens: int, usual: float | None = None, thought: int = 0
) -> int:
    """Project an answer's length, never over `max_tokens`.

    It is what is `usual` for this user; else what the task makes, and what is `thought` before it.
    """
    if usual is not None:
        length = usual
    elif task == "translate":
        length = thought + 1.1 * input_tokens
    elif task == "summarize":
        length = thought + min(500.0, 100 + 0.2 * input_tokens)
    else:
        length = thought + _TYPICAL_OUTPUT.get(task, 400)
    return max(1, min(max_tokens, round(length)))


def affordable_tokens(
    cap_usd: Decimal, *, without_output_usd: Decimal | None, at_most_usd: Decimal | None, max_tokens: int
) -> int | None:
    """Return the longest answer a cap buys: the price is a straight line from no output to `max_tokens`.

    None where a price is not known, or not even the prompt is bought.
    """
    if without_output_usd is None or at_most_usd is None or cap_usd < without_output_usd:
        return None
    if at_most_usd <= cap_usd:
        return max_tokens
    share = (cap_usd - without_output_usd) / (at_most_usd - without_output_usd)
    return int(share * max_tokens)


def thinking_tokens(params: Mapping[str, Any], difficulty: float) -> int:
    """Project what a model thinks before it answers, where a raw member of the request asks it to; 0 where none does.

    The members are those of the known makers: `thinking`, `enable_thinking`, `reasoning_effort`, `reasoning`.
    """
    thinking, reasoning = params.get("thinking"), params.get("reasoning")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    effort = params.get("reasoning_effort") or (reasoning.get("effort") if isinstance(reasoning, Mapping) else None)
    asked = kind in ("enabled", "adaptive") or params.get("enable_thinking") is True or effort not in (None, "none")
    return round(_LEAST_THOUGHT + difficulty * _MORE_THOUGHT * _EFFORTS.get(str(effort), 1.0)) if asked else 0


_LEAST_THOUGHT, _MORE_THOUGHT = 400, 3000
_EFFORTS = {"minimal": 0.1, "low": 0.4, "medium": 1.0, "high": 2.0, "xhigh": 3.0, "max": 4.0}
"""Rounded judgement, replaced by the user's own history of answers, thinking included, as soon as there is one."""
_TYPICAL_OUTPUT = {"code": 500, "structured": 250, "reasoning": 900, "creative": 900, "chat": 300}
"""Tokens; rounded judgement, replaced by the user's own history as soon as there is one."""
