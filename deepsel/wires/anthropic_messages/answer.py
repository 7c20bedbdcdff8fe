"""Reads the streams and whole answers of the wire `anthropic-messages`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import (
    Doubt,
    FinishReport,
    Identity,
    Json,
    JsonObject,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    WireEvent,
)
from deepsel.wires.anthropic_messages.usage import usage_report
from deepsel.wires.failures import Fail, is_error
from deepsel.wires.fields import child, items, load_object, text
from deepsel.wires.finishes import read_finish, says_more
from deepsel.wires.growing import REPEATED, GrowingText
from deepsel.wires.payload import is_done, read_data, without_empty_error
from deepsel.wires.sse import Event

_CALL_MEMBERS = ("type", "id", "name", "input")


class Decoder:
    """Reads one answer, as events of a stream or as one document.

    A stop reason behind the text makes a stream whole: some gateways never send `message_stop`, after which nothing is read. A
    stop reason that text follows was none; where one has been taken back, only `message_stop` tells the end.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._usage: JsonObject = {}
        self._has_finish = self._is_resumed = False
        self._latest = FinishReport(None, "")
        self._grown: dict[tuple[str, Json], GrowingText] = {}
        """Text and thinking of each block, by its kind and index."""
        self._claims: dict[str, str] = {}
        """By kind: what a whole message in a stream says there is."""
        self._calls: dict[Json, bool] = {}
        """Calls whose blocks are open, by index: whether their arguments have begun."""
        self._has_calls = False
        self.is_whole = self.is_sure = False
        """A stop reason has been seen that means what it says, or the end."""
        self.is_ended = False
        """The end has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says; raises AttemptFailed for an error or a malformed event."""
        data = event.data.strip()
        if self.is_ended or not data or event.event == "ping":
            return ()
        if event.event == "error":
            raise self._fail(data)
        document = load_object(data) if data[0] == "{" else None if is_done(data) else read_data(data)  # [DONE] is a gateway's
        if document is None:
            return ()
        return self.read(document if "type" in document or not event.event else {**document, "type": event.event})

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what one event's document, or a whole answer, says, unknown kinds nothing; raises AttemptFailed for an error."""
        if "error" in document:
            document = without_empty_error(document)
        if is_error(document):
            raise self._fail(document)
        match document.get("type"):
            case "content_block_delta":
                yield from self._delta(child(document, "delta"), document.get("index"))
            case "message_start":
                yield from self._message(child(document, "message"), is_start=True)
            case "content_block_start":
                yield from self._block(child(document, "content_block"), document.get("index"))
            case "content_block_stop":
                yield from self._stop(document.get("index"))
            case "message_delta":
                yield from self._finish(child(document, "delta"))
                self.is_whole = self.is_sure = self._has_finish and not self._is_resumed
                yield from self._count(child(document, "usage"))
            case "message_stop":
                yield from self._count(child(document, "usage"))
                self._end()
            case "message":
                yield from self._message(document, is_start=False)
                self._end()

    def rest(self, *, is_clean: bool) -> Iterator[WireEvent]:
        """Yield what was held back until the end, and what is not certain of it."""
        for (kind, _), grown in self._grown.items():
            if more := grown.end():
                yield _delta_of(kind, more)
        for kind, claim in self._claims.items():
            said = self._all(kind)
            if claim.startswith(said):
                yield from [_delta_of(kind, claim[len(said) :])] if len(claim) > len(said) else []
            elif claim.strip() != said.strip():
                yield REPEATED
        self._claims = {}
        if any(grown.is_doubted for grown in self._grown.values()):
            yield REPEATED
        if is_clean and self._is_resumed and self.is_ended and not self._has_finish:
            yield self._latest
            yield Doubt("text followed the stop reason, and nothing tells that it is whole")

    def close(self) -> None:
        """Accept the end of the answer; raises AttemptFailed (stream_cut) where it is not whole."""
        if not self.is_whole:
            missing = "`message_stop`" if self._has_finish else "a stop reason"
            raise AttemptFailed(ErrorClass.STREAM_CUT, f"the answer ended without {missing}")

    def _end(self) -> None:
        self.is_ended = True
        self.is_whole = self.is_sure = self._has_finish or self._is_resumed

    def _message(self, message: JsonObject, *, is_start: bool) -> Iterator[WireEvent]:
        """Read a message: empty but for its head at a stream's start, whole in a document or as a stream's last event."""
        if model := text(message.get("model")):
            yield Identity(answered_model=model)
        blocks = items(message.get("content"))
        if is_start or self._grown or self._has_calls:
            for kind in ("thinking", "text"):
                if whole := "".join(text(block.get(kind)) if isinstance(block, dict) else "" for block in blocks):
                    self._claims[kind] = whole
            blocks = [] if self._has_calls else [block for block in blocks if _is_call(block)]
        for index, block in enumerate(blocks):
            yield from self._block(block, index)
            yield from self._stop(index)
        yield from self._finish(message)
        yield from self._count(child(message, "usage"))

    def _block(self, block: Json, index: Json) -> Iterator[WireEvent]:
        """Read what a block begins with, in a document all of it."""
        if not isinstance(block, dict) or block.get("type") != "tool_use":
            yield from self._pieces(block, index)
            return
        self._has_calls = True
        arguments = child(block, "input")
        self._calls[index] = bool(arguments)
        written = json.dumps(arguments, ensure_ascii=False, separators=(",", ":")) if arguments else ""
        data = {name: value for name, value in block.items() if name not in _CALL_MEMBERS and value is not None}
        yield ToolCallDelta(_number(index), text(block.get("id")), text(block.get("name")), written, data)

    def _delta(self, delta: JsonObject, index: Json) -> Iterator[WireEvent]:
        if delta.get("type") != "input_json_delta":
            yield from self._pieces(delta, index)
        elif index in self._calls and (piece := text(delta.get("partial_json"))):  # others are of tools the provider runs
            self._calls[index] = True
            yield ToolCallDelta(_number(index), arguments=piece)

    def _stop(self, index: Json) -> Iterator[WireEvent]:
        """End a block: a call that was given no arguments takes none."""
        if self._calls.pop(index, None) is False:
            yield ToolCallDelta(_number(index), arguments="{}")

    def _finish(self, delta: JsonObject) -> Iterator[WireEvent]:
        said = read_finish(delta.get("stop_reason"))
        if said.raw and (not self._has_finish or says_more(said, self._latest)):
            self._has_finish, self._latest = True, said
            yield said

    def _count(self, usage: JsonObject) -> Iterator[WireEvent]:
        """Report usage so far: each field's latest value, since they are cumulative; a zero takes no count back."""
        known = self._usage
        known |= {name: value for name, value in usage.items() if value is not None and (value != 0 or not known.get(name))}
        report = usage_report(known) if usage else None
        if report is not None:
            yield report

    def _pieces(self, block: Json, index: Json) -> Iterator[WireEvent]:
        """Yield text and thinking of a content block or of a delta to one."""
        if not isinstance(block, dict):
            return
        for kind in ("text",) if block.get("type") == "text_delta" else ("thinking", "text"):
            if words := text(block.get(kind)):
                new = self._new_words(words, kind, index)
                if not new:
                    continue
                if self._has_finish and kind == "text" and not new.isspace():
                    self._has_finish, self._is_resumed = False, True
                    self.is_whole = self.is_sure = False
                    yield FinishReport(None, "")
                yield _delta_of(kind, new)

    def _new_words(self, words: str, kind: str, index: Json) -> str:
        """Return what is new in words of a block, which may repeat what it has said."""
        key = (kind, index if isinstance(index, int | str) else None)
        grown = self._grown.get(key)
        if grown is None:
            grown = self._grown[key] = GrowingText()
        if grown.is_plain and 0 < len(words) < grown.size:  # as nearly always: as `add` would
            grown.parts.append(words)
            grown.size += len(words)
            return words
        return grown.add(words)

    def _all(self, kind: str) -> str:
        return "".join(grown.text for (one, _), grown in self._grown.items() if one == kind)


def _number(index: Json) -> int:
    return index if isinstance(index, int) else 0


def _is_call(block: Json) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_use"


def _delta_of(kind: str, words: str) -> TextDelta | ReasoningDelta:
    return TextDelta(words) if kind == "text" else ReasoningDelta(words)
