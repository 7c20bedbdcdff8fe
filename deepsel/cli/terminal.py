"""What may reach a terminal: text from outside is stripped of everything a terminal would obey."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import NamedTuple, TextIO

_KEPT = "\n\t"


@cache
def _table() -> dict[int, int | str | None]:
    """Map C0, DEL and C1 controls to visible pictures, and drop the marks that reorder text around them."""
    table: dict[int, int | str | None] = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT}
    table[0x7F] = 0x2421
    table.update(dict.fromkeys(range(128, 160), "�"))
    # Overrides and embeddings can make code read otherwise than it runs (CVE-2021-42574); isolates and plain marks stay.
    table.update(dict.fromkeys([0x202A, 0x202B, 0x202C, 0x202D, 0x202E]))
    return table


def plain(text: str) -> str:
    """Return `text` without anything that moves the cursor, changes colours, rings, or hides itself.

    Carriage returns before line feeds vanish; every other control character is shown as its picture.
    """
    return text.replace("\r\n", "\n").translate(_table())


def is_terminal(stream: object) -> bool:
    """Tell whether a person reads the stream directly."""
    return bool(getattr(stream, "isatty", bool)())


class Window(NamedTuple):
    """The size of a terminal, in characters."""

    columns: int
    rows: int


class Look(NamedTuple):
    """What a terminal can do with text, and what its user wants of it."""

    can_move: bool
    """Whether what was written can be written over."""
    has_styles: bool
    has_colours: bool


def look(env: Mapping[str, str]) -> Look:
    """Read TERM, NO_COLOR (which takes the colours, not bold and italic) and FORCE_COLOR (which gives them to a dumb terminal)."""
    is_dumb = env.get("TERM", "") in ("dumb", "unknown")
    has_styles = not is_dumb or bool(env.get("FORCE_COLOR"))
    return Look(not is_dumb, has_styles, has_styles and not env.get("NO_COLOR"))


def window(stream: TextIO, env: Mapping[str, str]) -> Window:
    """Return the size of the terminal behind a stream; COLUMNS and LINES say otherwise, 80 by 24 where nothing does."""
    try:
        size = Window(*os.get_terminal_size(stream.fileno()))
    except (OSError, ValueError):
        size = Window(0, 0)
    columns, rows = (int(env[name]) if env.get(name, "").isdecimal() else 0 for name in ("COLUMNS", "LINES"))
    return Window(columns or size.columns or 80, rows or size.rows or 24)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Take no Ctrl-C and no SIGTERM for the few milliseconds in which a terminal is left as it was."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def write_note(text: str) -> None:
    """Write one line to stderr."""
    write_error(plain(text) + "\n")


def write_error(text: str) -> None:
    """Write to stderr; where it is closed nobody wants to know."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
