"""Randomness as everything is given it, so that tests decide it; loads the generator when the first number is drawn."""

from __future__ import annotations

from typing import Protocol


class Rng(Protocol):
    """What the engine knows of chance."""

    def uniform(self, low: float, high: float, /) -> float:
        """Draw a number between the two."""


class SystemRng:
    """The interpreter's own generator: for jitter, not for cryptography."""

    def uniform(self, low: float, high: float, /) -> float:
        """Draw a number between the two."""
        import random

        return random.uniform(low, high)  # noqa: S311 - jitter, not cryptography
