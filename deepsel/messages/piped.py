"""Standard input as bytes: what was read of it before, then the rest, within a limit of size and of time."""

from __future__ import annotations

import io
import os
import select
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO

from deepsel.clock import Clock
from deepsel.errors import UnavailableError

_CHUNK_BYTES = 1 << 16


class Begun(io.RawIOBase):
    """Standard input of which the beginning has been read, to its end."""

    def __init__(self, start: bytes, descriptor: int) -> None:
        super().__init__()
        self.start = start
        """Given first."""
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Return what the rest is read from."""
        return self._descriptor

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give what was read, then what comes; 0 at the end."""
        view = memoryview(buffer).cast("B")
        given, self.start = self.start[: len(view)], self.start[len(view) :]
        given = given or self._read(len(view))
        view[: len(given)] = given
        return len(given)

    def _read(self, most: int) -> bytes:
        """Read what comes next, as long as it takes; a pipe that asks not to be waited for has not ended for that."""
        while True:
            try:
                return os.read(self._descriptor, most)
            except BlockingIOError:
                select.select([self._descriptor], [], [])


def patient(stdin: TextIO) -> BinaryIO:
    """Give standard input as bytes that end where it ends; Python's own end where nothing comes for a moment, if it may not wait."""
    try:
        if os.get_blocking(stdin.fileno()) or isinstance(getattr(stdin.buffer, "raw", None), Begun):
            return stdin.buffer
    except (OSError, ValueError):
        return stdin.buffer  # it has no descriptor
    return io.BufferedReader(Begun(b"", stdin.fileno()))


def begun(start: bytes, descriptor: int) -> io.TextIOWrapper:
    """Make a standard input that begins with what was read of it."""
    return io.TextIOWrapper(io.BufferedReader(Begun(start, descriptor)), encoding="utf-8")


def read_piped(
    stdin: BinaryIO, *, most_bytes: int, limit_s: float | None, patience_s: float, on_wait: Callable[[], bool], clock: Clock
) -> bytes:
    """Read to the end, or one byte more than `most_bytes`; `on_wait` is called where nothing comes for `patience_s` at first.

    Where it returns false nothing is waited for any longer, and nothing was read.

    Raises UnavailableError where the end has not come within `limit_s`; None: it is waited for.
    """
    deadline = None if limit_s is None else clock.monotonic() + limit_s
    if not _is_ready(stdin, patience_s if limit_s is None else min(patience_s, limit_s)) and not on_wait():
        return b""
    found = bytearray()
    read = getattr(stdin, "read1", stdin.read)
    while len(found) <= most_bytes:
        left_s = None if deadline is None else deadline - clock.monotonic()
        if left_s is not None and not _is_ready(stdin, max(0.0, left_s)):
            raise UnavailableError(
                f"standard input did not end within {limit_s:g} s (--timeout)",
                "close it, run with `--no-stdin` or `< /dev/null`, or raise --timeout",
            )
        try:
            chunk = read(_CHUNK_BYTES)
        except OSError:
            break  # it is a folder or was closed: nothing more is given
        if not chunk:
            break
        found += chunk
    return bytes(found)


def _is_ready(stdin: BinaryIO, wait_s: float) -> bool:
    """Wait for something to read, the end included; true where it cannot be waited for, since reading it will tell."""
    if getattr(getattr(stdin, "raw", None), "start", b""):
        return True
    try:
        return bool(select.select([stdin], [], [], wait_s)[0])
    except (ValueError, OSError):
        return True
