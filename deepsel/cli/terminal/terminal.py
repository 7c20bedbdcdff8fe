"""What a terminal is, how large it is and what it can show; writes to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from deepsel.records import NamedTuple
from deepsel.show.plain import plain

if TYPE_CHECKING:
    from deepsel.errors import DeepselError
    from deepsel.show.screen import Screen

_LEAST_COLUMNS = 40
"""What is narrower breaks our lines by itself."""


def is_terminal(stream: object) -> bool:
    """Tell whether a person reads the stream directly."""
    return bool(getattr(stream, "isatty", bool)())


def screen_of(stream: object) -> Screen:
    """Tell how wide a stream is and whether it can show blocks; what is no terminal is 80 columns wide."""
    from deepsel.show.screen import Screen

    encoding = str(getattr(stream, "encoding", None) or "").lower().replace("-", "").replace("_", "")
    has_blocks = encoding == "utf8" and os.environ.get("TERM") != "dumb"
    return Screen(max(_LEAST_COLUMNS, _columns(stream) or Screen().columns), has_blocks)


def columns_to_cut_to(stream: object) -> int | None:
    """Tell how wide a terminal is; None where a program reads, which gets whole lines."""
    return screen_of(stream).columns if is_terminal(stream) else None


def _columns(stream: object) -> int:
    """Read the width from COLUMNS, else from the terminal; 0 where neither knows it."""
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit():
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns if is_terminal(stream) else 0  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return 0


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


def tell_error(error: DeepselError) -> None:
    """Write `error: what`, then a blank line and `hint: what to do`; nothing for an end that says nothing."""
    if not error.message:
        return
    hint = f"\nhint: {plain(error.hint)}\n" if error.hint else ""
    write_error(f"error: {plain(error.message)}\n{hint}")
