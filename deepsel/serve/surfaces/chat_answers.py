"""Answers and errors in the form of OpenAI's chat completions."""

from __future__ import annotations

import json

from deepsel.serve.surfaces.events import event, json_bytes
from deepsel.serve.surfaces.surface import Delta, Kind, Labels, Problem
from deepsel.values import Answer, Finish, Json, JsonObject, Passed, ReasoningDelta, TextDelta, ToolCall, Usage

_FINISHES = {Finish.COMPLETE: "stop", Finish.LENGTH: "length", Finish.FILTERED: "content_filter", Finish.TOOL: "tool_calls"}
_TYPES: dict[Kind, tuple[str, str | None]] = {
    "invalid_request": ("invalid_request_error", None),
    "too_large": ("invalid_request_error", "request_too_large"),
    "authentication": ("invalid_request_error", "invalid_api_key"),
    "permission": ("invalid_request_error", "permission_denied"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "budget": ("insufficient_quota", "insufficient_quota"),
    "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
    "overloaded": ("server_error", "overloaded"),
    "unavailable": ("server_error", "provider_unavailable"),
    "timeout": ("server_error", "timeout"),
    "context_overflow": ("invalid_request_error", "context_length_exceeded"),
    "content_policy": ("invalid_request_error", "content_filter"),
    "internal": ("server_error", None),
}


def document(answer: Answer, labels: Labels) -> JsonObject:
    """Write a whole answer."""
    message: JsonObject = {"role": "assistant", "content": answer.text if answer.text or not answer.tool_calls else None}
    message["refusal"] = None
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [_call(one) for one in answer.tool_calls]
    choice: JsonObject = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
    return {
        "id": f"chatcmpl-{labels.id}",
        "object": "chat.completion",
        "created": labels.created,
        "model": labels.model,
        "choices": [choice],
        "usage": usage_member(answer.usage),
    }


def _finish(answer: Answer) -> str:
    return _FINISHES.get(answer.finish, "stop")


def _call(call: ToolCall) -> JsonObject:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def usage_member(usage: Usage) -> JsonObject | None:
    """Write usage, whose totals contain what was cached; None where nothing is known."""
    read, written = usage.input_tokens, usage.output_tokens
    if read is None or written is None:
        return None
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read or 0},
        "completion_tokens_details": {"reasoning_tokens": usage.output_reasoning or 0},
    }


class ChatWriter:
    """Writes one stream of chunks."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._frame: JsonObject = {
            "id": f"chatcmpl-{labels.id}", "object": "chat.completion.chunk", "created": labels.created, "model": labels.model,
        }  # fmt: skip
        prefix = json.dumps(self._frame, ensure_ascii=False, separators=(",", ":"))[:-1]
        self._before = f'{prefix},"choices":[{{"index":0,"delta":'.encode("utf-8", "replace")
        self._has_begun = False
        self._indices: dict[int, int] = {}

    def feed(self, delta: Delta) -> bytes:
        """Write what came next."""
        if isinstance(delta, TextDelta):
            return self._chunk({"content": delta.text})
        if isinstance(delta, ReasoningDelta):
            return self._chunk({"reasoning_content": delta.text})
        is_new = delta.number not in self._indices
        index = self._indices.setdefault(delta.number, len(self._indices))
        piece: JsonObject = {"index": index}
        if is_new:
            piece |= {"id": delta.id, "type": "function"}
        piece["function"] = {**({"name": delta.name} if is_new else {}), "arguments": delta.arguments}
        return self._chunk({"tool_calls": [piece]})

    def pass_on(self, passed: Passed) -> bytes:
        """Write a chunk as it came; not the one with usage alone that the client has not asked for."""
        if not self._labels.wants_usage and '"usage"' in passed.data and _is_usage_alone(passed.data):
            return b""
        return event(passed.data, passed.event)

    def end(self, answer: Answer) -> bytes:
        """Write the finish, the usage where it is wanted, and the end mark."""
        last = self._chunk({}, finish=_finish(answer))
        if self._labels.wants_usage and (usage := usage_member(answer.usage)) is not None:
            last += event(json_bytes({**self._frame, "choices": [], "usage": usage}))
        return last + event("[DONE]")

    def _chunk(self, delta: JsonObject, *, finish: str | None = None) -> bytes:
        if not self._has_begun:
            self._has_begun = True
            delta = {"role": "assistant", **delta}
        finished = b"null" if finish is None else json_bytes(finish)
        return b"data: " + self._before + json_bytes(delta) + b',"finish_reason":' + finished + b"}]}\n\n"


def _is_usage_alone(data: str) -> bool:
    """Tell whether a chunk holds usage and no choice."""
    try:
        chunk: Json = json.loads(data)
    except ValueError:
        return False
    return isinstance(chunk, dict) and not chunk.get("choices") and bool(chunk.get("usage"))


def error(problem: Problem) -> JsonObject:
    """Write an error."""
    kind, code = _TYPES[problem.kind]
    return {"error": {"message": problem.message, "type": kind, "param": problem.param, "code": code}}


def error_event(problem: Problem) -> bytes:
    """Write an error in the middle of a stream."""
    return event(json_bytes(error(problem)))
