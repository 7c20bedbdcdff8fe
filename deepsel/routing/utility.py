"""The one formula that orders candidates; owns weights and scales, no limits (see `plan`).

    utility = (wq * quality + wc * cheapness + wl * speed) / (wq + wc + wl)

    quality   = logistic(logit(strength) + 6 * (0.5 - difficulty)) - p
    cheapness = 1 - log10(1 + cost_usd / $0.001) / 3           $0: 1, $0.001: 0.90, $0.01: 0.65, $0.10: 0.33, $1: 0
    speed     = 1 - log2(1 + latency_s) / log2(1 + 120 s)      0 s: 1, 1 s: 0.86, 10 s: 0.50, 120 s: 0

`strength` is the catalog's figure for the task: the quality to expect of a prompt of difficulty 0.5. Strength and difficulty stand
on one scale, as in item-response models: on an easy prompt what a model lacks hardly shows, on a hard one fully. `p` is
a small deduction where a schema is asked for and the model has no native one. All scales are absolute: a candidate's
utility depends on nothing but itself, so one more candidate never turns two others round, a higher price never helps,
and a higher strength never hurts. There is no cliff: of two candidates the dearer one leads only where its quality is better by
what the weights make of the difference in cost and time (`needed_quality`).

What is unknown counts as rather bad, not as worst: strength 0.5, a call of about six cents, an answer in about half a
minute.
"""

from __future__ import annotations

import math
from decimal import Decimal

from deepsel.records import NamedTuple
from deepsel.routing.candidates import Candidate, Needs, Weights

STRATEGY_WEIGHTS = {
    "balanced": Weights(0.60, 0.25, 0.15),
    "cheapest": Weights(0.04, 0.95, 0.01),
    "fastest": Weights(0.04, 0.01, 0.95),
    "best": Weights(0.96, 0.02, 0.02),
}
TECHNICAL_WEIGHTS = Weights(0.71, 0.27, 0.02)
"""`balanced` for code and structured work: a wrong program costs more than the moment that a quicker model saves."""
TECHNICAL_TASKS = ("code", "structured")
UNKNOWN_STRENGTH = 0.5
UNKNOWN_CHEAPNESS = 0.4
UNKNOWN_SPEED = 0.3

_STEEPNESS = 6.0
"""How many logits lie between difficulty 0 and 1."""
_LEAST_STRENGTH = 0.005
"""Strengths are kept off 0 and 1 by so much, where logits end."""
_COST_UNIT_USD = 0.001
_COST_DECADES = 3
_LONGEST_S = 120.0
_NO_SCHEMA = 0.04
_JSON_ONLY = 0.01


class Terms(NamedTuple):
    """The three parts of a utility before weighting; 1 is perfect."""

    quality: float
    cheapness: float
    speed: float

    def weighted(self, weights: Weights) -> dict[str, float]:
        """Weigh the parts, so that they add up to the utility."""
        whole = weights.quality + weights.cost + weights.latency
        return {
            "quality": weights.quality / whole * self.quality,
            "cost": weights.cost / whole * self.cheapness,
            "latency": weights.latency / whole * self.speed,
        }


def weights_for(strategy: str, task: str) -> Weights:
    """Return what a strategy cares about for a task."""
    if strategy == "balanced" and task in TECHNICAL_TASKS:
        return TECHNICAL_WEIGHTS
    return STRATEGY_WEIGHTS.get(strategy) or STRATEGY_WEIGHTS["balanced"]


def terms(candidate: Candidate, needs: Needs) -> Terms:
    """Compute a candidate's three terms."""
    return Terms(quality(candidate, needs), cheapness(candidate.bill.total_usd), speed(candidate.latency_s))


def quality(candidate: Candidate, needs: Needs) -> float:
    """Return the expected quality of the answer."""
    strength = candidate.model.capability.get(needs.task, UNKNOWN_STRENGTH)
    return expected_quality(strength, needs.difficulty) - _schema_deduction(candidate, needs)


def expected_quality(strength: float, difficulty: float) -> float:
    """Return the quality that a model of a strength reaches on a prompt of a difficulty, all in [0, 1]."""
    kept = min(1 - _LEAST_STRENGTH, max(_LEAST_STRENGTH, strength))
    logit = math.log(kept / (1 - kept)) + _STEEPNESS * (0.5 - difficulty)
    return 1 / (1 + math.exp(-logit))


def needed_quality(dearer: Terms, cheaper: Terms, weights: Weights) -> float:
    """Return by how much the quality of one has to be better than another's for it to lead: what cost and time it loses weigh."""
    lost = weights.cost * (cheaper.cheapness - dearer.cheapness) + weights.latency * (cheaper.speed - dearer.speed)
    return lost / weights.quality if weights.quality else math.inf


def cheapness(cost_usd: Decimal | None) -> float:
    """Return 1 for free, 0 for a dollar, less beyond."""
    if cost_usd is None:
        return UNKNOWN_CHEAPNESS
    return 1 - math.log10(1 + float(cost_usd) / _COST_UNIT_USD) / _COST_DECADES


def speed(latency_s: float | None) -> float:
    """Return 1 for at once, 0 for two minutes, less beyond."""
    if latency_s is None:
        return UNKNOWN_SPEED
    return 1 - math.log2(1 + latency_s) / math.log2(1 + _LONGEST_S)


def _schema_deduction(candidate: Candidate, needs: Needs) -> float:
    """Return what is taken off where a schema has to be hoped for."""
    features = candidate.model.features
    if not needs.schema or "json_schema" in features:
        return 0.0
    return _JSON_ONLY if "json_object" in features else _NO_SCHEMA
