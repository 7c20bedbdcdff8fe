"""The openai-chat wire seen from the server's side: reads requests, writes answers, events and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deepsel.simulator.answers.errors_table import ErrorRow
from deepsel.simulator.answers.reply import Content, Frame, LimitHeaders, MadeCall, Mark, ReadRequest, UnreadableRequest
from deepsel.simulator.answers.tokens import pieces, said_tokens
from deepsel.simulator.wires.asks import flag, joined_text, limit, messages_of, model_of, offer_of, question_of, stops
from deepsel.simulator.wires.sse import event, grouped

NAME = "openai-chat"
PATH = "/chat/completions"
BASE = "/v1"
REQUEST_ID_HEADER = "x-request-id"
KEEP_ALIVE = b": keep-alive\n\n"

_FINISH = {"complete": "stop", "length": "length", "refused": "stop", "filtered": "content_filter", "missing": None,
           "tool": "tool_calls"}  # fmt: skip
_MOST_ANSWERS = 128


def read(body: Mapping[str, Any]) -> ReadRequest:
    """Read a request's body; raise UnreadableRequest where it is not one of this wire."""
    messages = messages_of(body)
    wanted = body.get("response_format") or {}
    if not isinstance(wanted, Mapping):
        raise UnreadableRequest("response_format must be an object")
    options = body.get("stream_options") or {}
    named = wanted.get("json_schema") if wanted.get("type") == "json_schema" else None
    schema = named.get("schema") if isinstance(named, Mapping) else None
    return ReadRequest(
        model=model_of(body),
        prompt="\n".join(joined_text(message.get("content")) for message in messages),
        question=question_of(messages),
        stream=flag(body, "stream"),
        max_tokens=limit(body, "max_completion_tokens", least=0) or limit(body, "max_tokens"),
        include_usage=isinstance(options, Mapping) and options.get("include_usage") is True,
        wants_json=wanted.get("type") in ("json_object", "json_schema"),
        schema=schema if isinstance(schema, Mapping) else None,
        thinking=_thinking(body),
        offer=offer_of(body, "parameters", _called(messages)),
        stops=stops(body, "stop"),
        answers=limit(body, "n", most=_MOST_ANSWERS) or 1,
    )


def _called(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the tools the model has called since the user spoke last."""
    called: list[str] = []
    for message in messages:
        if message["role"] == "user":
            called = []
        calls = message.get("tool_calls")
        functions = [call.get("function") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
        called += [str(function.get("name")) for function in functions if isinstance(function, Mapping)]
    return called


def _thinking(body: Mapping[str, Any]) -> bool | None:
    """Say whether thinking is asked for, in the fields the hosts of this wire have for it."""
    thinking = body.get("thinking")
    if isinstance(thinking, Mapping) and thinking.get("type") in ("enabled", "disabled"):
        return bool(thinking["type"] == "enabled")
    if isinstance(body.get("enable_thinking"), bool):
        return bool(body["enable_thinking"])
    effort = body.get("reasoning_effort")
    return effort != "none" if isinstance(effort, str) else None


def whole(content: Content) -> dict[str, Any]:
    """Give the body of an answer that is not streamed."""
    refused = content.finish == "refused"
    message: dict[str, Any] = {"role": "assistant", "content": None if refused or content.calls else content.text}
    if content.calls:
        message["tool_calls"] = [_call(call) for call in content.calls]
    if refused:
        message["refusal"] = content.text
    if content.reasoning:
        message["reasoning_content"] = content.reasoning
    choice = {"message": message, "logprobs": None, "finish_reason": _FINISH[content.finish]}
    choices = [{"index": index, **choice} for index in range(content.answers)]
    body = {**_head(content, "chat.completion"), "choices": choices}
    return body if content.usage == "none" else {**body, "usage": _usage(content)}


def events(content: Content, *, chunk_tokens: int) -> list[Frame]:
    """Give the events of a streamed answer, one frame each."""
    frames = [frame for index in range(content.answers) for frame in _answer(content, index, chunk_tokens)]
    if content.usage == "own_event":
        report = {**_head(content, "chat.completion.chunk"), "choices": [], "usage": _usage(content)}
        frames.append(Frame(event(report), Mark.USAGE))
    return [*frames, Frame(b"data: [DONE]\n\n", Mark.END)]


def _answer(content: Content, index: int, chunk_tokens: int) -> list[Frame]:
    """Give the events of one choice."""
    said = "refusal" if content.finish == "refused" else "content"
    frames = [Frame(event(_chunk(content, {"role": "assistant", "content": ""}, index=index)), Mark.OPEN)]
    for text, tokens in grouped(content.reasoning, chunk_tokens):
        frames.append(Frame(event(_chunk(content, {"reasoning_content": text}, index=index)), Mark.REASONING, tokens))
    for text, tokens in grouped(content.text, chunk_tokens):
        frames.append(Frame(event(_chunk(content, {said: text}, index=index)), Mark.TEXT, tokens))
    for number, call in enumerate(content.calls):
        begun = {"index": number, **_call(replace(call, arguments=""))}
        frames.append(Frame(event(_chunk(content, {"tool_calls": [begun]}, index=index)), Mark.TEXT, len(pieces(call.name))))
        for text, tokens in grouped(call.arguments, chunk_tokens):
            more = {"index": number, "function": {"arguments": text}}
            frames.append(Frame(event(_chunk(content, {"tool_calls": [more]}, index=index)), Mark.TEXT, tokens))
    last = _chunk(content, {}, _FINISH[content.finish], index=index)
    if content.usage == "finish_event":
        last["usage"] = _usage(content)
    return [*frames, Frame(event(last), Mark.FINISH)]


def _call(call: MadeCall) -> dict[str, Any]:
    """Write a call."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def empty_deltas(content: Content, _block: int) -> bytes:
    """Give an event for each way in which hosts say nothing: an empty or null text or reasoning, or no member at all."""
    deltas: tuple[Mapping[str, Any], ...] = (
        {"content": ""},
        {},
        {"reasoning_content": ""},
        {"content": None, "reasoning_content": None},
        {"content": "", "reasoning_content": ""},
    )
    return b"".join(event(_chunk(content, delta)) for delta in deltas)


def _chunk(content: Content, delta: Mapping[str, Any], finish: str | None = None, *, index: int = 0) -> dict[str, Any]:
    """Give one event's data."""
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_head(content, "chat.completion.chunk"), "choices": [choice]}


def _head(content: Content, kind: str) -> dict[str, Any]:
    """Give the members that lead every body and chunk."""
    return {
        "id": f"chatcmpl-{content.id}",
        "object": kind,
        "created": content.created,
        "model": content.model,
        "system_fingerprint": "fp_simulated",
    }


def _usage(content: Content) -> dict[str, Any]:
    """Count both sides; prompt_tokens contains the cached part, completion_tokens the reasoning."""
    reasoning = len(pieces(content.reasoning)) * content.answers
    output = said_tokens(content) * content.answers + reasoning
    usage: dict[str, Any] = {
        "prompt_tokens": content.input_tokens,
        "completion_tokens": output,
        "total_tokens": content.input_tokens + output,
        "prompt_tokens_details": {"cached_tokens": content.cached_tokens},
    }
    if reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage


def error_body(row: ErrorRow, _request_id: str) -> Mapping[str, Any]:
    """Give an error in the wire's own shape; the id travels in a header."""
    return {"error": {"message": row.message, "type": row.openai_type, "param": None, "code": row.openai_code}}


def error_event(body: Mapping[str, Any]) -> bytes:
    """Give an error as an event inside a stream."""
    return event(body)


def limit_headers(allowance: LimitHeaders) -> dict[str, str]:
    """Say how much of a request limit is left, the reset as a duration."""
    return {
        "x-ratelimit-limit-requests": str(allowance.requests),
        "x-ratelimit-remaining-requests": str(allowance.remaining),
        "x-ratelimit-reset-requests": f"{allowance.reset_s * 1000:.0f}ms",
    }
