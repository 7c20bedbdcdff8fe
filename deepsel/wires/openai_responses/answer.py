"""Reads the streams and whole answers of the wire `openai-responses`.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import (
    Finish,
    FinishReport,
    Identity,
    Json,
    JsonObject,
    ReasoningDelta,
    TextDelta,
    WireEvent,
)
from deepsel.wires.failures import Fail, is_error
from deepsel.wires.fields import child, items, load_object, text
from deepsel.wires.finishes import finish_of, read_finish
from deepsel.wires.growing import REPEATED, GrowingText
from deepsel.wires.openai_responses.calls import CallItems
from deepsel.wires.openai_responses.usage import usage_report
from deepsel.wires.payload import is_done, read_data, without_empty_error
from deepsel.wires.sse import Event

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done"})
_BEGUN = ("queued", "in_progress")
_TEXT, _REFUSAL, _SUMMARY, _THOUGHT = "text", "refusal", "summary", "reasoning"
_KINDS = {"output_text": _TEXT, "refusal": _REFUSAL, "summary_text": _SUMMARY, "reasoning_text": _THOUGHT}
_WORDS = {
    "response.output_text.delta": _TEXT,
    "response.refusal.delta": _REFUSAL,
    "response.reasoning_summary_text.delta": _SUMMARY,
    "response.reasoning_text.delta": _THOUGHT,
}
_WHOLE_WORDS = {name.removesuffix("delta") + "done": kind for name, kind in _WORDS.items()}
_Key: TypeAlias = tuple[str, Json, Json]


class Decoder:
    """Reads one answer, as events of a stream or as one document.

    The event that holds the whole response ends a stream, and what it says beyond what came before it is part of the answer; a
    stream without one is cut. Nothing is read after it.
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._grown: dict[_Key, GrowingText] = {}
        """Each text, refusal, summary and thought, by its kind and where it stands."""
        self._thinks_as = ""
        """What the reasoning is told as: a summary or itself, where a server tells both."""
        self._calls = CallItems()
        self._is_refused = self._is_doubted = False
        self.is_whole = self.is_sure = self.is_ended = False
        """The end has been seen; nothing that follows counts."""

    def feed(self, event: Event) -> Iterable[WireEvent]:
        """Give what one event of a stream says; raises AttemptFailed for an error or a malformed event."""
        data = event.data.strip()
        if self.is_ended or not data:
            return ()
        if event.event == "error":
            raise self._fail(data)
        document = load_object(data) if data[0] == "{" else None if is_done(data) else read_data(data)
        if document is None:
            return ()
        return self.read(document if "type" in document or not event.event else {**document, "type": event.event})

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        """Yield what one event's document, or a whole answer, says, unknown kinds nothing; raises AttemptFailed for an error."""
        if "error" in document:
            document = without_empty_error(document)
        if is_error(document):
            raise self._fail(document)
        kind, place = text(document.get("type")), document.get("output_index")
        if kind in _WORDS:
            yield from self._said(_WORDS[kind], place, _inner(document), text(document.get("delta")))
        elif kind in _WHOLE_WORDS:
            told = _WHOLE_WORDS[kind]
            whole = text(document.get("text")) or text(document.get("refusal"))
            yield from self._said(told, place, _inner(document), whole, is_whole=True)
        elif kind.startswith("response.function_call_arguments."):
            yield from self._calls.arguments(document)
        elif kind in ("response.output_item.added", "response.output_item.done"):
            yield from self._item(child(document, "item"), place, is_done=kind.endswith("done"))
        elif kind == "response.created":
            yield from _identity(child(document, "response"), is_end=False)
        elif kind in _ENDS:
            yield from self._end(child(document, "response") or document, kind.removeprefix("response."))
        elif document.get("object") == "response" or (not kind and isinstance(document.get("output"), list)):
            yield from self._end(document, "")

    def rest(self, *, is_clean: bool) -> Iterator[WireEvent]:  # noqa: ARG002 - every wire is told so
        """Yield what was held back until the end, and what is not certain of it."""
        for (kind, _, _), grown in self._grown.items():
            if more := grown.end():
                yield _delta_of(kind, more)
        if self._is_doubted or any(grown.is_doubted for grown in self._grown.values()):
            self._is_doubted = False
            yield REPEATED

    def close(self) -> None:
        """Accept the end of the answer; raises AttemptFailed (stream_cut) where it is not whole."""
        if not self.is_whole:
            raise AttemptFailed(ErrorClass.STREAM_CUT, "the answer ended without `response.completed`")

    # --- what is said ------------------------------------------------------------------------------------------------

    def _said(self, kind: str, place: Json, inner: Json, words: str, *, is_whole: bool = False) -> Iterator[WireEvent]:
        """Yield what is new in a delta, or in a whole text that follows its deltas."""
        if not words or not self._is_wanted(kind):
            return
        key = (kind, _plain(place), _plain(inner))
        grown = self._grown.get(key)
        if grown is None:
            grown = self._grown[key] = GrowingText()
        if is_whole and grown.has_deltas:
            new = grown.compare(words)
        elif not is_whole and grown.is_plain and 0 < len(words) < grown.size:  # as nearly always: as `add` would
            grown.parts.append(words)
            grown.size += len(words)
            new = words
        else:
            grown.has_deltas = True
            new = grown.add(words)
        self._is_refused = self._is_refused or kind == _REFUSAL
        if new:
            yield _delta_of(kind, new)

    def _is_wanted(self, kind: str) -> bool:
        """Tell whether words count: of reasoning that is told in two ways only the first does."""
        if kind in (_SUMMARY, _THOUGHT):
            self._thinks_as = self._thinks_as or kind
            return kind == self._thinks_as
        return True

    def _item(self, item: JsonObject, place: Json, *, is_done: bool) -> Iterator[WireEvent]:
        """Read an item of the output: empty where it begins, whole where it is done."""
        if item.get("type") == "function_call":
            yield from self._calls.item(item, place, is_done=is_done)
        elif is_done:
            for kind, inner, words in _words_of(item):
                yield from self._said(kind, place, inner, words, is_whole=True)

    # --- the end -----------------------------------------------------------------------------------------------------

    def _end(self, response: JsonObject, ending: str) -> Iterator[WireEvent]:
        """Read a whole response: all of a document, and at the end of a stream what its events have not said."""
        if response.get("error"):
            raise self._fail({"error": response["error"]})
        status = text(response.get("status")) or ending
        if status.lower() in _BEGUN:
            return
        yield from _identity(response, is_end=True)
        output = items(response.get("output"))
        yield from self._rest_of(output) if self._grown else self._all_of(output)
        yield from self._calls.whole(output)
        yield self._finish(status, response)
        self.is_whole = self.is_sure = self.is_ended = True
        if (report := usage_report(child(response, "usage"))) is not None:
            yield report

    def _all_of(self, output: list[Json]) -> Iterator[WireEvent]:
        for place, item in enumerate(output):
            for kind, inner, words in _words_of(item):
                yield from self._said(kind, place, inner, words)

    def _rest_of(self, output: list[Json]) -> Iterator[WireEvent]:
        """Yield what a whole response has beyond what its stream has said, by kind, wherever it stands."""
        claims: dict[str, str] = {}
        for item in output:
            for kind, _, words in _words_of(item):
                if self._is_wanted(kind):
                    claims[kind] = claims.get(kind, "") + words
        for kind, claim in claims.items():
            told = [grown for (one, _, _), grown in self._grown.items() if one == kind]
            if len(told) == 1:
                new = told[0].compare(claim)
            else:
                new = "".join(grown.end() for grown in told)
                said = "".join(grown.text for grown in told)
                new += claim[len(said) :] if claim.startswith(said) else ""
                self._is_doubted = self._is_doubted or not (claim.startswith(said) or claim.strip() == said.strip())
            self._is_refused = self._is_refused or kind == _REFUSAL
            if new:
                yield _delta_of(kind, new)

    def _finish(self, status: str, response: JsonObject) -> FinishReport:
        """Return how the answer ended; raises AttemptFailed where the provider gave up."""
        reason = text(child(response, "incomplete_details").get("reason"))
        if status.lower() == "incomplete" or reason:
            return FinishReport(finish_of(reason) or Finish.INCOMPLETE, reason or status)
        said = read_finish("completed" if status in ("", "done") else status)
        if self._is_refused:
            return FinishReport(Finish.FILTERED, "refusal")
        return said._replace(finish=Finish.TOOL) if said.finish is Finish.COMPLETE and self._calls.has_any else said


def _identity(response: JsonObject, *, is_end: bool) -> Iterator[WireEvent]:
    """Yield who answers; the tier is only a wish until the end."""
    model, tier = text(response.get("model")), text(response.get("service_tier")) if is_end else ""
    if model or tier:
        yield Identity(model or None, service_tier=tier or None)


def _words_of(item: Json) -> Iterator[tuple[str, int, str]]:
    """Yield kind, number and words of each text in an item of the output."""
    if not isinstance(item, dict):
        return
    for name in ("summary", "content"):
        for number, part in enumerate(items(item.get(name))):
            kind = _KINDS.get(text(part.get("type"))) if isinstance(part, dict) else None
            if kind is not None and isinstance(part, dict) and (words := text(part.get("text")) or text(part.get("refusal"))):
                yield kind, number, words


def _inner(document: JsonObject) -> Json:
    """Return the number of a text within its item."""
    return document.get("summary_index") if "summary_index" in document else document.get("content_index")


def _plain(value: Json) -> Json:
    """Return a number or name as it is; anything else reads as absent."""
    return value if isinstance(value, int | str) else None


def _delta_of(kind: str, words: str) -> TextDelta | ReasoningDelta:
    return TextDelta(words) if kind in (_TEXT, _REFUSAL) else ReasoningDelta(words)
