"""The observation log: what each attempt took and cost, without a word of its text; shared by every process of the user."""

from deepsel.health.log import Observation, ObservationLog

__all__ = ["Observation", "ObservationLog"]
