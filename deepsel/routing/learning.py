"""What a user's own scores say of strengths: the item-response formula solved for the model; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deepsel.records import NamedTuple
from deepsel.routing.utility import UNKNOWN_STRENGTH, expected_quality

PRIOR_PROMPTS = 5.0
"""How many prompts the strength that was known before counts as."""
LEAST_JUDGED = 3
"""Fewer judged answers change nothing."""
_BISECTIONS = 40


class Judged(NamedTuple):
    """One answer that was judged."""

    model: str
    task: str
    difficulty: float
    score: float
    """In [0, 1]."""


class Learned(NamedTuple):
    """One strength that judged answers change."""

    model: str
    task: str
    before: float | None
    """None: nothing was known."""
    after: float
    judged: int


def learn(answers: Iterable[Judged], known: Mapping[str, Mapping[str, float]]) -> list[Learned]:
    """Fit a strength to every model and task with enough judged answers; `known` are the strengths by model and task.

    The strength fitted is the one at which the expected quality of those prompts, and of a few imagined ones of middle
    difficulty on which the model did as was known before, adds up to the scores.
    """
    groups: dict[tuple[str, str], list[Judged]] = {}
    for answer in answers:
        groups.setdefault((answer.model, answer.task), []).append(answer)
    found = []
    for (model, task), own in sorted(groups.items()):
        if len(own) >= LEAST_JUDGED:
            before = known.get(model, {}).get(task)
            found.append(Learned(model, task, before, round(_fitted(own, before), 3), len(own)))
    return found


def _fitted(own: list[Judged], before: float | None) -> float:
    """Find the strength by halving the interval it lies in: expected quality rises with it."""
    prior = UNKNOWN_STRENGTH if before is None else before
    aim = sum(answer.score for answer in own) + PRIOR_PROMPTS * prior
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        reached = sum(expected_quality(middle, answer.difficulty) for answer in own) + PRIOR_PROMPTS * middle
        low, high = (middle, high) if reached < aim else (low, middle)
    return min(0.99, max(0.01, (low + high) / 2))
