"""Readers of the engine's events: text on stdout, drawn on a terminal or as it came; a status and notes on stderr."""

from __future__ import annotations

import os
import sys
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from deepsel.cli.terminal.output import write_piped, write_stdout
from deepsel.cli.terminal.terminal import Look, is_terminal, look, window, write_error, write_note
from deepsel.ending import shielded
from deepsel.engine.events import AttemptEnded, AttemptStarted, EngineEvent, Waiting
from deepsel.show.durations import seconds
from deepsel.show.plain import plain
from deepsel.values import ReasoningDelta, TextDelta

if TYPE_CHECKING:
    from deepsel.cli.drawing.status import StatusLine
    from deepsel.cli.options import Common


_LONG_S = 3.0
"""Of waiting, after which whoever sees no status is told."""


class TextOutput(Protocol):
    """Where the text of an answer goes as it comes."""

    def add(self, text: str) -> None:
        """Take more of the text."""

    def end(self) -> None:
        """Leave what came in order; nothing follows."""


class PipedText:
    """Writes text to stdout as it comes, byte for byte."""

    def __init__(self) -> None:
        self._last = "\n"

    def add(self, text: str) -> None:
        """Write a piece at once."""
        write_stdout(text)
        self._last = text[-1:] or self._last

    def end(self) -> None:
        """End the last line."""
        if self._last != "\n":
            write_piped("\n")


class Reader:
    """Takes each event once, in order; a context manager that leaves the terminal as it found it."""

    def __init__(
        self,
        text: TextOutput | None,
        status: StatusLine | None,
        *,
        tells_attempts: bool = False,
        tells_waits: bool = False,
        thoughts: Thoughts | None = None,
    ) -> None:
        """Take where the text goes, None for nowhere, the status line if there is one, and what else is told of.

        That is each attempt, a wait that grows long, or what the model thinks.
        """
        self._thoughts = thoughts
        self._text = text
        self._status = status
        self._tells_attempts = tells_attempts
        self._tells_waits = tells_waits
        self._waited_s = 0.0
        self._thought = 0

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            with shielded():
                self._status.wipe()
        if self._thoughts:
            self._thoughts.end()
        if self._text and not isinstance(error, BrokenPipeError):
            self._text.end()

    def take(self, event: EngineEvent) -> None:
        """Show what the event says."""
        if isinstance(event, TextDelta):
            if self._thoughts:
                self._thoughts.end()
            if self._text and event.text:
                if self._status:  # it may stand on the same terminal
                    self._status.wipe()
                    self._status = None
                self._text.add(event.text)
            return
        if self._thoughts and isinstance(event, ReasoningDelta):
            if self._status:
                self._status.wipe()
            self._thoughts.add(event.text)
            return
        doing = self._thinking(event) if isinstance(event, ReasoningDelta) else doing_now(event)
        if self._status and doing:
            self._status.say(doing, for_s=event.seconds if isinstance(event, Waiting) else None)
        note = attempt_note(event) if self._tells_attempts else self._long_wait(event)
        if note:
            (self._status.note if self._status else write_note)(note)


    def _thinking(self, event: ReasoningDelta) -> str:
        """Say that the model thinks, and how much has come of it."""
        self._thought += len(event.text)
        return f"thinking, {self._thought:,} characters"

    def _long_wait(self, event: EngineEvent) -> str | None:
        """Say once what is waited for, as soon as the waits together are long and nothing else tells of them."""
        if not (self._tells_waits and isinstance(event, Waiting)):
            return None
        self._waited_s += event.seconds
        if self._waited_s < _LONG_S:
            return None
        self._tells_waits = False
        return f"waiting for {event.model}: {event.reason}"


class Thoughts:
    """Writes what a model thinks to standard error, dimmed on a terminal."""

    def __init__(self, look: Look | None) -> None:
        """Take what the terminal can do; None: it is none."""
        self._on, self._off = ("\x1b[2m", "\x1b[0m") if look and look.has_styles else ("", "")
        self._last = "\n"

    def add(self, text: str) -> None:
        """Write a piece."""
        write_error(self._on + plain(text) + self._off)
        self._last = text[-1:] or self._last

    def end(self) -> None:
        """End the last line."""
        if self._last != "\n":
            write_error("\n")
            self._last = "\n"


def reader_for(*, is_shown: bool, common: Common, raw: bool = False, thinks: bool = False) -> Reader:
    """Choose by stdout how text is shown, and by stderr whether there is a status: each may be a terminal or not.

    `raw` draws nothing, `thinks` shows what the model thinks.
    """
    thoughts = Thoughts(look(os.environ) if is_terminal(sys.stderr) else None) if thinks else None
    status = None if common.quiet else _status()
    tells_waits = status is None and not common.quiet
    text = _text_output(raw=raw) if is_shown else None
    return Reader(text, status, tells_attempts=common.verbose, tells_waits=tells_waits, thoughts=thoughts)


def _status() -> StatusLine | None:
    """Make the status line of a terminal that can draw over it."""
    wanted = look(os.environ)
    if not is_terminal(sys.stderr) or not wanted.can_move:
        return None
    from deepsel.cli.drawing.status import StatusLine

    return StatusLine(wanted, partial(window, sys.stderr, os.environ))


def _text_output(*, raw: bool) -> TextOutput:
    """Draw on a terminal, unless that is not wanted; pass on into anything else."""
    if not is_terminal(sys.stdout) or raw:
        return PipedText()
    from deepsel.cli.terminal.render import DrawnText

    return DrawnText(write_piped, look(os.environ), partial(window, sys.stdout, os.environ))


def doing_now(event: EngineEvent) -> str | None:
    """Say what is being waited for from this event on; None where it changes nothing."""
    match event:
        case ReasoningDelta(_):
            return "thinking"
        case AttemptStarted(_, model, _):
            return f"asking {model}"
        case Waiting(_, model, reason):
            return f"waiting for {model}: {reason}"
        case AttemptEnded(attempt) if attempt.outcome == "failed":
            return f"{attempt.model} failed ({attempt.error_class})"
        case _:
            return None


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
