"""Who could still write into a pipe that says nothing, as far as the system tells; Linux alone does."""

from __future__ import annotations

import os
from pathlib import Path

_WRITES = 0o3
"""The bits of a descriptor's flags that say whether it writes."""


def is_merely_left_open(descriptor: int) -> bool:
    """Tell whether nobody but this process's ancestors could write into the pipe behind a descriptor.

    So it is where a program started this one with a pipe and forgot it; in `slow | deepsel` the writer is a sibling. False where
    that cannot be known.
    """
    try:
        pipe = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if not pipe.startswith("pipe:"):
            return False
        writers = {int(pid) for pid in os.listdir("/proc") if pid.isdecimal() and _writes(pid, pipe)}  # noqa: PTH208 - names alone
        return bool(writers) and writers <= _ancestors()
    except (OSError, ValueError, IndexError):
        return False


def _writes(pid: str, pipe: str) -> bool:
    """Tell whether a process holds the writing end; of other users' processes nobody is told."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - names alone
    except OSError:
        return False
    return any(_is_writing_end(pid, name, pipe) for name in names)


def _is_writing_end(pid: str, name: str, pipe: str) -> bool:
    try:
        if str(Path(f"/proc/{pid}/fd/{name}").readlink()) != pipe:
            return False
        lines = Path(f"/proc/{pid}/fdinfo/{name}").read_text("ascii").splitlines()
        flags = next(line.split()[1] for line in lines if line.startswith("flags:"))
    except (OSError, StopIteration):
        return False
    return bool(int(flags, 8) & _WRITES)


def _ancestors() -> set[int]:
    """Return this process's parent, its parent, and so on."""
    found: set[int] = set()
    pid = os.getppid()
    while pid > 0 and pid not in found:
        found.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    return found
