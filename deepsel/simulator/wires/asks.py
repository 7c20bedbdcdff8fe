"""What both wires' requests have in common: the model, the messages, and their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepsel.simulator.answers.reply import UnreadableRequest


def model_of(body: Mapping[str, Any]) -> str:
    """Give the model's id; raises UnreadableRequest where there is none."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise UnreadableRequest("you must provide a model parameter")
    return model


def messages_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the conversation: at least one message, each an object with a role; raises UnreadableRequest."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise UnreadableRequest("messages must be a list with at least one message")
    for message in messages:
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise UnreadableRequest("each message must be an object with a role")
    return messages


def joined_text(content: Any) -> str:
    """Give the text of a message's content, a string or a list of parts joined without a break; what is no text counts nothing."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return "".join(text for text in texts if isinstance(text, str))


def question_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """Give the text of the user's last message, else of the last one."""
    asked = [message for message in messages if message["role"] == "user"] or messages
    return joined_text(asked[-1].get("content"))


def flag(body: Mapping[str, Any], name: str) -> bool:
    """Give a member that is true or false; missing or null is false. Raises UnreadableRequest for anything else."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise UnreadableRequest(f"{name} must be true or false")
    return bool(value)


def limit(body: Mapping[str, Any], name: str) -> int | None:
    """Give a member that is a number of tokens, at least 1; None where it is missing or null. Raises UnreadableRequest otherwise."""
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise UnreadableRequest(f"{name} must be a whole number of at least 1")
    return value
