"""Standard output and error as streams that take all that is written to them, or raise; for everything that a command writes.

Python's own count what went into a pipe that must not be waited for (some runners make theirs so), and nobody looks at the
count: a text was cut at 64 kB without a word.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

from deepsel.errors import UsageError
from deepsel.storage import files


@contextmanager
def whole_streams() -> Iterator[None]:
    """Let everything that is written meanwhile arrive whole: to standard output, or a UsageError says why not.

    A note on standard error waits only a moment for a reader who asked not to be waited for.
    """
    with redirect_stdout(_over(_Output, sys.stdout)), redirect_stderr(_over(_Notes, sys.stderr)):
        yield


class _Output(io.FileIO):
    """What a command is run for."""

    def write(self, data: Any) -> int:
        """Write all of it, however slowly it is read."""
        raw = bytes(data)
        try:
            files.write_all(self.fileno(), raw)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise not_written(error) from error
        return len(raw)


class _Notes(io.FileIO):
    """What is said beside it; where it is closed, or nobody reads, nobody wants to know."""

    _patience_s = files.NOTE_PATIENCE_S

    def write(self, data: Any) -> int:
        """Write all of it, or what is read; who has once let a note wait is waited for no more."""
        raw = bytes(data)
        try:
            files.write_all(self.fileno(), raw, self._patience_s)
        except OSError:
            self._patience_s = 0.0
        return len(raw)


def _over(kind: type[io.FileIO], stream: TextIO | None) -> TextIO | None:
    """Lay a stream over the descriptor of another one, with its encoding; one without a descriptor, or none, stays as it is."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        stream.flush()
        raw = kind(stream.fileno(), "w", closefd=False)
    except OSError:
        return stream
    return io.TextIOWrapper(
        raw, encoding=stream.encoding, errors=stream.errors, line_buffering=stream.line_buffering, write_through=True
    )


def not_written(error: OSError) -> UsageError:
    """Say why standard output did not take what was written."""
    words = (error.strerror or "input/output error").lower()
    return UsageError(f"cannot write to standard output: {words}", "give `--output` on another disk")
