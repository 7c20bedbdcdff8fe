"""Readers of the engine's events: silent, plain text as it comes, or drawn on a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol

from deepsel.cli.terminal.output import write_piped
from deepsel.cli.terminal.terminal import is_terminal, write_note
from deepsel.engine.events import AttemptEnded, AttemptStarted, EngineEvent, Waiting
from deepsel.show.durations import seconds
from deepsel.values import TextDelta


class Reader(Protocol):
    """Takes each event once, in order; a context manager that leaves the terminal as it found it."""

    def __enter__(self) -> Reader: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def take(self, event: EngineEvent) -> None:
        """Show what the event says."""


def reader_for(*, is_shown: bool, quiet: bool, verbose: bool) -> Reader:
    """Choose the reader: Markdown on a terminal, plain text into a pipe, a status line only where nothing is shown."""
    has_status = is_terminal(sys.stderr) and not quiet
    if (is_shown and is_terminal(sys.stdout)) or has_status:
        from deepsel.cli.terminal.render import TerminalReader

        return TerminalReader(draws_text=is_shown, has_status=has_status, note_of=attempt_note if verbose else None)
    return PlainReader(writes_text=is_shown, tells_attempts=verbose)


class PlainReader:
    """Writes text to stdout as it comes, where it is to be shown at all."""

    def __init__(self, *, writes_text: bool, tells_attempts: bool) -> None:
        self._writes_text = writes_text
        self._tells_attempts = tells_attempts
        self._last = "\n"

    def __enter__(self) -> PlainReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writes_text and self._last != "\n" and not isinstance(error, BrokenPipeError):
            write_piped("\n")

    def take(self, event: EngineEvent) -> None:
        """Write a piece of text, or a note on an attempt where notes are wanted."""
        if isinstance(event, TextDelta):
            if self._writes_text and event.text:
                write_piped(event.text)
                self._last = event.text[-1]
        elif self._tells_attempts:
            note = attempt_note(event)
            if note:
                write_note(note)


def attempt_note(event: EngineEvent) -> str | None:
    """Say in one line what the engine is doing; None for what is no news."""
    match event:
        case AttemptStarted(provider, model, number):
            return f"attempt {number}: {provider}/{model}"
        case Waiting(wait_s, model, reason):
            return f"waiting {seconds(wait_s)} before asking {model} again: {reason}"
        case AttemptEnded(attempt) if attempt.outcome == "failed":
            return f"failed ({attempt.error_class}): {attempt.message}"
        case _:
            return None
