"""Decides, without any I/O but its own data files, which model should answer; owns no network, clock or storage."""

from __future__ import annotations

from deepsel.routing.candidates import (
    Candidate,
    Choice,
    Cooling,
    Needs,
    Plan,
    Policy,
    Refusal,
    Weights,
    expected_output_tokens,
    fit_max_tokens,
)
from deepsel.routing.plan import plan
from deepsel.routing.task import Detection, detect

__all__ = [
    "Candidate",
    "Choice",
    "Cooling",
    "Detection",
    "Needs",
    "Plan",
    "Policy",
    "Refusal",
    "Weights",
    "detect",
    "expected_output_tokens",
    "fit_max_tokens",
    "plan",
]
