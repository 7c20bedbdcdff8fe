"""How long an answer may be, and how long it will probably be; pure."""

from __future__ import annotations

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


def expected_output_tokens(task: str, input_tokens: int, *, max_tokens: int, usual: float | None = None) -> int:
    """Project an answer's length from the task, or from what is `usual` for this user; never over `max_tokens`."""
    if usual is not None:
        length = usual
    elif task == "translate":
        length = 1.1 * input_tokens
    elif task == "summarize":
        length = min(500.0, 100 + 0.2 * input_tokens)
    else:
        length = _TYPICAL_OUTPUT.get(task, 400)
    return max(1, min(max_tokens, round(length)))


_TYPICAL_OUTPUT = {"code": 500, "structured": 250, "reasoning": 900, "creative": 900, "chat": 300}
"""Tokens; rounded judgement, replaced by the user's own history as soon as there is one."""
