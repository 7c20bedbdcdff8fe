"""How long the user's own answers of a task usually are, from the log of past requests."""

from __future__ import annotations

from deepsel.health.state import SharedState
from deepsel.records import NamedTuple

HISTORY_DAYS = 30
_DAY_S = 86_400.0


class UsualAnswer(NamedTuple):
    """What a task's answers came to."""

    tokens: int
    """Their median; of an even number the higher of the two in the middle."""
    answers: int
    """How many that is the median of."""


def usual_answer(state: SharedState, task: str, *, at_s: float) -> UsualAnswer | None:
    """Sum up the answers of the days before `at_s` (seconds since the epoch); None where there is none, or no log."""
    rows = state.since(at_s - HISTORY_DAYS * _DAY_S).value or []
    lengths = sorted(
        row.output_tokens for row in rows if row.task == task and row.outcome == "ok" and row.output_tokens is not None
    )
    return UsualAnswer(lengths[len(lengths) // 2], len(lengths)) if lengths else None
