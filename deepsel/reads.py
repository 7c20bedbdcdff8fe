"""Reading of what the user names, in bounded memory: a device, a file without an end or a pipe nobody writes into ends it too."""

from __future__ import annotations

import errno
import os
import stat

_CHUNK_BYTES = 1 << 20
_PATIENCE_MS = 5_000
"""For so long a named pipe may wait for somebody who writes into it; one who writes may take any time."""


def read_file(path: str | os.PathLike[str], *, most_bytes: int) -> bytes:
    """Return what a file, pipe or device holds; raises OSError, whose words say so, also where that is more than `most_bytes`."""
    try:
        # Not blocking: opening a named pipe would wait for its writer without end.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:
        raise OSError(errno.EINVAL, "its name holds a null character") from error
    try:
        state = os.fstat(handle)
        if state.st_size > most_bytes:
            raise _too_large(most_bytes)
        head = _await_writer(handle) if stat.S_ISFIFO(state.st_mode) else b""
        os.set_blocking(handle, True)
        return head + _read(handle, most_bytes)
    finally:
        os.close(handle)


def _too_large(most_bytes: int) -> OSError:
    return OSError(errno.EFBIG, f"larger than {most_bytes:,} bytes")


def _await_writer(handle: int) -> bytes:
    """Wait until something has been written into a pipe, or its writer is gone; raises OSError where there never is one.

    Returns what had to be read to find that out.
    """
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    if poll.poll(_PATIENCE_MS):
        return b""
    try:
        first = os.read(handle, 1)
    except BlockingIOError:  # there is one, who has written nothing yet
        return b""
    if not first:
        raise OSError(errno.ETIMEDOUT, "it is a named pipe, and nobody writes into it")
    return first


def _read(handle: int, most_bytes: int) -> bytes:
    """Read to the end; raises OSError where that is too far."""
    kept: list[bytes] = []
    left = most_bytes
    while chunk := os.read(handle, min(left + 1, _CHUNK_BYTES)):
        kept.append(chunk)
        left -= len(chunk)
        if left < 0:
            raise _too_large(most_bytes)
    return b"".join(kept)
