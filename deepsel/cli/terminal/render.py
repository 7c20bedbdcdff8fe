"""Draws on a terminal: Markdown block by block as it is finished, and a status line meanwhile; the only importer of rich."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.text import Text

from deepsel.cli.terminal.terminal import plain
from deepsel.engine.events import AttemptEnded, AttemptStarted, EngineEvent, Waiting
from deepsel.show.durations import seconds
from deepsel.values import ReasoningDelta, TextDelta

_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})", re.MULTILINE)
_LIST_ITEM = re.compile(r"^\s*([-*+]|\d+[.)])\s")


def finished_part(text: str) -> int:
    """Return how many characters of `text` are blocks that no later text can change: up to the last blank line
    outside a code fence and not inside a list."""
    end = position = 0
    fence, in_list = "", False
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and line.strip() == mark[1]:
            fence = ""
        elif not fence and line.strip():
            in_list = bool(_LIST_ITEM.match(line)) or (in_list and line[:1] in " \t")
        position += len(line)
        if not fence and not line.strip() and line.endswith("\n") and not in_list:
            end = position
    return end


class TerminalReader:
    """Shows what happens to a person: text on stdout, the rest on stderr."""

    def __init__(self, *, draws_text: bool, has_status: bool, note_of: Callable[[EngineEvent], str | None] | None) -> None:
        """Take what to show, and what says in one line what an event means; None: nobody wants to know."""
        self._draws_text = draws_text
        self._note_of = note_of
        self._out = Console(highlight=False)
        self._err = Console(stderr=True, highlight=False)
        self._status = self._err.status("") if has_status else None
        self._live: Live | None = None
        self._pending = ""

    def __enter__(self) -> TerminalReader:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()
        self._end_live()
        if self._pending.strip():
            self._draw(self._pending)
        self._pending = ""

    def take(self, event: EngineEvent) -> None:
        """Draw one event."""
        match event:
            case TextDelta(text):
                if self._draws_text:
                    self._add(text)
            case ReasoningDelta(_):
                self._say("thinking")
            case AttemptStarted(_, model, _):
                self._say(f"asking {model}")
            case Waiting(wait_s, model, reason):
                self._say(f"waiting {seconds(wait_s)} for {model}: {reason}")
            case AttemptEnded(attempt) if attempt.outcome == "failed":
                self._say(f"{attempt.model} failed ({attempt.error_class})")
        note = self._note_of(event) if self._note_of else None
        if note:
            self._err.print(Text(plain(note), style="dim"))

    def _say(self, text: str) -> None:
        """Put a text into the status line."""
        if self._status:
            self._status.update(Text(plain(text), style="dim", overflow="ellipsis", no_wrap=True))

    def _add(self, text: str) -> None:
        """Take more of the answer: draw what is finished for good, preview the rest."""
        if self._status:
            self._status.stop()
            self._status = None
        self._pending += text
        end = finished_part(self._pending)
        if end:
            self._end_live()
            self._draw(self._pending[:end])
            self._pending = self._pending[end:]
        if self._pending.strip() and self._out.is_terminal:
            self._preview()

    def _preview(self) -> None:
        """Show the unfinished block, at most what fits the window."""
        if self._live is None:
            self._live = Live(console=self._out, transient=True, auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        lines = plain(self._pending).splitlines()[-max(1, self._out.height - 2) :]
        self._live.update(Text("\n".join(lines)), refresh=True)

    def _end_live(self) -> None:
        """Wipe the preview."""
        if self._live is not None:
            self._live.update(Text(""))
            self._live.stop()
            self._live = None

    def _draw(self, text: str) -> None:
        """Draw finished Markdown; links are shown as text, since a terminal link can hide where it leads."""
        self._out.print(Markdown(plain(text), hyperlinks=False))
