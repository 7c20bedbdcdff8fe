"""The anthropic-messages wire seen from the server's side: reads requests, writes answers, events and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from deepsel.simulator.answers.errors_table import ErrorRow
from deepsel.simulator.answers.reply import Content, Frame, LimitHeaders, MadeCall, Mark, ReadRequest, UnreadableRequest
from deepsel.simulator.answers.tokens import pieces, said_tokens
from deepsel.simulator.wires.asks import flag, joined_text, limit, messages_of, model_of, offer_of, question_of, stops
from deepsel.simulator.wires.sse import event, grouped

NAME = "anthropic-messages"
PATH = "/messages"
BASE = ""
REQUEST_ID_HEADER = "request-id"
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
KEEP_ALIVE = PING

_STOP = {"complete": "end_turn", "length": "max_tokens", "refused": "refusal", "filtered": "refusal", "missing": None,
         "tool": "tool_use"}  # fmt: skip


def read(body: Mapping[str, Any]) -> ReadRequest:
    """Read a request's body; raise UnreadableRequest where it is not one of this wire."""
    ask = read_prompt(body)
    if ask.max_tokens is None:
        raise UnreadableRequest("max_tokens: Field required")
    return ask


def read_prompt(body: Mapping[str, Any]) -> ReadRequest:
    """Read the body of a count: a request whose `max_tokens` may be missing."""
    messages = messages_of(body)
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, Mapping) else body.get("output_format")
    schema = wanted.get("schema") if isinstance(wanted, Mapping) else None
    thinking = body.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    system = joined_text(body.get("system"))
    texts = [joined_text(message.get("content")) for message in messages]
    return ReadRequest(
        model=model_of(body),
        prompt="\n".join([system, *texts] if system else texts),
        question=question_of([message for message in messages if _speaks(message)] or messages),
        stream=flag(body, "stream"),
        max_tokens=limit(body, "max_tokens"),
        include_usage=True,
        wants_json=isinstance(wanted, Mapping),
        schema=schema if isinstance(schema, Mapping) else None,
        thinking=kind in ("enabled", "adaptive") if isinstance(kind, str) else None,
        offer=offer_of(body, "input_schema", _called(messages)),
        stops=stops(body, "stop_sequences"),
    )


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the blocks of a message's content; none where it is a text."""
    content = message.get("content")
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def _speaks(message: Mapping[str, Any]) -> bool:
    """Tell whether a message is of the user, and not the results of tools alone."""
    return message["role"] == "user" and (not _blocks(message) or bool(joined_text(message.get("content"))))


def _called(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the tools the model has called since the user spoke last."""
    called: list[str] = []
    for message in messages:
        if _speaks(message):
            called = []
        called += [str(block.get("name")) for block in _blocks(message) if block.get("type") == "tool_use"]
    return called


def whole(content: Content) -> dict[str, Any]:
    """Give the body of an answer that is not streamed."""
    blocks: list[dict[str, Any]] = []
    if content.reasoning:
        blocks.append({"type": "thinking", "thinking": content.reasoning, "signature": "simulated"})
    if content.text:
        blocks.append({"type": "text", "text": content.text})
    blocks += [{**_call(call), "input": _input_of(call)} for call in content.calls]
    body = {**_message(content), "content": blocks, **_stop(content)}
    return body if content.usage == "none" else {**body, "usage": {**_input(content), **_output(content)}}


def events(content: Content, *, chunk_tokens: int) -> list[Frame]:
    """Give the events of a streamed answer, one frame each; every block has its start, deltas and stop."""
    start = {**_message(content), "content": [], "stop_reason": None, "stop_sequence": None}
    if content.usage != "none":
        start["usage"] = {**_input(content), "output_tokens": 1}
    frames = [_frame(Mark.OPEN, "message_start", message=start)]
    index = 0
    if content.reasoning:
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        frames.append(_frame(Mark.OPEN, "content_block_start", index=index, content_block=empty))
        frames += [
            _delta(Mark.REASONING, tokens, index, type="thinking_delta", thinking=text)
            for text, tokens in grouped(content.reasoning, chunk_tokens)
        ]
        frames.append(_delta(Mark.OPEN, 0, index, type="signature_delta", signature="simulated"))
        frames.append(_frame(Mark.OPEN, "content_block_stop", index=index))
        index += 1
    if content.text:
        frames.append(_frame(Mark.OPEN, "content_block_start", index=index, content_block={"type": "text", "text": ""}))
        frames.append(Frame(PING, Mark.NOISE))
        frames += [
            _delta(Mark.TEXT, tokens, index, type="text_delta", text=text)
            for text, tokens in grouped(content.text, chunk_tokens)
        ]
        frames.append(_frame(Mark.OPEN, "content_block_stop", index=index))
        index += 1
    for number, call in enumerate(content.calls, index):
        frames.append(replace(_frame(Mark.TEXT, "content_block_start", index=number, content_block={**_call(call), "input": {}}),
                              tokens=len(pieces(call.name))))  # fmt: skip
        frames += [
            _delta(Mark.TEXT, tokens, number, type="input_json_delta", partial_json=text)
            for text, tokens in grouped(call.arguments, chunk_tokens)
        ]
        frames.append(_frame(Mark.OPEN, "content_block_stop", index=number))
    usage = {} if content.usage == "none" else {"usage": {**_input(content), **_output(content)}}
    frames.append(_frame(Mark.FINISH, "message_delta", delta=_stop(content), **usage))
    return [*frames, _frame(Mark.END, "message_stop")]


def _call(call: MadeCall) -> dict[str, Any]:
    """Give the members that lead a call."""
    return {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name}


def _input_of(call: MadeCall) -> Any:
    """Give a call's arguments; an empty object where they were cut."""
    try:
        return json.loads(call.arguments)
    except ValueError:
        return {}


def empty_deltas(_content: Content, block: int) -> bytes:
    """Give a delta without text and one without thinking, whatever kind the block is."""
    empty = (
        _delta(Mark.NOISE, 0, block, type="text_delta", text=""),
        _delta(Mark.NOISE, 0, block, type="thinking_delta", thinking=""),
    )
    return b"".join(frame.data for frame in empty)


def _frame(mark: Mark, kind: str, **members: Any) -> Frame:
    """Write one event, its type both in the event line and in the data."""
    return Frame(event({"type": kind, **members}, kind), mark)


def _delta(mark: Mark, tokens: int, index: int, **delta: str) -> Frame:
    """Write one content_block_delta."""
    body = {"type": "content_block_delta", "index": index, "delta": delta}
    return Frame(event(body, "content_block_delta"), mark, tokens)


def _message(content: Content) -> dict[str, Any]:
    """Give the members that lead an answer."""
    return {"id": f"msg_{content.id}", "type": "message", "role": "assistant", "model": content.model}


def _stop(content: Content) -> dict[str, Any]:
    """Say why the answer ended."""
    stop: dict[str, Any] = {"stop_reason": _STOP[content.finish], "stop_sequence": None}
    if content.stop_sequence is not None:
        stop = {"stop_reason": "stop_sequence", "stop_sequence": content.stop_sequence}
    if stop["stop_reason"] == "refusal":
        stop["stop_details"] = {"type": "refusal", "category": "simulated"}
    return stop


def _input(content: Content) -> dict[str, Any]:
    """Count what was read; input_tokens does not contain the cached part."""
    return {
        "input_tokens": content.input_tokens - content.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": content.cached_tokens,
    }


def _output(content: Content) -> dict[str, Any]:
    """Count what was written; output_tokens contains the thinking."""
    thinking = len(pieces(content.reasoning))
    usage: dict[str, Any] = {"output_tokens": said_tokens(content) + thinking}
    if thinking:
        usage["output_tokens_details"] = {"thinking_tokens": thinking}
    return usage


def error_body(row: ErrorRow, request_id: str) -> Mapping[str, Any]:
    """Give an error in the wire's own shape."""
    error: dict[str, Any] = {"type": row.anthropic_type, "message": row.message}
    if row.details:
        error["details"] = row.details
    return {"type": "error", "error": error, "request_id": request_id}


def error_event(body: Mapping[str, Any]) -> bytes:
    """Give an error as an event inside a stream."""
    return event(body, "error")


def limit_headers(allowance: LimitHeaders) -> dict[str, str]:
    """Say how much of a request limit is left, the reset as an instant."""
    reset = (allowance.at + timedelta(seconds=allowance.reset_s)).isoformat().replace("+00:00", "Z")
    return {
        "anthropic-ratelimit-requests-limit": str(allowance.requests),
        "anthropic-ratelimit-requests-remaining": str(allowance.remaining),
        "anthropic-ratelimit-requests-reset": reset,
    }
