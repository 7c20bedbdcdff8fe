"""What a job has come to so far, counted line by line; and its summary as a record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from deepsel.batch.journal import Done
from deepsel.storage.amounts import usd
from deepsel.values import JsonObject


@dataclass(slots=True)
class LaneTally:
    """What one lane has carried."""

    lines: int = 0
    cost_picousd: int = 0


@dataclass(slots=True)
class JobTally:
    """Counts over the lines that are done. Written by one thread, read by any."""

    ok: int = 0
    failed: int = 0
    skipped: int = 0
    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_picousd: int = 0
    """Of lines whose cost is known."""
    unknown: int = 0
    """Lines whose cost nobody knows."""
    lost: int = 0
    """Lines that were under way when a process was ended; their bills never came."""
    lost_picousd: int = 0
    """What these were held at, which counts as spent."""
    errors: Counter[str] = field(default_factory=Counter)
    lanes: dict[str, LaneTally] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Lines that have a record."""
        return self.ok + self.failed + self.skipped

    def add(self, done: Done) -> None:
        """Count a line."""
        self._count(done, 1)
        self.calls += done.calls
        self.cached += done.is_cached
        self.input_tokens += done.input_tokens
        self.output_tokens += done.output_tokens
        cost = 0 if done.is_simulated else done.cost_picousd
        self.unknown += cost is None
        self.cost_picousd += cost or 0
        lane = self.lanes.setdefault(done.lane, LaneTally())
        lane.lines += 1
        lane.cost_picousd += cost or 0

    def take_back(self, done: Done) -> None:
        """Forget how a line ended that is asked anew; what was paid for it stays."""
        self._count(done, -1)
        self.lanes[done.lane].lines -= 1

    def lose(self, lines: int, held_picousd: int) -> None:
        """Count lines whose bill never came at what they were held at."""
        self.lost += lines
        self.lost_picousd += held_picousd

    def _count(self, done: Done, step: int) -> None:
        setattr(self, done.status, getattr(self, done.status) + step)
        if done.error is not None:
            self.errors[done.error] += step

    @property
    def cost_usd(self) -> Decimal:
        """What was spent, lost bills included at what they were held at."""
        return usd(self.cost_picousd + self.lost_picousd) or Decimal(0)

    def members(self) -> JsonObject:
        """Return the counts as members of the summary."""
        return {
            "ok": self.ok,
            "failed": self.failed,
            "skipped": self.skipped,
            "calls": self.calls,
            "cached": self.cached,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
        }

    def lane_members(self) -> JsonObject:
        """Return lines and cost by lane."""
        return {
            name: {"lines": one.lines, "cost_usd": f"{usd(one.cost_picousd) or 0:f}"}
            for name, one in self.lanes.items()
            if one.lines or one.cost_picousd
        }

    def error_members(self) -> JsonObject:
        """Return failed and skipped lines by the class of their error."""
        return {name: count for name, count in sorted(self.errors.items()) if count}
