"""Answers of the toy wire: pieces `{"word": ...}`, and at the end `{"over": ..., "heard": n, "spoken": n}`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deepsel.errors import AttemptFailed, ErrorClass
from deepsel.values import Finish, FinishReport, JsonObject, TextDelta, UsageReport, WireEvent
from deepsel.wires.failures import Fail
from deepsel.wires.fields import load_object, text
from deepsel.wires.sse import Event
from toy_wire.usage import toy_usage


class Decoder:
    """Reads one answer."""

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self.is_whole = self.is_sure = self.is_ended = False

    def feed(self, event: Event) -> Iterable[WireEvent]:
        return () if self.is_ended else self.read(load_object(event.data))

    def read(self, document: JsonObject) -> Iterator[WireEvent]:
        if sorry := text(document.get("sorry")):
            raise self._fail({"error": {"message": sorry}})
        if word := text(document.get("word")):
            yield TextDelta(word)
        if over := text(document.get("over")):
            self.is_whole = self.is_sure = self.is_ended = True
            yield FinishReport(Finish.COMPLETE if over == "all said" else Finish.LENGTH, over)
            yield UsageReport(toy_usage(document))

    def rest(self, *, is_clean: bool) -> Iterable[WireEvent]:
        return ()

    def close(self) -> None:
        if not self.is_whole:
            raise AttemptFailed(ErrorClass.STREAM_CUT, "the answer ended without `over`")
