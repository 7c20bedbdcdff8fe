"""Answers and errors in the form of OpenAI's Responses."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepsel.serve.surfaces.chat_answers import error
from deepsel.serve.surfaces.events import event, json_bytes
from deepsel.serve.surfaces.surface import Delta, Labels, Problem
from deepsel.values import Answer, Finish, Json, JsonObject, Passed, ReasoningDelta, TextDelta, ToolCallDelta, Usage

__all__ = ["OUR_REASONING", "ResponsesWriter", "document", "error", "error_event"]

OUR_REASONING = "rs_deepsel_"
"""What the ids of reasoning begin with that was translated: no provider of this wire knows it when it comes back."""
_REASONS = {Finish.LENGTH: "max_output_tokens", Finish.FILTERED: "content_filter"}
"""Why an answer is incomplete; others are whole."""


def document(answer: Answer, labels: Labels) -> JsonObject:
    """Write a whole answer."""
    items = [_Item(kind, labels, place, pieces=[text]) for place, (kind, text) in enumerate(_said(answer))]
    for call in answer.tool_calls:
        items.append(_Item("function_call", labels, len(items), call.id, call.name, [call.arguments]))
    return _response(answer, labels, [item.whole() for item in items])


def _said(answer: Answer) -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in (("reasoning", answer.reasoning), ("message", answer.text)) if text]


def _response(answer: Answer, labels: Labels, output: list[JsonObject]) -> JsonObject:
    reason = _REASONS.get(answer.finish)
    return {
        **_begun(labels),
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "output": list(output),
        "usage": usage_member(answer.usage),
    }


def _begun(labels: Labels) -> JsonObject:
    """Write a response of which nothing has come."""
    return {
        "id": f"resp_{labels.id}",
        "object": "response",
        "created_at": labels.created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": labels.model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }


def usage_member(usage: Usage) -> JsonObject | None:
    """Write usage, whose totals contain what was cached; None where nothing is known."""
    read, written = usage.input_tokens, usage.output_tokens
    if read is None or written is None:
        return None
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": usage.cache_read or 0, "cache_write_tokens": usage.cache_write_tokens or 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": usage.output_reasoning or 0},
        "total_tokens": read + written,
    }


@dataclass(slots=True)
class _Item:
    """One item of the output as far as it has come."""

    kind: str
    labels: Labels
    place: int
    call_id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    is_open: bool = True

    @property
    def text(self) -> str:
        """What has come of its words, or of its arguments."""
        return "".join(self.pieces)

    @property
    def where(self) -> JsonObject:
        """How its events name it."""
        return {"item_id": self.id, "output_index": self.place}

    @property
    def id(self) -> str:
        """Its own id, which is not its call's."""
        prefix = {"reasoning": OUR_REASONING, "message": "msg_"}.get(self.kind, "fc_")
        return f"{prefix}{self.labels.id}_{self.place}"

    def part(self, text: str) -> JsonObject:
        """Write its only part with such words."""
        if self.kind == "reasoning":
            return {"type": "summary_text", "text": text}
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def whole(self) -> JsonObject:
        """Write it as it is when it is done."""
        item: JsonObject = {"id": self.id, "type": self.kind}
        if self.kind == "reasoning":
            return {**item, "summary": [self.part(self.text)]}
        item["status"] = "completed"
        if self.kind == "message":
            return {**item, "role": "assistant", "content": [self.part(self.text)]}
        call_id = self.call_id or f"call_{self.labels.id}_{self.place}"
        return {**item, "call_id": call_id, "name": self.name, "arguments": self.text}

    def empty(self) -> JsonObject:
        """Write it as it is when it begins."""
        bare: JsonObject = {"summary": [], "content": [], "arguments": "", "status": "in_progress"}
        return {name: bare.get(name, value) for name, value in self.whole().items()}


class ResponsesWriter:
    """Writes one stream of events: a head, items with their pieces, and the whole response at the end.

    Words and thoughts are items one after the other; calls stay open until the end, since pieces of several may come in any order.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._number = -1
        self._items: list[_Item] = []
        self._calls: dict[int, _Item] = {}

    def feed(self, delta: Delta) -> bytes:
        """Write what came next; a delta of another kind, or of another call, begins an item."""
        if isinstance(delta, ToolCallDelta):
            return self._call(delta)
        kind = "reasoning" if isinstance(delta, ReasoningDelta) else "message"
        written = self._head()
        item = self._items[-1] if self._items and self._items[-1].is_open and self._items[-1].kind == kind else None
        if item is None:
            written += self._closed()
            item = self._opened(_Item(kind, self._labels, len(self._items)))
            written += self._event("output_item.added", output_index=item.place, item=item.empty())
            name, inner = _names(item)
            written += self._event(f"{name}.added", **item.where, **inner, part=item.part(""))
        item.pieces.append(delta.text)
        if isinstance(delta, TextDelta):
            return written + self._event("output_text.delta", **item.where, content_index=0, delta=delta.text, logprobs=[])
        return written + self._event("reasoning_summary_text.delta", **item.where, summary_index=0, delta=delta.text)

    def pass_on(self, passed: Passed) -> bytes:
        """Write an event as it came."""
        return event(passed.data, passed.event)

    def end(self, answer: Answer) -> bytes:
        """Close the items, and write the whole response."""
        written = self._head() + self._closed(with_calls=True)
        response = _response(answer, self._labels, [item.whole() for item in self._items])
        return written + self._event(str(response["status"]), response=response)

    def _call(self, delta: ToolCallDelta) -> bytes:
        written, item = self._head(), self._calls.get(delta.number)
        if item is None:
            written += self._closed()
            item = self._opened(_Item("function_call", self._labels, len(self._items), delta.id, delta.name))
            self._calls[delta.number] = item
            written += self._event("output_item.added", output_index=item.place, item=item.empty())
        if not delta.arguments:
            return written
        item.pieces.append(delta.arguments)
        return written + self._event("function_call_arguments.delta", **item.where, delta=delta.arguments)

    def _head(self) -> bytes:
        """Write the head, once."""
        if self._number >= 0:
            return b""
        begun = _begun(self._labels)
        return self._event("created", response=begun) + self._event("in_progress", response=begun)

    def _opened(self, item: _Item) -> _Item:
        self._items.append(item)
        return item

    def _closed(self, *, with_calls: bool = False) -> bytes:
        """Close what is open."""
        written = b""
        for item in self._items:
            if item.is_open and (with_calls or item.kind != "function_call"):
                item.is_open = False
                written += self._done(item) + self._event("output_item.done", output_index=item.place, item=item.whole())
        return written

    def _done(self, item: _Item) -> bytes:
        """Repeat an item's words whole."""
        if item.kind == "function_call":
            return self._event("function_call_arguments.done", **item.where, name=item.name, arguments=item.text)
        name, inner = _names(item)
        told: JsonObject = {"text": item.text} if item.kind == "reasoning" else {"text": item.text, "logprobs": []}
        words = "reasoning_summary_text" if item.kind == "reasoning" else "output_text"
        written = self._event(f"{words}.done", **item.where, **inner, **told)
        return written + self._event(f"{name}.done", **item.where, **inner, part=item.part(item.text))

    def _event(self, kind: str, **members: Json) -> bytes:
        self._number += 1
        name = f"response.{kind}"
        return event(json_bytes({"type": name, "sequence_number": self._number, **members}), name)


def _names(item: _Item) -> tuple[str, JsonObject]:
    """Return what a part of an item is called in events, and its number there."""
    return ("reasoning_summary_part", {"summary_index": 0}) if item.kind == "reasoning" else ("content_part", {"content_index": 0})


def error_event(problem: Problem) -> bytes:
    """Write an error in the middle of a stream: as the wire has it, and as the maker's SDK raises it."""
    inner = error(problem)["error"]
    told: JsonObject = {"type": "error", "sequence_number": 0, "message": problem.message, "param": problem.param, "error": inner}
    told["code"] = inner.get("code") if isinstance(inner, dict) else None
    return event(json_bytes(told), "error")
