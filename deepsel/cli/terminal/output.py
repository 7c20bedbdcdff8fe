"""Where an answer goes when it is not drawn on a terminal: bytes to stdout, or a file that is whole or absent."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.cli.terminal.terminal import is_terminal, screen_of
from deepsel.errors import ExitCode, UsageError
from deepsel.show.plain import plain
from deepsel.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepsel.show.screen import Screen


def write_stdout(text: str) -> None:
    """Write text to stdout as UTF-8 whatever the locale says, made safe where a terminal reads it.

    Where the reader of our pipe has gone away the process ends, quietly and with success.
    """
    write_piped(plain(text) if is_terminal(sys.stdout) else text)


def write_piped(text: str) -> None:
    """Do the same with text that is safe already, or where it is known that no terminal reads."""
    if sys.stdout is None:
        raise UsageError("standard output is closed", "run without `>&-`, or give `--output`")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        silence_stdout()
        raise SystemExit(ExitCode.OK) from None


def silence_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush does not complain."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


def end_with_newline(text: str) -> str:
    """Return `text` ending in one line feed at least, so that the next prompt stands on a line of its own."""
    return text if text.endswith("\n") or not text else text + "\n"


def check_writable(path: Path) -> None:
    """Refuse a place that cannot take the answer before anything is paid for."""
    if not path.name:
        raise UsageError("the output has no name", "name a file, or leave `--output` out for standard output")
    try:
        _check_place(path)
    except (OSError, ValueError) as error:  # a name that is too long
        words = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"cannot write `{path}`: {words}", "name another file") from error


def _check_place(path: Path) -> None:
    """Raise UsageError for a place that takes no file, OSError for a name that cannot be."""
    folder = path.parent
    if path.is_dir():
        raise UsageError(f"`{path}` is a folder", "name a file")
    if not folder.is_dir():
        raise UsageError(f"the folder `{folder}` does not exist", "make it first, or name another file")
    is_other = path.exists() and not path.is_file()  # a device or pipe is written to, not replaced
    if (not is_other and not os.access(folder, os.W_OK)) or (path.exists() and not os.access(path, os.W_OK)):
        raise UsageError(f"`{path}` cannot be written", "check its permissions")


def write_file(path: Path, text: str | Iterable[str], *, is_private: bool = False) -> None:
    """Write `text`, or its parts, to `path` so that a reader sees the old file or the whole new one; what is no plain file is written to.

    `is_private`: only its owner may read it, whatever the umask and the mode of the old one.
    """
    data = (part.encode("utf-8", "replace") for part in ((text,) if isinstance(text, str) else text))
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                stream.writelines(data)
            return
        target = path.resolve()
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        mode = 0o600 if is_private else mode
        files.write_whole(target, data, mode=mode)
    except (OSError, ValueError) as error:
        words = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"cannot write `{path}`: {words}") from error


def deliver(text: str | Iterable[str], path: Path | None) -> None:
    """Write a report, or its parts, to stdout, or to the file that was named."""
    if path is None:
        for part in (text,) if isinstance(text, str) else text:
            write_stdout(part)
    else:
        write_file(path, text)


def screen_for(path: Path | None) -> Screen:
    """Tell what a report is drawn on: stdout, or a file, which is UTF-8 and as wide as a pipe."""
    from deepsel.show.screen import Screen

    return screen_of(sys.stdout) if path is None else Screen()


def partial_path(path: Path) -> Path:
    """Name the file that takes an answer which is not whole."""
    return path.with_name(path.name + ".partial")


def _umask() -> int:
    """Read the process's umask, which can only be had by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
