"""Reads requests that are only to be counted, in every shape people keep them: what cannot be sent as it is can still be counted.

Beside what `lines` reads: lists of prompts, the items of the Responses API, and training lines (Alpaca, ShareGPT, question and answer), of
which the part that is asked is read. What nobody outside the provider can count (state it keeps, ciphertext, tools that it runs) is
named.
"""

from __future__ import annotations

from collections.abc import Iterator

from deepsel.errors import UsageError
from deepsel.messages.blocks import read_content
from deepsel.messages.chat import ROLES, read_message
from deepsel.messages.lines import unwrapped
from deepsel.messages.loading import load
from deepsel.messages.tools import read_tool_choice, read_tools
from deepsel.records import NamedTuple
from deepsel.values import Json, JsonObject, Message, Request, Thinking, Tool, ToolCall, ToolChoice

PROVIDERS_STATE = "state that the provider keeps"
CIPHERTEXT = "reasoning that is encrypted"
PROVIDERS_TOOLS = "tools that run at the provider"
_STATE = ("previous_response_id", "conversation", "container")
_PART_TYPES = {"input_text": "text", "output_text": "text", "summary_text": "text", "reasoning_text": "text", "refusal": "text"}
"""What the Responses API calls a text."""
_SPEAKERS = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "model": "assistant"}
"""Of a training line in ShareGPT's form."""
_QUESTIONS = ("question", "query")
_ANSWERS = ("answer", "answers", "response", "output", "completion")


class CountedRequest(NamedTuple):
    """A request, and what of it cannot be counted."""

    request: Request
    left_out: frozenset[str] = frozenset()
    """In words."""
    has_lone_surrogates: bool = False
    """Whether a JSON escape stood for half a character; it is read as U+FFFD."""


def read_counted(text: str) -> CountedRequest | None:
    """Read a JSON text that asks something; None where it is no JSON, or asks nothing."""
    try:
        value, has_lone_surrogates = load(text)
    except ValueError:
        return None
    found = request_in(value)
    return found and found._replace(has_lone_surrogates=has_lone_surrogates)


def request_in(value: Json) -> CountedRequest | None:
    """Read a value that asks something: a body, a batch line, a list of messages; None for any other."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "role" in item for item in value):
        value = {"messages": value}
    if not isinstance(value, dict):
        return None
    body, _ = unwrapped(value)
    left_out: set[str] = set()
    try:
        messages = (*_head(body, left_out), *_asked(body, left_out))
    except UsageError:
        return None
    if not messages:
        return None
    if any(body.get(name) for name in _STATE):
        left_out.add(PROVIDERS_STATE)
    tools = tuple(_tools(body, left_out))
    request = Request(messages, tools=tools, tool_choice=_choice(body) if tools else None, schema=_schema(body))
    return CountedRequest(request, frozenset(left_out))


# --- what is asked ----------------------------------------------------------------------------------------------------


def _head(body: JsonObject, left_out: set[str]) -> Iterator[Message]:
    """Yield the system text that stands beside the messages."""
    for name in ("system", "instructions"):
        if body.get(name):
            yield Message("system", read_content(body[name], name, left_out))


def _asked(body: JsonObject, left_out: set[str]) -> list[Message]:
    """Read the messages of a body; raises UsageError for one that asks nothing."""
    if "messages" in body:
        return [read_message(item, "a message", left_out) for item in _list(body["messages"])]
    if "prompt" in body:
        return _prompts(body["prompt"], left_out)
    if "instruction" in body and any(name in body for name in _ANSWERS):
        further = body.get("input")
        texts = [body["instruction"], *([further] if further else [])]
        return [Message.of("user", "\n\n".join(_text(text) for text in texts))]
    if "input" in body:
        return list(_items(body["input"], left_out))
    if "conversations" in body:
        return list(_spoken(body["conversations"]))
    question = next((name for name in _QUESTIONS if name in body), None)
    if question and any(name in body for name in _ANSWERS):
        return [Message.of("user", _text(body[question]))]
    raise UsageError("it asks nothing")


def _prompts(value: Json, left_out: set[str]) -> list[Message]:
    """Read prompts: a text, several, or a prompt that is kept at the provider."""
    if isinstance(value, dict):
        left_out.add(PROVIDERS_STATE)
        return []
    return [Message.of("user", _text(item)) for item in (_list(value) if isinstance(value, list) else [value])]


def _spoken(value: Json) -> Iterator[Message]:
    """Yield what was said in a training line in ShareGPT's form, up to the last question."""
    turns = [item for item in _list(value) if isinstance(item, dict)]
    said = [(item.get("from", item.get("role")), item.get("value", item.get("content"))) for item in turns]
    while said and _SPEAKERS.get(str(said[-1][0])) == "assistant":
        said.pop()
    for speaker, text in said:
        role = _SPEAKERS.get(str(speaker))
        yield Message.of("user" if role is None else role, _text(text))  # type: ignore[arg-type]  # a role of the table


def _items(value: Json, left_out: set[str]) -> Iterator[Message]:
    """Yield the messages of an `input`: a text, several, or items of the Responses API."""
    if isinstance(value, str):
        yield Message.of("user", value)
        return
    for item in _list(value):
        if isinstance(item, str):
            yield Message.of("user", item)
        elif isinstance(item, dict):
            yield from _item(item, left_out)
        else:
            raise UsageError("an item of `input` is no text and no object")


def _item(item: JsonObject, left_out: set[str]) -> Iterator[Message]:
    kind = item.get("type", "message")
    if kind in ("function_call", "custom_tool_call"):
        arguments = item.get("arguments", item.get("input", ""))
        call = ToolCall(str(item.get("call_id", "")), _text(item.get("name")), _text(arguments))
        yield Message("assistant", (call,))
    elif kind in ("function_call_output", "custom_tool_call_output"):
        result = {"role": "tool", "tool_call_id": item.get("call_id") or "call", "content": _parts(item.get("output", ""))}
        yield read_message(result, "an item", left_out)
    elif kind == "reasoning":
        summary = item.get("summary")
        said = [part.get("text") for part in summary if isinstance(part, dict)] if isinstance(summary, list) else []
        if item.get("encrypted_content"):
            left_out.add(CIPHERTEXT)
        yield from [Message("assistant", (Thinking("".join(text for text in said if isinstance(text, str))),))] if said else []
    elif kind == "message" and ("content" in item or "tool_calls" in item):
        role = item.get("role")
        yield read_message({**item, "role": role if role in ROLES else "user", "content": _parts(item.get("content"))}, "an item", left_out)
    else:
        left_out.add(PROVIDERS_TOOLS if str(kind).endswith(("_call", "_output")) else PROVIDERS_STATE)


def _parts(content: Json) -> Json:
    """Give parts of the Responses API the words of chat."""
    if not isinstance(content, list):
        return content
    return [_part(part) if isinstance(part, dict) else part for part in content]


def _part(part: JsonObject) -> JsonObject:
    kind = part.get("type")
    if kind in _PART_TYPES:
        return {"type": "text", "text": part.get("text", part.get("refusal", ""))}
    if kind == "input_image":
        given: JsonObject = {"url": part.get("image_url")}
        return {"type": "image_url", "image_url": given | ({"detail": part["detail"]} if "detail" in part else {})}
    if kind == "input_file":
        return {"type": "file", "file": {name: part[name] for name in ("file_data", "filename", "file_id") if name in part}}
    return part


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise UsageError("it is no text")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list) or not value:
        raise UsageError("it is no list")
    return value


# --- what stands beside it ---------------------------------------------------------------------------------------------


def _tools(body: JsonObject, left_out: set[str]) -> Iterator[Tool]:
    """Yield the tools of a body; those that the provider runs are named, for nobody else knows what is said of them."""
    given = body.get("tools") or body.get("functions")
    for item in given if isinstance(given, list) else []:
        try:
            yield from read_tools([_chat_tool(item)], "a tool")
        except UsageError:
            left_out.add(PROVIDERS_TOOLS)


def _chat_tool(item: Json) -> Json:
    """Give a tool of the Responses API, and one of the old `functions`, the form of chat."""
    if not isinstance(item, dict) or "function" in item or "input_schema" in item or item.get("type", "function") != "function":
        return item
    return {"type": "function", "function": {name: value for name, value in item.items() if name != "type"}}


def _choice(body: JsonObject) -> ToolChoice | None:
    value = body.get("tool_choice")
    try:
        return read_tool_choice(value, "`tool_choice`") if value is not None else None
    except UsageError:
        return None


def _schema(body: JsonObject) -> JsonObject | None:
    """Return the schema that the answer has to satisfy, wherever an API has it."""
    for path in (
        ("response_format", "json_schema", "schema"),
        ("text", "format", "schema"),
        ("output_config", "format", "schema"),
        ("output_format", "schema"),
    ):
        value: Json = body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, dict):
            return value
    return None

