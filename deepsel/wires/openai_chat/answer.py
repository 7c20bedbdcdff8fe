"""Reads the streams and whole answers of the wire `openai-chat`.

Reads all dialects of the wire alike: who sends what is in the catalog, and what is not known is skipped.
"""

from __future__ import annotations

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
    Usage,
    UsageReport,
    WireEvent,
)
from deepsel.wires.buckets import stated_cost_usd
from deepsel.wires.failures import Fail, is_error
from deepsel.wires.fields import child, items, load_object, text
from deepsel.wires.openai_chat.calls import CallNumbers
from deepsel.wires.openai_chat.usage import openai_usage
from deepsel.wires.sse import Event

FINISHES: Mapping[str, Finish] = {
    "stop": Finish.COMPLETE,
    "length": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "tool_calls": Finish.TOOL,
    "function_call": Finish.TOOL,
    "content_filter": Finish.FILTERED,
}
BROKEN: Mapping[str, ErrorClass] = {
    "insufficient_system_resource": ErrorClass.OVERLOADED,
    "aborted": ErrorClass.SERVER,
    "error": ErrorClass.SERVER,
}
"""Finish values that say the provider gave up."""


class Decoder:
    """Reads one answer, as events of a stream or as one document.

    A finish value makes an answer whole: some servers never send `[DONE]`, and a `[DONE]` without one is a cut answer.
    Text and calls after the finish value are not part of the answer, and nothing is read after `[DONE]`.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._said: tuple[Json, ...] = ()
        self._is_refused = False
        self._calls = CallNumbers()
        self.is_whole = False
        """A finish value has been seen."""
        self.is_ended = False
        """The end marker has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says; raises AttemptFailed for an error or a malformed event."""
        data = event.data.strip()
        if self.is_ended or not data:
            return ()
        if data == "[DONE]":
            self.is_ended = True
            return ()
        if event.event == "error":
            raise self._fail(data)
        return self.read(load_object(data))

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what one chunk, or a whole answer, says; raises AttemptFailed for an error."""
        if is_error(document):
            raise self._fail(document)
        events = self._identity(document)
        for choice in items(document.get("choices")):
            if isinstance(choice, dict) and choice.get("index") in (0, None):  # others come only with n > 1
                self._choice(choice, events)
                if choice.get("finish_reason"):
                    yield from events  # what it said stands, also where it gave up
                    events = []
                    self._end(choice, events)
        usage = child(document, "usage")
        if usage:  # in the last chunk
            buckets, cost_usd = openai_usage(usage), stated_cost_usd(usage)
            if buckets is not None or cost_usd is not None:
                events.append(UsageReport(buckets or Usage(), cost_usd))
        yield from events

    def close(self) -> None:
        """Accept the end of the answer; raises AttemptFailed (stream_cut) where it is not whole."""
        if not self.is_whole:
            raise AttemptFailed(ErrorClass.STREAM_CUT, "the answer ended without a finish value")

    def _identity(self, document: JsonObject) -> list[WireEvent]:
        said = (document.get("model"), document.get("request_id"), document.get("service_tier"))
        if said == self._said:  # as in every chunk but the first
            return []
        self._said = said
        model, request_id, tier = map(text, said)
        return [Identity(model or None, request_id or None, tier or None)] if model or request_id or tier else []

    def _choice(self, choice: JsonObject, events: list[WireEvent]) -> None:
        delta = child(choice, "delta") or child(choice, "message")
        if not self.is_whole:
            _add_pieces(delta, events)
            if "tool_calls" in delta or "function_call" in delta:
                events += self._calls.pieces(delta)
        if refusal := text(delta.get("refusal")):
            self._is_refused = True
            events.append(TextDelta(refusal))

    def _end(self, choice: JsonObject, events: list[WireEvent]) -> None:
        raw = text(choice.get("finish_reason"))
        if raw in BROKEN:
            raise AttemptFailed(BROKEN[raw], f"the provider gave up (`{raw}`)", code=raw)
        if raw and not self.is_whole:
            self.is_whole = True
            events.append(
                FinishReport(Finish.FILTERED, "refusal") if self._is_refused else FinishReport(FINISHES.get(raw), raw)
            )


def _add_pieces(delta: JsonObject, events: list[WireEvent]) -> None:
    """Add reasoning and text of a delta or message; each may be text or, from Mistral, a list of chunks."""
    content = delta.get("content")
    if isinstance(content, str) and content and len(delta) == 1:  # as in nearly every chunk
        events.append(TextDelta(content))
        return
    reasoning = text(delta.get("reasoning_content")) or text(delta.get("reasoning"))
    reasoning = reasoning or "".join(map(_flat, items(delta.get("reasoning_details"))))
    if reasoning:
        events.append(ReasoningDelta(reasoning))
    for chunk in content if isinstance(content, list) else [content]:
        is_thinking = isinstance(chunk, dict) and chunk.get("type") == "thinking"
        if words := _flat(chunk):
            events.append(ReasoningDelta(words) if is_thinking else TextDelta(words))


def _flat(chunk: Json) -> str:
    """Return the words of a content chunk, whatever it is called and however deep it is nested."""
    if isinstance(chunk, list):
        return "".join(map(_flat, chunk))
    if isinstance(chunk, dict):
        return _flat(chunk.get("text") or chunk.get("thinking") or chunk.get("summary"))
    return text(chunk)
