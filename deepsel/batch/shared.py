"""What sending and collecting of a job's parts share: who asks whom with which key, and what is held for parts under way."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepsel.batch.chunks import Chunk
from deepsel.batch.keeping import Keeper
from deepsel.batch.notes import Note
from deepsel.batch.planning import LanePlan
from deepsel.batch.replaying import moved
from deepsel.batch.results import Records
from deepsel.config import find_provider
from deepsel.providers.batches import BatchClient
from deepsel.session.open import Session
from deepsel.wires.batches.table import APIS


@dataclass(slots=True)
class Floor:
    """One job's dealings with providers' batch APIs."""

    session: Session
    keeper: Keeper
    records: Records
    plans: list[LanePlan]
    """By the number that a line's note has, from 1."""
    job: str
    _clients: dict[tuple[str, str], BatchClient] = field(default_factory=dict)

    def plan_of(self, note: Note) -> LanePlan | None:
        """Return how a line is sent; None: it cannot be."""
        return self.plans[note.lane - 1] if note.lane else None

    def lane_name(self, note: Note) -> str:
        """Name a line's lane."""
        plan = self.plan_of(note)
        return plan.choice.name if plan else "now"

    def client(self, plan: LanePlan) -> BatchClient:
        """Open the API of a lane."""
        lane = plan.choice.lane
        assert lane is not None
        key = (plan.provider.name, lane.name)
        if key not in self._clients:
            session = self.session
            provider = find_provider(session.settings, plan.provider.name)
            at = moved(session.locate(provider), session.settings.catalog.providers.get(provider.name), lane.base_url)
            self._clients[key] = BatchClient(APIS[lane.api], at, session.key_of(provider), session.transport, session.clock)
        return self._clients[key]

    def open_chunks(self) -> list[Chunk]:
        """List the parts that providers may have."""
        return [chunk for chunk in self.keeper.chunks.values() if chunk.state in ("intended", "created")]

    def held(self) -> int:
        """Add up what is held for the lines of these parts that have no bill yet."""
        total = 0
        for chunk in self.open_chunks():
            left = sum(number not in self.keeper.marks for number in chunk.lines)
            total += chunk.held_picousd * left // max(1, len(chunk.lines))
        return total

    def void(self, chunk: Chunk) -> None:
        """Note that a provider never had a part, or carried none of it out; raises UsageError."""
        self.release(chunk)
        self.keeper.keep_chunk(chunk._replace(state="void", lines=()))

    def release(self, chunk: Chunk) -> None:
        """Give back what is held under the budgets for a part."""
        if chunk.hold is not None:
            self.session.state.add([], hold=chunk.hold)
