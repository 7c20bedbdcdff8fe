"""What is kept of a conversation: its turns, and the messages they come to."""

from __future__ import annotations

from decimal import Decimal

from deepsel.records import NamedTuple
from deepsel.values import Message, Tool


class Turn(NamedTuple):
    """One question and what came of it."""

    number: int
    """From 1, in the order in which they were begun."""
    at: float
    """Seconds since the epoch."""
    asked: tuple[Message, ...]
    """What this turn added: a system message where it set one, results of tools, words and documents of the user."""
    tools: tuple[Tool, ...] = ()
    answer: Message | None = None
    """None: none came, or none has come yet."""
    model: str = ""
    provider: str = ""
    finish: str = ""
    """Empty where there is no answer."""
    cost_usd: Decimal | None = None
    """None: unknown; so is that of a turn without an answer that was broken off."""


class Conversation(NamedTuple):
    """A conversation as it stands."""

    id: int
    name: str | None
    """None: it has no name, and is kept for a while only."""
    last_at: float
    turns: tuple[Turn, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """What a model is given to go on: the last system message first, then every question that was answered, and its answer.

        A question without an answer is left out: it may still be under way elsewhere, or was broken off.
        """
        answered = [turn for turn in self.turns if turn.answer is not None]
        said = [message for turn in answered for message in (*turn.asked, turn.answer) if message is not None]
        system = [message for message in said if message.role == "system"]
        return (*system[-1:], *(message for message in said if message.role != "system"))

    @property
    def last(self) -> Turn | None:
        """The last turn with an answer."""
        return next((turn for turn in reversed(self.turns) if turn.answer is not None), None)

    @property
    def cost_usd(self) -> Decimal:
        """What is known to have been paid for it."""
        return sum((turn.cost_usd for turn in self.turns if turn.cost_usd is not None), Decimal(0))

    @property
    def has_unknown_cost(self) -> bool:
        """Whether the sum is only a part."""
        return any(turn.cost_usd is None for turn in self.turns)

    @property
    def called(self) -> str:
        """How it is named on the command line."""
        return self.name or str(self.id)
