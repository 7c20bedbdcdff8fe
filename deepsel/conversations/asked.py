"""Questions that were asked by themselves, a line each: cheap to keep, since hardly any is ever gone on with.

Whoever looks at conversations moves them into the file of conversations (store.py), where each becomes one of a single turn. The
lines of a file lie within `keep_s` from the time in its name, so that a file goes as a whole once all of it has ended.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from deepsel.storage import files

FOLDER = "asked"
"""In the data folder."""


class LoneQuestions:
    """The questions of one user, below his data folder. Safe to use from many processes."""

    def __init__(self, data_dir: Path, *, keep_s: float) -> None:
        """Touch nothing yet; a question ends after `keep_s`."""
        self._folder = data_dir / FOLDER
        self._keep_s = keep_s

    def keep(self, row: dict[str, Any], *, at: float) -> str:
        """Keep a question with its answer; return what it is called in here. Raises OSError."""
        origin = os.urandom(8).hex()
        self._append({"id": origin, "at": at, **row}, at)
        return origin

    def again(self, origin: str, *, at: float) -> None:
        """Note that a question was asked once more at an instant. Raises OSError."""
        self._append({"again": origin, "at": at}, at)

    def take(self, use: Callable[[Sequence[dict[str, Any]]], None]) -> None:
        """Hand on what is kept, oldest first, and remove it once `use` has come back. Raises OSError, and what `use` raises."""
        for start in self._starts():
            path = self._folder / str(start)
            with suppress(FileNotFoundError):
                descriptor = self._locked(path, os.O_RDONLY)
                if descriptor is None:
                    continue
                with os.fdopen(descriptor, "rb") as file:
                    use([row for line in file if (row := _read(line)) is not None])
                    path.unlink()

    def _append(self, row: dict[str, Any], at: float) -> None:
        """Write one line to the file of this time, and remove those that have ended."""
        data = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        descriptor = None
        while descriptor is None:
            starts = self._starts()
            for start in starts:
                if start + 2 * self._keep_s + 1 < at:
                    files.remove(self._folder / str(start))
            fits = bool(starts) and starts[-1] <= at <= starts[-1] + self._keep_s
            if not starts:
                files.make_private_folder(self._folder)
            descriptor = self._locked(self._folder / str(starts[-1] if fits else int(at)), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            files.write_all(descriptor, data)
        finally:
            os.close(descriptor)

    def _starts(self) -> list[int]:
        """Return the times in the files' names, in order."""
        try:
            return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdecimal())
        except FileNotFoundError:
            return []

    @staticmethod
    def _locked(path: Path, flags: int) -> int | None:
        """Open and lock a file; None where another process has taken it away meanwhile."""
        descriptor, is_ours = files.open_own(path, flags), False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            is_ours = os.fstat(descriptor).st_ino == path.stat().st_ino
        except FileNotFoundError:
            return None
        finally:
            if not is_ours:
                os.close(descriptor)
        return descriptor if is_ours else None


def _read(line: bytes) -> dict[str, Any] | None:
    """Read one line; None for what was not written here, or not to its end."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and line.endswith(b"\n") else None
