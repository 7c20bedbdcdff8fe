"""What the access log says of one request; no text, no key."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from deepsel.serve.completing import calls_of
from deepsel.values import Answer


@dataclass(slots=True)
class AccessLine:
    """One request, as far as it is known."""

    id: str
    method: str
    path: str
    client: str = ""
    status: int | None = None
    model: str | None = None
    provider: str | None = None
    cache: str | None = None
    attempts: int = 0
    cost_usd: Decimal | None = None
    ttft_s: float | None = None
    total_s: float = 0.0
    error: str | None = None
    answer: Answer | None = field(default=None, repr=False)
    """For the metrics."""

    def note(self, answer: Answer) -> None:
        """Note who has answered, and what it cost."""
        self.answer = answer
        self.model, self.provider, self.cache = answer.model, answer.provider, answer.cache.status
        self.attempts, self.cost_usd = calls_of(answer), answer.cost_usd

    def record(self, *, at: str, sent_bytes: int) -> dict[str, Any]:
        """Return the line's members."""
        return {
            "at": at,
            "id": self.id,
            "client": self.client or None,
            "method": self.method,
            "path": self.path[:200],
            "status": self.status,
            "model": self.model,
            "provider": self.provider,
            "cache": self.cache,
            "attempts": self.attempts,
            "cost_usd": self.cost_usd,
            "ttft_s": None if self.ttft_s is None else round(self.ttft_s, 4),
            "total_s": round(self.total_s, 4),
            "sent_bytes": sent_bytes,
            "error": self.error,
        }
