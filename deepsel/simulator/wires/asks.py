"""What the requests of all wires have in common: the model, the messages, their text, and the tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepsel.simulator.answers.reply import OfferedTool, ToolOffer, UnreadableRequest


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


def limit(body: Mapping[str, Any], name: str, *, least: int = 1, most: int | None = None) -> int | None:
    """Give a member that is a whole number in bounds; None where it is missing or null. Raises UnreadableRequest otherwise."""
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise UnreadableRequest(f"{name} must be a whole number of at least {least}")
    if value is not None and most is not None and value > most:
        raise UnreadableRequest(f"{name} must be a whole number of at most {most}")
    return value


def stops(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Give the texts before which an answer ends: one, or a list. Raises UnreadableRequest for anything else."""
    value = body.get(name)
    listed = [value] if isinstance(value, str) else value or []
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise UnreadableRequest(f"{name} must be text or a list of texts")
    return tuple(listed)


def offered(body: Mapping[str, Any], schema: str) -> list[OfferedTool]:
    """Give the tools that the caller runs, whose members stand in `function` or beside it; those a provider runs are passed over.

    `schema` names the member that holds the schema of the arguments. Raises UnreadableRequest where there is no list.
    """
    tools = body.get("tools") or []
    if not isinstance(tools, list):
        raise UnreadableRequest("tools must be a list")
    found = []
    for tool in tools:
        function = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or tool.get("type", "function") not in ("function", "custom"):
            continue
        name, wanted = function.get("name"), function.get(schema)
        if isinstance(name, str) and name:
            found.append(OfferedTool(name, wanted if isinstance(wanted, Mapping) else {}))
    return found


def offer_of(body: Mapping[str, Any], schema: str, called: Sequence[str]) -> ToolOffer:
    """Give the tools of a body, what is asked of them, and which have been called since the user spoke last."""
    choice = body.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    inner = choice.get("function", choice) if isinstance(choice, Mapping) else {}
    named = inner.get("name") if isinstance(inner, Mapping) and kind in ("function", "tool") else None
    return ToolOffer(
        tools=tuple(offered(body, schema)),
        must_call=kind in ("required", "any"),
        is_closed=kind == "none",
        only=named if isinstance(named, str) else None,
        called=tuple(called),
    )
