"""The one formula that orders candidates; owns weights and scales, no limits (see `plan`).

    utility = (wq * quality + wc * cheapness + wl * speed) / (wq + wc + wl)

    quality   = 1 - (1 - capability) * (f + (1 - f) * difficulty) - p
    cheapness = 1 - log10(1 + cost_usd / $0.0001) / 4          $0: 1, $0.001: 0.74, $0.01: 0.50, $1: 0, $10: -0.25
    speed     = 1 - log2(1 + latency_s) / log2(1 + 120 s)      0 s: 1, 1 s: 0.86, 10 s: 0.50, 120 s: 0

`capability` is the catalog's figure for the task. On an easy prompt what a model lacks shows only to the share `f`
(0.4; for creative work 0.85, since prose that is easy to write is not easy to write well), on a hard one fully. `p` is
a small deduction where a schema is asked for and the model has no native one. All scales are absolute: a candidate's
utility depends on nothing but itself, so one more candidate never turns two others round, a higher price never helps,
and a higher capability never hurts.

What is unknown counts as rather bad, not as worst: capability 0.5, a call of about six cents, an answer in about half a
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
UNKNOWN_CAPABILITY = 0.5
UNKNOWN_CHEAPNESS = 0.3
UNKNOWN_SPEED = 0.3

_EASY_SHARE = {"creative": 0.85}
_USUAL_EASY_SHARE = 0.4
_COST_UNIT_USD = 0.0001
_COST_DECADES = 4
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


def terms(candidate: Candidate, needs: Needs) -> Terms:
    """Compute a candidate's three terms."""
    return Terms(quality(candidate, needs), cheapness(candidate.bill.total_usd), speed(candidate.latency_s))


def quality(candidate: Candidate, needs: Needs) -> float:
    """Return the expected quality of the answer."""
    capability = candidate.model.capability.get(needs.task, UNKNOWN_CAPABILITY)
    share = _EASY_SHARE.get(needs.task, _USUAL_EASY_SHARE)
    shown = share + (1 - share) * needs.difficulty
    return 1 - (1 - capability) * shown - _schema_deduction(candidate, needs)


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
