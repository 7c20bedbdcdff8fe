"""Carries out one request of a client: what the engine says goes to it as a stream or whole, in its wire's form.

The head of a stream is written with the first thing that is seen of the answer, so that until then another model may be asked and
an error has its own status. From then on nobody else is asked. What ends a stream is held back until the answer was judged: a part
is never shown as the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deepsel.ending import Abandoned
from deepsel.engine.events import AttemptEnded, AttemptStarted, EngineEvent, Waiting
from deepsel.errors import DeepselError
from deepsel.http1.responses import Outgoings
from deepsel.jsontext import loads
from deepsel.serve.problems import problem_of
from deepsel.serve.surfaces.events import json_bytes
from deepsel.serve.surfaces.surface import Labels, Problem, StreamWriter, Surface
from deepsel.values import Answer, Finish, Passed, ReasoningDelta, TextDelta, ToolCallDelta

if TYPE_CHECKING:
    from deepsel.engine.run import Run

_MOST_PENDING = 16 * 1024
"""What has come at once is written in pieces of about that size."""
JSON_TYPE = {"content-type": "application/json"}
_STREAM_TYPE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
_HONEST_ENDS = frozenset({Finish.LENGTH, Finish.FILTERED})
"""Ends that a client is told as they are: its own bound was reached, or a provider withheld the rest."""


@dataclass(slots=True)
class Passage:
    """One request on its way to one client."""

    run: Run
    surface: Surface
    out: Outgoings
    labels: Labels
    headers: Callable[[Answer], Mapping[str, str]]
    """Gives what an answer's head says beside its type."""
    on_first: Callable[[], None]
    """Told when the first of the answer is seen."""
    on_answer: Callable[[Answer, Callable[[], str]], None]
    """Told of the answer, and how to find the id that the client will know, before its end is written: the next turn may come at once."""
    problem: Problem | None = None
    """What the client was told in place of an answer."""
    _writer: StreamWriter | None = None
    _held: list[bytes] = field(default_factory=list)
    """What the client is to see with the first of the answer."""
    _ending: list[bytes] = field(default_factory=list)
    """What ends the stream, as the provider wrote it."""
    _passed: Passed | None = None
    """The latest event of the same wire as it came, in this attempt."""
    _pending: bytearray = field(default_factory=bytearray)
    """To be written when nothing more has come."""
    _left: OSError | None = None
    """Why nothing more can be written: the client has left."""

    def _answer_id(self) -> str:
        """The id by which the client knows the answer, and may name it in its next turn; empty: it knows none."""
        if self._passed is None:
            return self.labels.id
        try:
            document = loads(self._passed.data)
        except ValueError:  # an end mark
            return ""
        inner = document.get("response", document) if isinstance(document, dict) else {}
        return str(inner.get("id", "")) if isinstance(inner, dict) else ""

    def whole(self) -> None:
        """Carry it out, and write the answer at once: before what happened is written down, which nobody need wait for."""
        is_asking = False
        with closing(self._events()) as events:
            for event in events:
                if isinstance(event, AttemptStarted):
                    is_asking, self._passed = True, None
                elif isinstance(event, Passed):
                    self._passed = event
                elif _ends_well(event) or (isinstance(event, TextDelta) and not is_asking):  # which comes from the cache
                    self._write_whole()
        if self.out.status is None:
            self._write_whole()

    def streamed(self) -> None:
        """Carry it out, and write what comes as it comes: what has come at once in one write."""
        with closing(self._events()) as events:
            for event in events:
                if not isinstance(event, AttemptEnded):
                    self._take(event)
                elif _ends_well(event):
                    self._end()
                elif self.out.is_open:
                    break  # nobody else is asked: the client has seen something of this one
        if self.out.status is None or self.out.is_open:
            self._end()

    def _write_whole(self) -> None:
        """Write the answer that there is, or note why there is none."""
        answer = self.run.answer()
        self.problem = self.problem or self._problem(answer)
        if self.problem is None:
            passed = self._passed if self._is_passed(answer) else None
            body = self._document(answer) if passed is None else passed.data.encode("utf-8", "replace")
            self.on_first()
            self.on_answer(answer, self._answer_id)
            self.out.whole(200, {**JSON_TYPE, **self.headers(answer), **_cost(answer)}, body)

    def _end(self) -> None:
        """Write the end of a stream, or why it ends before; note why none has begun."""
        answer = self.run.answer()
        self.problem = self.problem or self._problem(answer)
        if self.problem is None:
            last = b"".join(self._ending) if self._is_passed(answer) else self._writer_of(answer.model).end(answer)
            self._show(b"")
            self.on_answer(answer, self._answer_id)
            self._close(last)
        elif self.out.is_open:
            self._close(self.surface.error_event(self.problem))

    def _events(self) -> Generator[EngineEvent, None, None]:
        """Yield what happens; what cannot be asked at all becomes the problem."""
        self.run.on_wait = self._look
        try:
            for event in self.run.events():
                if isinstance(event, (AttemptStarted, Waiting)) and self.out.is_gone():
                    raise ConnectionAbortedError
                yield event
        except DeepselError as error:
            self.problem = problem_of(error, self.run.answer())
        except Abandoned:
            raise ConnectionAbortedError from None

    def _look(self) -> None:
        """Write what is pending, since nothing more has come; end it all where the client has gone."""
        self._flush()
        if self._left is not None or self.out.is_gone():
            raise Abandoned

    def _take(self, event: object) -> None:
        """Write, or hold back, one thing that happened."""
        match event:
            case AttemptStarted():
                self._held.clear()
                self._ending.clear()
                self._passed = None
                self._writer = None
                self._writer_of(event.model)
            case Passed():
                self._passed = event
                data = self._writer_of("").pass_on(event)
                if event.is_end or self._ending:
                    self._ending.append(data)
                elif self.out.is_open:
                    self._write(data)
                else:
                    self._held.append(data)
            case TextDelta() | ReasoningDelta() | ToolCallDelta():
                self._show(b"" if self._passed is not None else self._writer_of("").feed(event))

    def _show(self, data: bytes) -> None:
        """Write what is seen of the answer; the head goes with the first."""
        if self.out.is_open:
            self._write(data)
            return
        if not data and not self._held and not self._ending and self._writer is None:
            return
        self.on_first()
        self.out.begin(200, {**_STREAM_TYPE, **self.headers(self.run.answer())}, b"".join(self._held) + data)
        self._held.clear()

    def _write(self, data: bytes) -> None:
        """Write soon: when nothing more has come, or much has. Raises OSError where the client has left."""
        if self._left is not None:
            raise self._left
        self._pending += data
        if len(self._pending) >= _MOST_PENDING:
            self._flush()

    def _flush(self) -> None:
        """Write what is pending. Raises nothing: where the client has left, the next piece says so."""
        if self._pending and self._left is None:
            data, self._pending = bytes(self._pending), bytearray()
            try:
                self.out.write(data)
            except OSError as error:
                self._left = error

    def _close(self, last: bytes) -> None:
        """Write what is pending and the end."""
        if self._left is not None:
            raise self._left
        data, self._pending = bytes(self._pending) + last, bytearray()
        self.out.end(data)

    def _writer_of(self, model: str) -> StreamWriter:
        """Return who writes this attempt's events."""
        if self._writer is None:
            model = model or self.run.answer().model
            labels = self.labels._replace(model=model, input_tokens=self.run.input_tokens(model))
            self._writer = self.surface.Writer(labels)
        return self._writer

    def _document(self, answer: Answer) -> bytes:
        labels = self.labels._replace(model=answer.model, input_tokens=self.run.input_tokens(answer.model))
        return json_bytes(self.surface.document(answer, labels))

    def _is_passed(self, answer: Answer) -> bool:
        """Tell whether the answer came on the client's own wire, in the attempt that is the answer."""
        if self._passed is None or answer.cache.status == "hit" or not answer.attempts:
            return False
        return answer.attempts[-1].model == answer.model and (bool(self._ending) or self._passed.is_end)

    def _problem(self, answer: Answer) -> Problem | None:
        """Say why there is no answer to be shown; None where there is one, or it ended honestly before its end."""
        failure = self.run.failure()
        if failure is None or (answer.finish in _HONEST_ENDS and (answer.text or answer.finish is Finish.LENGTH)):
            return None
        return problem_of(failure, answer)


def _ends_well(event: EngineEvent) -> bool:
    """Tell whether a call has just brought the whole answer."""
    return isinstance(event, AttemptEnded) and event.attempt.outcome == "ok"


def _cost(answer: Answer) -> dict[str, str]:
    """Say what a whole answer cost; nothing where nobody knows, or no model was asked for money."""
    return {} if answer.cost_usd is None else {"x-deepsel-cost-usd": format(answer.cost_usd, "f")}
