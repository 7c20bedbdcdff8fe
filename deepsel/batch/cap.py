"""Whether the next line of a job may be sent under `--max-cost`; pure but for its own counts.

Far from the cap lines run side by side: what each is held at is what it will probably cost, times the most that a line has
come to of its projection so far (before that is known, what it can cost at most). Where that no longer fits, a line is sent
alone, as long as its projection does. So a job ends at most one line's projection below the cap, or one bill's error above it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

_ENOUGH = 20
"""Bills from which the worst of them is believed to be about the worst there will be."""
_MARGIN_PCT = 5


class Room(Enum):
    """The answer to a wish to send a line."""

    NOW = "now"
    WHEN_ALONE = "when alone"
    """Ask again when nothing is under way."""
    NEVER = "never"


@dataclass(slots=True)
class Cap:
    """One job's bound on its spend, in 1e-12 USD; None: none."""

    cap: int | None
    spent: int = 0
    """Known bills; those that stay unknown count with what they were held at."""
    held: dict[int, int] = field(default_factory=dict)
    """What the lines under way are held at, by line."""
    _expected: dict[int, int] = field(default_factory=dict)
    _bills: int = 0
    _worst_pct: int = 0
    """The most that a bill has come to of its projection, in percent."""

    def room_for(self, expected: int | None, worst: int | None) -> Room:
        """Tell whether a line may be sent."""
        if self.cap is None:
            return Room.NOW
        if expected is None:
            return Room.NEVER
        left = self.cap - self.spent
        if sum(self.held.values()) + self.hold_of(expected, worst) <= left:
            return Room.NOW
        if expected > left:
            return Room.WHEN_ALONE if self.held else Room.NEVER
        return Room.WHEN_ALONE if self.held else Room.NOW

    def hold_of(self, expected: int | None, worst: int | None) -> int:
        """Return what a line is held at while it is under way."""
        if expected is None:
            return worst or 0
        most = expected if worst is None else worst
        if self._bills < _ENOUGH:
            return max(expected, most)
        return min(max(expected, most), -(-expected * (self._worst_pct + _MARGIN_PCT) // 100))

    def send(self, line: int, expected: int | None, worst: int | None) -> int:
        """Hold what a line may come to; returns it."""
        amount = self.hold_of(expected, worst)
        self.held[line], self._expected[line] = amount, expected or 0
        return amount

    def settle(self, line: int, bill: int | None) -> None:
        """Put a line's bill in place of what it was held at; None: nobody knows it."""
        held, expected = self.held.pop(line, 0), self._expected.pop(line, 0)
        self.spent += held if bill is None else bill
        if bill and expected:
            self._bills += 1
            self._worst_pct = max(self._worst_pct, -(-bill * 100 // expected))
