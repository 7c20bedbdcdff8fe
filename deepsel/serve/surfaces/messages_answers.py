"""Answers and errors in the form of Anthropic's messages."""

from __future__ import annotations

from deepsel.serve.surfaces.events import event, json_bytes
from deepsel.serve.surfaces.surface import Delta, Kind, Labels, Problem
from deepsel.values import Answer, Finish, JsonObject, Passed, ReasoningDelta, TextDelta, ToolCall, ToolCallDelta, Usage

_FINISHES = {Finish.COMPLETE: "end_turn", Finish.LENGTH: "max_tokens", Finish.FILTERED: "refusal", Finish.TOOL: "tool_use"}
_TYPES: dict[Kind, str] = {
    "invalid_request": "invalid_request_error",
    "too_large": "request_too_large",
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "budget": "billing_error",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "unavailable": "api_error",
    "timeout": "timeout_error",
    "context_overflow": "invalid_request_error",
    "content_policy": "invalid_request_error",
    "internal": "api_error",
}


def document(answer: Answer, labels: Labels) -> JsonObject:
    """Write a whole answer. Thinking of another provider has no signature, which this wire's clients send back as it is: empty."""
    content: list[JsonObject] = []
    if answer.reasoning:
        content.append({"type": "thinking", "thinking": answer.reasoning, "signature": ""})
    if answer.text:
        content.append({"type": "text", "text": answer.text})
    content += [_call(one) for one in answer.tool_calls]
    return {
        **_head(labels),
        "content": list(content),
        "stop_reason": _finish(answer),
        "stop_sequence": None,
        "usage": usage_member(answer.usage, labels),
    }


def _head(labels: Labels) -> JsonObject:
    return {"id": f"msg_{labels.id}", "type": "message", "role": "assistant", "model": labels.model}


def _finish(answer: Answer) -> str:
    return _FINISHES.get(answer.finish, "end_turn")


def _call(call: ToolCall) -> JsonObject:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": call.parsed or {}}


def usage_member(usage: Usage, labels: Labels) -> JsonObject:
    """Write usage, whose input does not contain what was cached; what was not reported is what was counted."""
    read = usage.input_uncached
    return {
        "input_tokens": labels.input_tokens if read is None else read,
        "cache_creation_input_tokens": usage.cache_write_tokens or 0,
        "cache_read_input_tokens": usage.cache_read or 0,
        "output_tokens": usage.output_tokens or 0,
    }


class MessagesWriter:
    """Writes one stream of events: a head, blocks one after the other, and the end."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._has_begun = False
        self._block = -1
        """The number of the block that is open, or was last."""
        self._open: object = None
        """What stands in it: the kind of a delta, or the number of a call; None: none is open."""
        self._call: int | None = None
        """The call that is written as it comes: the first. Others follow whole, since pieces of several may come in any order."""

    def feed(self, delta: Delta) -> bytes:
        """Write what came next; a delta of another kind, or of another call, begins a block."""
        match delta:
            case TextDelta(text):
                start: JsonObject = {"type": "text", "text": ""}
                piece: JsonObject = {"type": "text_delta", "text": text}
                return self._piece("text", start, piece)
            case ReasoningDelta(text):
                start = {"type": "thinking", "thinking": "", "signature": ""}
                return self._piece("thinking", start, {"type": "thinking_delta", "thinking": text})
            case ToolCallDelta():
                if self._call not in (None, delta.number) or (self._call is not None and self._open != delta.number):
                    return b""
                self._call = delta.number
                start = {"type": "tool_use", "id": delta.id or f"call_{self._labels.id}", "name": delta.name, "input": {}}
                return self._piece(delta.number, start, {"type": "input_json_delta", "partial_json": delta.arguments})

    def pass_on(self, passed: Passed) -> bytes:
        """Write an event as it came."""
        return event(passed.data, passed.event)

    def end(self, answer: Answer) -> bytes:
        """Close the block, and write the stop reason, the usage and the end mark."""
        last = self._begun() + self._closed()
        for call in answer.tool_calls[0 if self._call is None else 1 :]:
            piece: JsonObject = {"type": "input_json_delta", "partial_json": call.arguments}
            last += self._piece(call.id, {**_call(call), "input": {}}, piece) + self._closed()
        delta: JsonObject = {"stop_reason": _finish(answer), "stop_sequence": None}
        usage = usage_member(answer.usage, self._labels)
        last += _event({"type": "message_delta", "delta": delta, "usage": usage})
        return last + _event({"type": "message_stop"})

    def _piece(self, what: object, start: JsonObject, piece: JsonObject) -> bytes:
        written = self._begun()
        if self._open != what:
            written += self._closed()
            self._open, self._block = what, self._block + 1
            written += _event({"type": "content_block_start", "index": self._block, "content_block": start})
        return written + _event({"type": "content_block_delta", "index": self._block, "delta": piece})

    def _begun(self) -> bytes:
        """Write the head, once."""
        if self._has_begun:
            return b""
        self._has_begun = True
        usage: JsonObject = {"input_tokens": self._labels.input_tokens, "output_tokens": 0}
        message: JsonObject = {**_head(self._labels), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        return _event({"type": "message_start", "message": message})

    def _closed(self) -> bytes:
        """Close the block that is open."""
        if self._open is None:
            return b""
        self._open = None
        return _event({"type": "content_block_stop", "index": self._block})


def _event(value: JsonObject) -> bytes:
    return event(json_bytes(value), str(value["type"]))


def error(problem: Problem) -> JsonObject:
    """Write an error."""
    return {"type": "error", "error": {"type": _TYPES[problem.kind], "message": problem.message}}


def error_event(problem: Problem) -> bytes:
    """Write an error in the middle of a stream."""
    return _event(error(problem))
