"""Follows one request to its end: its pieces as they come, and its answer where it is whole."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Self, TypeAlias

from deepsel.errors import DeepselError, IncompleteError, UsageError
from deepsel.values import Answer, ReasoningDelta, TextDelta, ToolCallDelta

if TYPE_CHECKING:
    from deepsel.engine.run import Run

Event: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta
"""A piece of an answer. Reasoning begins anew where a model failed and another one is asked; text never does."""


def whole_answer(run: Run) -> Answer:
    """Return the answer of a run that is over; raises what kept it from being whole, with the record as `.answer`."""
    failure = run.failure()
    if failure is not None:
        failure.answer = run.answer()
        raise failure
    return run.answer()


class StreamedAnswer(Iterator[Event]):
    """One answer as it comes. Iterate it once, on one thread; raises at its end what kept it from being whole."""

    def __init__(self, run: Run, *, on_begin: Callable[[], object], on_end: Callable[[], None]) -> None:
        """Send nothing yet; `on_begin` is called before something is, and may refuse, `on_end` however it ends."""
        self._course = _Course(run, on_begin, on_end)
        self._events = self._course.events()

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def answer(self) -> Answer:
        """The whole answer, once the pieces have been read.

        Raises what the iteration raised; IncompleteError where it was closed early, UsageError while it goes on.
        """
        end = self._course.end
        if end is None:
            raise UsageError("the answer is not there yet", "read the stream to its end first")
        if isinstance(end, DeepselError):
            raise end
        return end

    def close(self) -> None:
        """Cancel what has not come yet; the call is recorded with what it cost. Does nothing after the end."""
        self._events.close()
        self._course.finish()  # where no piece was read, the generator never began and ends nothing


class _Course:
    """How a streamed answer goes on and ends.

    Knows nothing of the object that the caller holds, so that the call ends as soon as that is dropped.
    """

    def __init__(self, run: Run, on_begin: Callable[[], object], on_end: Callable[[], None]) -> None:
        self._run = run
        self._on_begin = on_begin
        self._on_end = on_end
        self.end: Answer | DeepselError | None = None
        """None: it goes on."""

    def events(self) -> Generator[Event, None, None]:
        """Yield the pieces."""
        try:
            self._on_begin()
            with closing(self._run.events()) as events:
                for event in events:
                    if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                        yield event
            self.end = whole_answer(self._run)
        except DeepselError as error:
            self.end = error
            raise
        finally:
            self.finish()

    def finish(self) -> None:
        """Note that it was left early, where nothing else has ended it, and give back what it held."""
        if self.end is None:
            self.end = IncompleteError("the stream was closed before the answer was whole")
            self.end.answer = self._run.answer()
        self._on_end()
