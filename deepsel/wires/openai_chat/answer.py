"""Reads the streams and whole answers of the wire `openai-chat`.

Reads all dialects of the wire alike: who sends what is in the catalog, and what is not known is skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import (
    Doubt,
    Finish,
    FinishReport,
    Identity,
    Json,
    JsonObject,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    WireEvent,
)
from deepsel.wires.failures import Fail, is_error
from deepsel.wires.fields import child, items, load_object, text
from deepsel.wires.finishes import read_finish, says_more
from deepsel.wires.growing import REPEATED, GrowingText
from deepsel.wires.openai_chat.calls import CallNumbers
from deepsel.wires.openai_chat.usage import usage_report
from deepsel.wires.payload import is_done, read_data, without_empty_error
from deepsel.wires.sse import Event

_REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")
"""Members that hold reasoning; where there are several they say the same."""


class Decoder:
    """Reads one answer, as events of a stream or as one document.

    The last finish value makes an answer whole: some servers never send `[DONE]`, and a `[DONE]` without one is a cut
    answer. One that text follows was none. Nothing is read after `[DONE]`.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._said: tuple[Json, ...] = ()
        self._is_refused = False
        self._index: Json = None
        """Of the choice that is read."""
        self._calls = CallNumbers()
        self._text, self._reasoning = GrowingText(), GrowingText()
        self._has_finish = False
        self._finish = FinishReport(None, "")
        self._is_resumed = False
        """Text has followed a finish value, so that none of them proves the end."""
        self._ends_with_text = False
        """The latest finish value came in one chunk with text."""
        self.is_whole = False
        """A finish value has been seen that means what it says."""
        self.is_sure = False
        """And it did not come with text, as those do that mean nothing."""
        self.is_ended = False
        """The end marker has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says; raises AttemptFailed for an error or a malformed event."""
        data = event.data.strip()
        if self.is_ended or not data:
            return ()
        if event.event == "error":
            raise self._fail(data)
        if data[0] == "{":  # as nearly always
            return self.read(load_object(data))
        if is_done(data):
            self.is_ended, self.is_whole = True, self._has_finish or self._is_resumed
            return ()
        document = read_data(data)
        return () if document is None else self.read(document)

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what one chunk, or a whole answer, says; raises AttemptFailed for an error."""
        if "error" in document:
            document = without_empty_error(document)
        if is_error(document):
            raise self._fail(document)
        events, has_usage = self._identity(document), bool(document.get("usage")) or "x_groq" in document
        choices = items(document.get("choices"))
        for choice in choices:
            if isinstance(choice, dict) and self._is_ours(choice, choices):
                known = len(events)
                self._choice(choice, events)
                if self._has_finish and any(map(_is_more, events[known:])):
                    self._resume(events)
                if finish := choice.get("finish_reason") or _other_finish(choice):
                    yield from events  # what it said stands, also where it gave up
                    events = []
                    self._end(finish, choice, events)
                    has_usage = True  # which may stand within the choice
                if "usage" in choice:
                    has_usage = True
        if has_usage and (report := usage_report(document)) is not None:
            events.append(report)
        yield from events

    def rest(self, *, is_clean: bool) -> Iterator[WireEvent]:
        """Yield what was held back until the end, and what is not certain of it."""
        if more := self._reasoning.end():
            yield ReasoningDelta(more)
        if more := self._text.end(is_last=self._ends_with_text):
            yield TextDelta(more)
        if self._text.is_doubted:
            yield REPEATED
        if self._is_resumed and not (self.is_ended and self._has_finish):
            if self.is_ended:
                yield self._finish
            yield Doubt("the provider called the answer finished before it was, and nothing tells that it is whole now")
        elif not is_clean and self._ends_with_text and not self.is_ended:
            yield Doubt("the connection broke off after a first finish value, which came with text")

    def close(self) -> None:
        """Accept the end of the answer; raises AttemptFailed (stream_cut) where it is not whole."""
        if not self._has_finish and not (self._is_resumed and self.is_ended):
            raise AttemptFailed(ErrorClass.STREAM_CUT, "the answer ended without a finish value")

    def _identity(self, document: JsonObject) -> list[WireEvent]:
        said = (document.get("model"), document.get("request_id"), document.get("service_tier"))
        if said == self._said:  # as in every chunk but the first
            return []
        self._said = said
        model, request_id, tier = map(text, said)
        return [Identity(model or None, request_id or None, tier or None)] if model or request_id or tier else []

    def _is_ours(self, choice: JsonObject, choices: list[Json]) -> bool:
        """Tell whether a choice is the one that is read: number 0 or, where nobody is that, the first; others come with n > 1."""
        index = choice.get("index")
        if index is None or index == self._index:  # as nearly always
            return True
        if self._index is None:
            numbers = [one.get("index") for one in choices if isinstance(one, dict)]
            self._index = 0 if {0, "0", None} & {one for one in numbers if isinstance(one, int | str | None)} else index
        return str(index) == str(self._index)

    def _choice(self, choice: JsonObject, events: list[WireEvent]) -> None:
        delta = choice.get("delta")
        if isinstance(delta, dict) and delta:
            content, said = delta.get("content"), self._text
            if isinstance(content, str) and len(delta) == 1 and said.is_plain and 0 < len(content) < said.size:
                said.parts.append(content)  # as in nearly every chunk: as `said.add` would
                said.size += len(content)
                events.append(TextDelta(content))
            else:
                self._delta(delta, events)
        message = choice.get("message")
        if isinstance(message, dict) and message:
            self._message(message, events)
        elif not delta and (words := text(choice.get("text"))):  # of a server that completes texts
            self._delta({"content": words}, events)

    def _delta(self, delta: JsonObject, events: list[WireEvent]) -> None:
        """Add what a delta says."""
        for piece in _pieces(delta):
            grown = self._text if isinstance(piece, TextDelta) else self._reasoning
            grown.has_deltas = True
            if new := grown.add(piece.text):
                events.append(type(piece)(new))
        events += self._calls.pieces(delta)
        self._is_refused = self._is_refused or bool(text(delta.get("refusal")))

    def _message(self, message: JsonObject, events: list[WireEvent]) -> None:
        """Add what a whole message says: all of a document, and of a stream what its deltas have not said."""
        pieces = list(_pieces(message))
        for kind, grown in ((ReasoningDelta, self._reasoning), (TextDelta, self._text)):
            whole = "".join(piece.text for piece in pieces if type(piece) is kind)
            # A server may put its deltas into messages.
            if whole and (new := grown.compare(whole) if grown.has_deltas else grown.add(whole)):
                events.append(kind(new))
        events += self._calls.whole(message)
        self._is_refused = self._is_refused or bool(text(message.get("refusal")))

    def _resume(self, events: list[WireEvent]) -> None:
        """Take the finish value back that text has followed."""
        self._has_finish, self._is_resumed, self.is_whole, self.is_sure = False, True, False, False
        events.append(FinishReport(None, ""))

    def _end(self, finish: Json, choice: JsonObject, events: list[WireEvent]) -> None:
        told = read_finish(finish)
        said = FinishReport(Finish.FILTERED, "refusal") if self._is_refused else told
        if not told.raw or (self._has_finish and not says_more(said, self._finish)):
            return
        self._has_finish, self._finish, self.is_whole = True, said, not self._is_resumed
        self._ends_with_text = any(True for _ in _pieces(child(choice, "delta")))
        self.is_sure = self.is_whole and not self._ends_with_text
        events.append(said)


def _other_finish(choice: JsonObject) -> Json:
    """Find a finish value that stands elsewhere than where it should."""
    delta = choice.get("delta")
    within = delta.get("finish_reason") if isinstance(delta, dict) else None
    return choice.get("finishReason") or choice.get("native_finish_reason") or within


def _is_more(event: WireEvent) -> bool:
    """Tell whether an event goes on with the answer."""
    return isinstance(event, ToolCallDelta) or (isinstance(event, TextDelta) and not event.text.isspace())


def _pieces(delta: JsonObject) -> Iterator[TextDelta | ReasoningDelta]:
    """Yield reasoning and text of a delta or message; each may be text or, from Mistral, a list of chunks."""
    content = delta.get("content")
    reasoning = next(filter(None, (_flat(delta.get(name)) for name in _REASONING)), "")
    if reasoning:
        yield ReasoningDelta(reasoning)
    for chunk in content if isinstance(content, list) else [content]:
        is_thinking = isinstance(chunk, dict) and chunk.get("type") in ("thinking", "reasoning")
        if words := _flat(chunk):
            yield ReasoningDelta(words) if is_thinking else TextDelta(words)
    if refusal := text(delta.get("refusal")):
        yield TextDelta(refusal)


def _flat(chunk: Json) -> str:
    """Return the words of a content chunk, whatever it is called and however deep it is nested."""
    if isinstance(chunk, list):
        return "".join(map(_flat, chunk))
    if isinstance(chunk, dict):
        return _flat(chunk.get("text") or chunk.get("thinking") or chunk.get("summary"))
    return text(chunk)
