"""The conversation that a question belongs to: what was said before, and what is kept of this turn."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from deepsel import config
from deepsel.cli.ask.kept import cost_of, holds_a_secret, message_of
from deepsel.cli.terminal.terminal import write_note
from deepsel.conversations.records import Conversation, Turn
from deepsel.errors import ConfigError, UsageError
from deepsel.show.money import usd
from deepsel.values import Message

if TYPE_CHECKING:
    from deepsel.conversations.store import Conversations
    from deepsel.session.open import Session
    from deepsel.values import Answer, Request, Tool

_OFF = ("conversations are off: `keep_s` of [conversations] is 0", "`deepsel config unset conversations.keep_s` turns them on")

class Talk:
    """One conversation on its way."""

    def __init__(self, session: Session, store: Conversations, found: Conversation | None, name: str | None) -> None:
        """Take what was found of it; None: it begins, under a name or without one."""
        self._session = session
        self._store = store
        self._name = name
        self._turn: tuple[int, int] | None = None
        self.found = found

    @property
    def history(self) -> tuple[Message, ...]:
        """What was said before."""
        return self.found.messages if self.found else ()

    @property
    def model(self) -> str:
        """Who answered last; empty where nobody did, or the model is known no more."""
        last = self.found.last if self.found else None
        with suppress(ConfigError):
            return config.find_model(self._session.settings, last.model).name if last else ""
        return ""

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What was offered to the model last."""
        last = self.found.last if self.found else None
        return last.tools if last else ()

    def begin(self, request: Request) -> None:
        """Note the question before it is asked, so that it is there whatever happens."""
        which = self.found.id if self.found else self._name
        added = _added(request, self.history)
        if holds_a_secret(self._session, added):
            raise UsageError("the question holds a key of yours, which no conversation keeps", "take it out, or ask without a conversation")
        self._turn = self._store.begin(which, added, tools=request.tools, at=self._now())

    def end(self, answer: Answer) -> None:
        """Keep what came of it, also where that is not whole."""
        assert self._turn is not None, "it was begun"
        turn = _turn(self._session, self._turn[1], answer, at=self._now())
        if turn.answer is not None and holds_a_secret(self._session, [turn.answer]):
            write_note("warning: the answer holds a key of yours and is not kept in the conversation")
            turn = turn._replace(answer=None, finish="")
        self._store.end(self._turn, turn)

    def reread(self) -> None:
        """Look at it again, after a turn."""
        if self._turn is not None:
            self.found = self._store.find(str(self._turn[0]), at=self._now())

    def record(self, answer: Answer) -> dict[str, Any]:
        """Build the member `conversation` of the record."""
        number, turn = self._turn or (None, None)
        return {"id": number, "name": self._name, "turn": turn, "cost_usd": self._total(answer)}

    def told(self, answer: Answer) -> str:
        """Say in the footer which conversation it is and what it has cost in all."""
        number, turn = self._turn or (0, 0)
        known = (self.found.cost_usd if self.found else Decimal(0)) + (cost_of(answer) or Decimal(0))
        bound = "at least " if self._total(answer) is None else ""
        return f"turn {turn} of conversation {self._name or number}, {bound}{usd(known)} in all"

    def _total(self, answer: Answer) -> Decimal | None:
        """Return what it has cost with this answer; None where a part of it is not known."""
        cost = cost_of(answer)
        if cost is None or (self.found is not None and self.found.has_unknown_cost):
            return None
        return cost + (self.found.cost_usd if self.found else Decimal(0))

    def _now(self) -> float:
        return self._session.clock.now().timestamp()


def total_text(found: Conversation | None) -> str:
    """Say what a conversation has cost so far."""
    if found is None:
        return "$0, nothing was asked"
    turns = f"{len(found.turns)} turn{'s' if len(found.turns) != 1 else ''}"
    return f"{'at least ' if found.has_unknown_cost else ''}{usd(found.cost_usd)} in {turns}"


def open_store(session: Session) -> Conversations:
    """Open the user's conversations; raises ConfigError where they are off."""
    if not session.settings.conversations.keep_s:
        raise ConfigError(*_OFF)
    return session.conversations


def talk_of(session: Session, *, goes_on: bool, name: str | None) -> Talk:
    """Open the last conversation, or the one of a name, which begins where there is none.

    Raises UsageError where there is none to go on with, ConfigError where conversations are off.
    """
    if goes_on and name is not None:
        raise UsageError("`--continue` goes on with the last conversation, `--conversation` with one by name", "give one of them")
    store, at = open_store(session), session.clock.now().timestamp()
    if name is not None:
        found = store.find(name.strip(), at=at)
        if found is None and (not name.strip() or name.strip().isdecimal()):
            raise UsageError(f"there is no conversation `{name}`", "a new one takes a name with a letter; `deepsel conversations list`")
        return Talk(session, store, found, found.name if found else name.strip())
    found = store.last(at=at)
    if found is None:
        raise UsageError("there is no conversation to go on with", "ask something first; those without a name are kept for a while only")
    return Talk(session, store, found, found.name)


def new_talk(session: Session) -> Talk:
    """Begin a conversation without a name."""
    return Talk(session, open_store(session), None, None)


def _added(request: Request, history: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return what a request adds to a history: its system message where that is another one, and what follows."""
    system = [message for message in request.messages if message.role == "system" and message not in history]
    before = sum(message.role != "system" for message in history)
    return (*system, *[message for message in request.messages if message.role != "system"][before:])


def _turn(session: Session, number: int, answer: Answer, *, at: float) -> Turn:
    """Make what is kept of an answer: its words, its calls with all that has to go back with them, and how it came about."""
    message = message_of(session, answer)
    finish = "" if message is None else answer.finish
    return Turn(number, at, (), (), message, answer.model, answer.provider, finish, cost_of(answer))
