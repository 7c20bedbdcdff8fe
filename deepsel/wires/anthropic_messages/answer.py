"""Reads the streams and whole answers of the wire `anthropic-messages`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import (
    Finish,
    FinishReport,
    Identity,
    Json,
    JsonObject,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    UsageReport,
    WireEvent,
)
from deepsel.wires.anthropic_messages.usage import anthropic_usage
from deepsel.wires.buckets import stated_cost_usd
from deepsel.wires.failures import Fail, is_error
from deepsel.wires.fields import child, items, load_object, text
from deepsel.wires.sse import Event

FINISHES: Mapping[str, Finish] = {
    "end_turn": Finish.COMPLETE,
    "stop_sequence": Finish.COMPLETE,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL,
    "refusal": Finish.FILTERED,
    "pause_turn": Finish.INCOMPLETE,
}
_CALL_MEMBERS = ("type", "id", "name", "input")


class Decoder:
    """Reads one answer, as events of a stream or as one document.

    A stream is whole when a stop reason and `message_stop` have come; nothing is read after that.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._usage: JsonObject = {}
        self._has_finish = False
        self._calls: dict[Json, bool] = {}
        """Calls whose blocks are open, by index: whether their arguments have begun."""
        self.is_whole = False
        """The stop reason and the end have been seen."""
        self.is_ended = False
        """The end has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says; raises AttemptFailed for an error or a malformed event."""
        data = event.data.strip()
        if self.is_ended or not data or event.event == "ping":
            return ()
        if event.event == "error":
            raise self._fail(data)
        return self.read(load_object(data))

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what one event's document, or a whole answer, says, unknown kinds nothing; raises AttemptFailed for an error."""
        if is_error(document):
            raise self._fail(document)
        match document.get("type"):
            case "message_start":
                yield from self._message(child(document, "message"))
            case "content_block_start":
                yield from self._block(child(document, "content_block"), document.get("index"))
            case "content_block_delta":
                delta = child(document, "delta")
                is_call = delta.get("type") == "input_json_delta"
                yield from self._more(delta, document.get("index")) if is_call else _pieces(delta)
            case "content_block_stop":
                yield from self._stop(document.get("index"))
            case "message_delta":
                yield from self._finish(child(document, "delta"))
                yield from self._count(child(document, "usage"))
            case "message_stop":
                self._end()
            case "message":
                yield from self._message(document)
                self._end()

    def close(self) -> None:
        """Accept the end of the answer; raises AttemptFailed (stream_cut) where it is not whole."""
        if not self.is_whole:
            missing = "`message_stop`" if self._has_finish else "a stop reason"
            raise AttemptFailed(ErrorClass.STREAM_CUT, f"the answer ended without {missing}")

    def _end(self) -> None:
        self.is_ended, self.is_whole = True, self._has_finish

    def _message(self, message: JsonObject) -> Iterator[WireEvent]:
        """Read a message: empty but for its head at a stream's start, whole in a document."""
        if model := text(message.get("model")):
            yield Identity(answered_model=model)
        for index, block in enumerate(items(message.get("content"))):
            yield from self._block(block, index)
            yield from self._stop(index)
        yield from self._finish(message)
        yield from self._count(child(message, "usage"))

    def _block(self, block: Json, index: Json) -> Iterator[WireEvent]:
        """Read what a block begins with, in a document all of it."""
        if not isinstance(block, dict) or block.get("type") != "tool_use":
            yield from _pieces(block)
            return
        arguments = child(block, "input")
        self._calls[index] = bool(arguments)
        written = json.dumps(arguments, ensure_ascii=False, separators=(",", ":")) if arguments else ""
        data = {name: value for name, value in block.items() if name not in _CALL_MEMBERS and value is not None}
        yield ToolCallDelta(_number(index), text(block.get("id")), text(block.get("name")), written, data)

    def _more(self, delta: JsonObject, index: Json) -> Iterator[WireEvent]:
        """Read more of a call's arguments; what is open under no index is of a tool that the provider runs itself."""
        if index in self._calls and (piece := text(delta.get("partial_json"))):
            self._calls[index] = True
            yield ToolCallDelta(_number(index), arguments=piece)

    def _stop(self, index: Json) -> Iterator[WireEvent]:
        """End a block: a call that was given no arguments takes none."""
        if self._calls.pop(index, None) is False:
            yield ToolCallDelta(_number(index), arguments="{}")

    def _finish(self, delta: JsonObject) -> Iterator[WireEvent]:
        raw = text(delta.get("stop_reason"))
        if raw and not self._has_finish:
            self._has_finish = True
            yield FinishReport(FINISHES.get(raw), raw)

    def _count(self, usage: JsonObject) -> Iterator[WireEvent]:
        """Report usage so far: each field's latest value, since they are cumulative."""
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        buckets = anthropic_usage(self._usage) if usage else None
        if buckets is not None:
            yield UsageReport(buckets, stated_cost_usd(self._usage))


def _number(index: Json) -> int:
    return index if isinstance(index, int) else 0


def _pieces(block: Json) -> Iterator[WireEvent]:
    """Yield text and thinking of a content block or of a delta to one."""
    if not isinstance(block, dict):
        return
    if thinking := text(block.get("thinking")):
        yield ReasoningDelta(thinking)
    if words := text(block.get("text")):
        yield TextDelta(words)
