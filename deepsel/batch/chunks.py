"""Parts of a job that a provider has taken as jobs of its own: what the journal keeps of each, from the intent to the end."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias

from deepsel.records import NamedTuple

ChunkState: TypeAlias = Literal["intended", "created", "ended", "void"]
"""intended: it is about to be made, or was and nobody was told; created: the provider has it; ended: every line of it is accounted
for; void: the provider never had it, or refused it."""


class Chunk(NamedTuple):
    """One job at a provider."""

    number: int
    state: ChunkState
    provider: str
    model: str
    """The catalog name."""
    lane: str
    tag: str
    """By which the provider knows it, where it keeps a tag."""
    lines: tuple[int, ...]
    """The numbers of its lines."""
    held_picousd: int
    made_at: float
    """Seconds since the epoch."""
    job_id: str = ""
    """The provider's, once it is known."""
    hold: int | None = None
    """What is held for it under the profile's budgets; None: there are none."""
    word: str = ""
    """The provider's last word for its state."""

    def entry(self) -> bytes:
        """Return it as a line of the journal; after the intent without its lines."""
        members = self._asdict() | {"lines": list(self.lines) if self.state == "intended" else None}
        return json.dumps({"chunk": members}, separators=(",", ":")).encode() + b"\n"


def read_chunk(found: Any, known: Chunk | None) -> Chunk:
    """Read an entry, the lines from the one before; raises KeyError, TypeError or ValueError where it is none."""
    lines = found["lines"]
    if lines is None:
        lines = known.lines if known is not None else ()
    return Chunk(**{**found, "lines": tuple(int(one) for one in lines)})
