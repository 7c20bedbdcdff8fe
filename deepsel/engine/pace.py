"""How fast a target may be asked, by what it says is left of its limits; pure.

Far from the limit nobody is slowed. In the last tenth the calls left are spread over the time until the limit is full
again; with none left the next call waits for that moment.
"""

from __future__ import annotations

from deepsel.wires.waits import Allowance, Quota

NEAR_SHARE = 0.1
"""Below this share of a limit calls are spread out."""
FEW = 2
"""What counts as near where the limit itself is not told."""
MAX_PAUSE_S = 60.0
"""A longer reset (a month's tokens) is no reason to sit still: the provider will say so when it refuses."""


def pause_before_next_s(allowance: Allowance) -> float:
    """Return the seconds to leave a target alone after a response that told `allowance`; 0 where there is no need."""
    return max((_pause_s(quota) for quota in (allowance.requests, allowance.tokens) if quota), default=0.0)


def _pause_s(quota: Quota) -> float:
    if quota.reset_s is None or quota.reset_s > MAX_PAUSE_S:
        return 0.0
    if quota.remaining <= 0:
        return quota.reset_s
    near = FEW if quota.limit is None else quota.limit * NEAR_SHARE
    if quota.remaining > near:
        return 0.0
    # Tokens left say nothing of how many calls they are for; one more of the usual size is assumed to fit.
    return quota.reset_s / (quota.remaining + 1) if quota.remaining < 1000 else 0.0
