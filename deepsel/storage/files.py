"""Puts files in place whole or not at all, private unless told otherwise, opens our own, and writes to any descriptor whole.

Imports only `os` and `stat`, since a replay uses it.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PRIVATE = 0o600
MOST_BYTES = 64 << 20
"""More than any file of ours that is read whole."""
NOTE_PATIENCE_S = 1.0
"""How long a note waits for a reader who asked not to be waited for: without it nothing is lost that was paid for."""


def fresh_beside(path: str | os.PathLike[str]) -> str:
    """Name a file in the same folder that is not there: what is renamed into place has to be on the same file system."""
    return os.path.join(os.path.dirname(os.fspath(path)), f".new-{os.urandom(8).hex()}")


def write_whole(
    path: str | os.PathLike[str],
    data: bytes | Iterable[bytes],
    *,
    mode: int = _PRIVATE,
    modified_at: float | None = None,
    is_durable: bool = True,
) -> None:
    """Put a file in place of what is there; the old one stays until the new one is complete. Raises OSError.

    `modified_at` (seconds since the epoch) becomes its time. Not `is_durable`: nothing is synced, which takes
    milliseconds, and a power cut may leave an empty file; for what can be made again.
    """
    fresh = fresh_beside(path)
    try:
        _fill(fresh, data, mode=mode, is_durable=is_durable)
        if modified_at is not None:
            os.utime(fresh, (modified_at, modified_at))
        os.replace(fresh, path)
    except BaseException:
        remove(fresh)
        raise


def write_new(path: str | os.PathLike[str], data: bytes) -> bool:
    """Put a private file where there is none; False, and nothing changed, where there is one. Raises OSError."""
    fresh = fresh_beside(path)
    try:
        _fill(fresh, data, mode=_PRIVATE, is_durable=True)
        return place_new(fresh, path)
    finally:
        remove(fresh)


def place_new(fresh: str | os.PathLike[str], path: str | os.PathLike[str]) -> bool:
    """Give a finished file its name as well; False where another one has it. Of several who try at once one succeeds."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        return False
    return True


def make_private_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder (0700) whatever the umask, and those above it; one that is there stays as it is. Raises OSError."""
    try:
        _make_one(folder)
    except FileNotFoundError:
        parent = os.path.dirname(os.fspath(folder))
        if parent in ("", os.fspath(folder)):
            raise
        make_private_folder(parent)
        _make_one(folder)


def _make_one(folder: str | os.PathLike[str]) -> None:
    """Make one folder, unless it is there."""
    try:
        os.mkdir(folder, 0o700)
        os.chmod(folder, 0o700)
    except FileExistsError:
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            raise


def create_private(path: str | os.PathLike[str]) -> None:
    """Make an empty private file whatever the umask; FileExistsError, or another OSError, where that cannot be."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        os.fchmod(descriptor, _PRIVATE)
    finally:
        os.close(descriptor)


def remove(path: str | os.PathLike[str]) -> None:
    """Remove a file; one that is not there, or cannot be removed, is no matter."""
    try:
        os.unlink(path)
    except OSError:
        pass  # what is left over is in nobody's way


def version(path: str | os.PathLike[str]) -> tuple[int, ...] | None:
    """Return what tells one state of a file from the next; None where there is none, or it cannot be seen.

    The time of the last change of anything (in ns), size in bytes, device, number, blocks on the disk, mode. The first one
    nobody can set: archives, `cp -p` and builds that pin times give other contents the old time of modification.
    """
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_dev, found.st_ino, found.st_blocks, found.st_mode


def open_own(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file of ours; OSError for a pipe, a device or a socket that stands in its place, where one would wait for ever."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, _PRIVATE)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        import errno

        os.close(descriptor)
        is_folder = stat.S_ISDIR(mode)
        raise OSError(errno.EISDIR if is_folder else errno.EINVAL, "is a directory" if is_folder else "not a regular file")
    return descriptor


def read_own(path: str | os.PathLike[str], *, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a file of ours. Raises OSError as `open_own` does, and for one that is larger than it can be."""
    with open(open_own(path, os.O_RDONLY), "rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        import errno

        raise OSError(errno.EFBIG, f"larger than {most_bytes} bytes, which no such file of deepsel's is")
    return data


def write_all(descriptor: int, data: bytes, patience_s: float | None = None) -> None:
    """Write all of it, as `write_some` does. Raises OSError; what was written until then is out."""
    written = write_some(descriptor, data, patience_s) if data else 0
    if written < len(data):  # as hardly ever
        left = memoryview(data)[written:]
        while left:
            left = left[write_some(descriptor, left, patience_s) :]


def write_some(descriptor: int, data: bytes | memoryview, patience_s: float | None = None) -> int:
    """Write as much as goes at once, at least one byte; return how many.

    Where the other side asked not to be waited for (a non-blocking pipe) and takes nothing, wait all the same, as long as it
    takes; with a `patience_s` no longer than that. Raises OSError.
    """
    while True:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            import select

            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            if not poll.poll(None if patience_s is None else patience_s * 1000):
                raise


def _fill(fresh: str, data: bytes | Iterable[bytes], *, mode: int, is_durable: bool) -> None:
    """Write a file that is not there yet, at once or part by part."""
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        os.fchmod(descriptor, mode)
        for part in (data,) if isinstance(data, bytes) else data:
            write_all(descriptor, part)
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
