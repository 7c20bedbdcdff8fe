"""What is kept of a request beside its answer."""

from __future__ import annotations

import pytest

from deepsel.engine.record import question_of
from deepsel.values import Message, Request


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("one\n two\tthree ", "one two three"),
        ("long " * 10_000, ("long " * 3277)[:16_384]),
        ("", ""),
    ],
    ids=["lines", "long", "empty"],
)
def test_the_question_is_the_last_user_message(content: str, question: str) -> None:
    """The last user message is kept on one line, of a very long one the beginning."""
    turns = (Message.of("user", "first"), Message.of("assistant", "and"), Message.of("user", content), Message.of("assistant", "so"))
    assert question_of(Request(turns)) == question


def test_a_request_may_ask_nothing() -> None:
    """A request without a user message has an empty question."""
    assert question_of(Request((Message.of("system", "be brief"),))) == ""
