"""What is kept of an answer as a turn of a conversation, and of a question that was asked by itself."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel import config
from deepsel.conversations.codec import write_messages, write_tools
from deepsel.values import Message, Text

if TYPE_CHECKING:
    from deepsel.session.open import Session
    from deepsel.values import Answer, Part, Request, ToolCall

_WORDS = "reasoning_content"
"""The member in which thinking goes back as words alone, with the calls it led to; elsewhere it would need its signature."""


def keep_alone(session: Session, answer: Answer, request: Request) -> str | None:
    """Keep a question and its answer, so that it can be gone on with; return what it is called there.

    None where that cannot be, which is no failure of the question.
    """
    from deepsel.conversations.asked import LoneQuestions

    message = message_of(session, answer)
    if message is None:
        return None
    said = {"asked": write_messages(request.messages), "tools": write_tools(request.tools), "answer": write_messages([message])}
    if any(map(session.secrets.are_in, [*said.values(), *(one.readable for one in (*request.messages, message))])):
        return None
    cost = cost_of(answer)
    row = {
        **said,
        "model": answer.model, "provider": answer.provider, "finish": str(answer.finish),
        "cost_usd": None if cost is None else f"{cost:f}",
    }  # fmt: skip
    with suppress(OSError):
        asked = LoneQuestions(session.paths.data_dir, keep_s=session.settings.conversations.keep_s)
        return asked.keep(row, at=session.clock.now().timestamp())
    return None


def holds_a_secret(session: Session, messages: Iterable[Message]) -> bool:
    """Tell whether what would be kept holds a secret of this process, in its words or in any other part."""
    texts = (text for message in messages for text in (message.readable, write_messages([message])))
    return any(map(session.secrets.are_in, texts))


def cost_of(answer: Answer) -> Decimal | None:
    """Return what an answer adds to a sum: one that no model gave adds nothing."""
    return Decimal(0) if answer.is_simulated else answer.cost_usd


def message_of(session: Session, answer: Answer) -> Message | None:
    """Write an answer as the message of the assistant that it is; None where there is none."""
    if not (answer.text or answer.tool_calls):
        return None
    calls: tuple[ToolCall, ...] = answer.tool_calls
    wire = config.find_provider(session.settings, answer.provider).wire if calls else ""
    thought = _thought(answer, wire) if calls and answer.reasoning else []
    parts: list[Part] = thought + ([Text(answer.text)] if answer.text else [])
    is_bound = bool(thought) or any(call.provider_data for call in calls)
    return Message("assistant", (*parts, *calls), form=wire if is_bound else "")


def _thought(answer: Answer, wire: str) -> list[Part]:
    """Return the thinking that goes back with calls, where the wire takes it as words alone."""
    from deepsel.messages.forms import MEMBER_FORMS
    from deepsel.values import Thinking

    return [Thinking(answer.reasoning)] if wire == MEMBER_FORMS[_WORDS] else []
