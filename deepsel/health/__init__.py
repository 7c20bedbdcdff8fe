"""What each attempt took and cost, and what follows from it; shared by every process of the user, without a word of text."""

from __future__ import annotations

from deepsel.health.cooldowns import Endpoint, Seen, Standing, Thresholds
from deepsel.health.holds import Budgets
from deepsel.health.log import Observation, ObservationLog, Spend
from deepsel.health.outlook import Outlook, Outlooks, benched, look

__all__ = [
    "Budgets",
    "Endpoint",
    "Observation",
    "ObservationLog",
    "Outlook",
    "Outlooks",
    "Seen",
    "Spend",
    "Standing",
    "Thresholds",
    "benched",
    "look",
]
