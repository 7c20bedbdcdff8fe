"""The forms in which messages are written, told apart by what only one of them has; and what binds a request to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepsel.values import Document, Image, Json, Message, Part, Request, Thinking, ToolCall, ToolResult

OPENAI = "openai-chat"
ANTHROPIC = "anthropic-messages"
RESPONSES = "openai-responses"

PART_FORMS: Mapping[str, str] = {
    "image_url": OPENAI,
    "file": OPENAI,
    "image": ANTHROPIC,
    "document": ANTHROPIC,
    "tool_use": ANTHROPIC,
    "tool_result": ANTHROPIC,
    "redacted_thinking": ANTHROPIC,
}
"""Types of content parts that one form has; `thinking` is told by its content."""
MEMBER_FORMS: Mapping[str, str] = dict.fromkeys(
    (
        *("tool_calls", "tool_call_id", "function_call", "name", "refusal", "annotations", "audio"),
        *("reasoning_content", "reasoning", "reasoning_details"),
    ),
    OPENAI,
)
"""Members of a message, beside role and content, that one form has."""


_SAYS_NOTHING: Mapping[str, Mapping[str, tuple[Json, ...]]] = {
    RESPONSES: {
        **dict.fromkeys(("id", "status", "item", "phase", "logprobs", "annotations"), ()),
        "type": ("message", "output_text", "input_text", "refusal"),
        "detail": ("auto",),
    }
}
"""By form: members that say nothing to a model, or nothing with one of these values."""


def wires_needed(request: Request) -> dict[str, str]:
    """Name the wires whose form is the only one that can carry something, and what: a model elsewhere cannot be asked.

    Thinking binds nothing: it is left out where it is not understood.
    """
    needed: dict[str, str] = {}
    if request.given is not None and request.given.only:
        needed[request.given.wire] = request.given.only
    for number, message in enumerate(request.messages, 1):
        what = next(_bound(message), None) if message.form else None
        if what is not None:
            needed.setdefault(message.form, f"`{what}` of message {number}")
    for tool in request.tools:
        if tool.form and tool.provider_data:
            needed.setdefault(tool.form, f"`{_first(tool.provider_data)}` of the tool `{tool.name}`")
    return needed


def _bound(message: Message) -> Iterator[str]:
    """Yield what of a message another form has no place for."""
    yield from _telling(message.provider_data, message.form)
    for part in message.parts:
        yield from _bound_part(part, message.form)


def _bound_part(part: Part, form: str) -> Iterator[str]:
    if isinstance(part, Thinking):
        return
    yield from _telling(part.provider_data, form)
    match part:
        case ToolCall(id="", name=_):
            yield "function_call"
        case ToolCall() if part.parsed is None:
            yield "arguments"
        case ToolResult():
            if part.is_error:
                yield "is_error"
            if not part.call_id:
                yield "role"
            if any(isinstance(inner, Image | Document) for inner in part.parts):
                yield "content"
            for inner in part.parts:
                yield from _bound_part(inner, form)
        case Document() if not part.url.startswith("data:"):
            yield "document"


def _telling(data: Mapping[str, Json], form: str) -> Iterator[str]:
    """Yield the members that say something: a null or an empty list is as good as left out."""
    free = _SAYS_NOTHING.get(form, {})
    for name, value in data.items():
        if value not in (None, [], {}, "") and not (name in free and (not free[name] or value in free[name])):
            yield name


def _first(data: Mapping[str, Json]) -> str:
    name, value = next(iter(data.items()))
    return next(iter(value)) if isinstance(value, dict) and value else name
