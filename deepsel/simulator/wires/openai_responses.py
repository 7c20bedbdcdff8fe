"""The openai-responses wire seen from the server's side: reads requests, writes answers, events and errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepsel.simulator.answers.reply import Content, Frame, MadeCall, Mark, ReadRequest, UnreadableRequest
from deepsel.simulator.answers.tokens import pieces, said_tokens
from deepsel.simulator.wires import openai_chat
from deepsel.simulator.wires.asks import flag, joined_text, limit, model_of, offer_of, question_of
from deepsel.simulator.wires.sse import event, grouped

NAME = "openai-responses"
PATH = "/responses"
BASE = "/v1"
REQUEST_ID_HEADER = "x-request-id"
KEEP_ALIVE = b": keep-alive\n\n"

_REASONS = {"length": "max_output_tokens", "filtered": "content_filter"}


def read(body: Mapping[str, Any]) -> ReadRequest:
    """Read a request's body; raise UnreadableRequest where it is not one of this wire."""
    items = _items(body)
    form = body.get("text")
    wanted = form.get("format") if isinstance(form, Mapping) else None
    kind = wanted.get("type") if isinstance(wanted, Mapping) else None
    schema = wanted.get("schema") if isinstance(wanted, Mapping) and kind == "json_schema" else None
    reasoning = body.get("reasoning")
    effort = reasoning.get("effort") if isinstance(reasoning, Mapping) else None
    instructions = body.get("instructions")
    said = [item for item in items if "role" in item]
    texts = [joined_text(item.get("content", item.get("output"))) for item in items]
    return ReadRequest(
        model=model_of(body),
        prompt="\n".join([instructions, *texts] if isinstance(instructions, str) else texts),
        question=question_of(said) if said else "",
        stream=flag(body, "stream"),
        max_tokens=limit(body, "max_output_tokens", least=0) or None,
        include_usage=True,
        wants_json=kind in ("json_object", "json_schema"),
        schema=schema if isinstance(schema, Mapping) else None,
        thinking=effort != "none" if isinstance(effort, str) else None,
        offer=offer_of(body, "parameters", _called(items)),
    )


def _items(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the items of the input; raises UnreadableRequest where it is neither a text nor a list of objects."""
    given = body.get("input")
    if given is None:
        given = ""  # what is asked is kept at the provider
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given or not all(isinstance(item, Mapping) for item in given):
        raise UnreadableRequest("input must be text or a list with at least one item")
    return given


def _called(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the tools the model has called since the user spoke last."""
    called: list[str] = []
    for item in items:
        if item.get("role") == "user":
            called = []
        if item.get("type") == "function_call":
            called.append(str(item.get("name")))
    return called


def whole(content: Content) -> dict[str, Any]:
    """Give the body of an answer that is not streamed."""
    status = "incomplete" if content.finish in _REASONS else "in_progress" if content.finish == "missing" else "completed"
    body = _response(content, status, list(_output(content)))
    if status == "incomplete":
        body["incomplete_details"] = {"reason": _REASONS[content.finish]}
    return body if content.usage == "none" else {**body, "usage": _usage(content)}


def events(content: Content, *, chunk_tokens: int) -> list[Frame]:
    """Give the events of a streamed answer, one frame each; every item and part has its start, deltas and end."""
    numbered = _Numbered()
    begun = _response(content, "in_progress", [])
    frames = [numbered.frame(Mark.OPEN, "created", response=begun), numbered.frame(Mark.OPEN, "in_progress", response=begun)]
    for place, item in enumerate(_output(content)):
        frames += numbered.item(item, place, content, chunk_tokens)
    last = whole(content)
    kind = "incomplete" if last["status"] == "incomplete" else "completed"
    return [*frames, *([] if content.finish == "missing" else [numbered.frame(Mark.FINISH, kind, response=last)])]


class _Numbered:
    """Writes the events of one stream, each with its number."""

    def __init__(self) -> None:
        self._number = -1

    def frame(self, mark: Mark, kind: str, tokens: int = 0, **members: Any) -> Frame:
        """Write one event, its type both in the event line and in the data."""
        self._number += 1
        name = f"response.{kind}"
        return Frame(event({"type": name, "sequence_number": self._number, **members}, name), mark, tokens)

    def item(self, item: dict[str, Any], place: int, content: Content, chunk_tokens: int) -> Iterator[Frame]:
        """Write an item of the output from its start to its end."""
        inside = {"reasoning": self._thought, "function_call": self._arguments}.get(item["type"], self._words)
        empty = {name: value for name, value in _EMPTY.items() if name in item}
        yield self.frame(Mark.OPEN, "output_item.added", output_index=place, item={**item, **empty})
        yield from inside(item, {"item_id": item["id"], "output_index": place}, content, chunk_tokens)
        yield self.frame(Mark.OPEN, "output_item.done", output_index=place, item=item)

    def _thought(self, item: dict[str, Any], where: dict[str, Any], content: Content, chunk_tokens: int) -> Iterator[Frame]:
        where = {**where, "summary_index": 0}
        part = item["summary"][0]
        yield self.frame(Mark.OPEN, "reasoning_summary_part.added", **where, part={**part, "text": ""})
        for text, tokens in grouped(content.reasoning, chunk_tokens):
            yield self.frame(Mark.REASONING, "reasoning_summary_text.delta", tokens, **where, delta=text)
        yield self.frame(Mark.OPEN, "reasoning_summary_text.done", **where, text=content.reasoning)
        yield self.frame(Mark.OPEN, "reasoning_summary_part.done", **where, part=part)

    def _words(self, item: dict[str, Any], where: dict[str, Any], content: Content, chunk_tokens: int) -> Iterator[Frame]:
        where = {**where, "content_index": 0}
        part = item["content"][0]
        kind, name = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
        more: dict[str, Any] = {} if kind == "refusal" else {"logprobs": []}
        yield self.frame(Mark.OPEN, "content_part.added", **where, part={**part, name: ""})
        for text, tokens in grouped(content.text, chunk_tokens):
            yield self.frame(Mark.TEXT, f"{kind}.delta", tokens, **where, delta=text, **more)
        yield self.frame(Mark.OPEN, f"{kind}.done", **where, **dict[str, Any]({name: content.text}), **more)
        yield self.frame(Mark.OPEN, "content_part.done", **where, part=part)

    def _arguments(self, item: dict[str, Any], where: dict[str, Any], _: Content, chunk_tokens: int) -> Iterator[Frame]:
        for text, tokens in grouped(item["arguments"], chunk_tokens):
            yield self.frame(Mark.TEXT, "function_call_arguments.delta", tokens, **where, delta=text)
        yield self.frame(
            Mark.OPEN, "function_call_arguments.done", **where, name=item["name"], arguments=item["arguments"]
        )


_EMPTY: Mapping[str, Any] = {"summary": [], "content": [], "arguments": "", "status": "in_progress"}
"""What an item has in place of its own where it begins."""


def empty_deltas(_content: Content, block: int) -> bytes:
    """Give a delta without text and one without a summary, whatever kind the item is."""
    where = {"item_id": "simulated", "output_index": block}
    text = {"type": "response.output_text.delta", **where, "content_index": 0, "delta": ""}
    summary = {"type": "response.reasoning_summary_text.delta", **where, "summary_index": 0, "delta": ""}
    return b"".join(event(one, str(one["type"])) for one in (text, summary))


def _output(content: Content) -> Iterator[dict[str, Any]]:
    """Give the items of the output, whole."""
    if content.reasoning:
        summary = [{"type": "summary_text", "text": content.reasoning}]
        yield {"id": f"rs_{content.id}", "type": "reasoning", "summary": summary}
    if content.text:
        part = {"type": "output_text", "text": content.text, "annotations": [], "logprobs": []}
        if content.finish == "refused":
            part = {"type": "refusal", "refusal": content.text}
        status = "incomplete" if content.finish in _REASONS else "completed"
        yield {"id": f"msg_{content.id}", "type": "message", "status": status, "role": "assistant", "content": [part]}
    for call in content.calls:
        yield _call(call)


def _call(call: MadeCall) -> dict[str, Any]:
    """Write a call."""
    named = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
    return {"id": f"fc_{call.id}", "type": "function_call", "status": "completed", **named}


def _response(content: Content, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the whole response as it stands."""
    return {
        "id": f"resp_{content.id}",
        "object": "response",
        "created_at": content.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": content.model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
    }


def _usage(content: Content) -> dict[str, Any]:
    """Count both sides; input_tokens contains the cached part, output_tokens the reasoning."""
    reasoning = len(pieces(content.reasoning))
    output = said_tokens(content) + reasoning
    return {
        "input_tokens": content.input_tokens,
        "input_tokens_details": {"cached_tokens": content.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": content.input_tokens + output,
    }


error_body = openai_chat.error_body
limit_headers = openai_chat.limit_headers


def error_event(body: Mapping[str, Any]) -> bytes:
    """Give an error as an event inside a stream, its members beside its type; one of another shape as it is."""
    error = body.get("error")
    if not isinstance(error, Mapping):
        return event(body, "error")
    told = {"code": error.get("code"), "message": error.get("message"), "param": error.get("param")}
    return event({"type": "error", "sequence_number": 0, **told}, "error")
