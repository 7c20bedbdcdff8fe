"""Puts files in place whole or not at all, private unless told otherwise. Imports only `os`, since a replay uses it."""

from __future__ import annotations

import os
import stat

_PRIVATE = 0o600


def fresh_beside(path: str | os.PathLike[str]) -> str:
    """Name a file in the same folder that is not there: what is renamed into place has to be on the same file system."""
    return os.path.join(os.path.dirname(os.fspath(path)), f".new-{os.urandom(8).hex()}")


def write_whole(
    path: str | os.PathLike[str],
    data: bytes,
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


def read_own(path: str | os.PathLike[str], *, most_bytes: int) -> bytes:
    """Read a file of deepsel's own, and wait for nobody; raises OSError where it is none, or larger than it can be."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most_bytes:
            raise OSError("it is no file of deepsel's")
        data = bytearray()
        while len(data) <= most_bytes and (piece := os.read(descriptor, max(1, status.st_size + 1 - len(data)))):
            data += piece
        return bytes(data)
    finally:
        os.close(descriptor)


def make_private_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder (0700) whatever the umask, and those above it; one that is there stays as it is. Raises OSError."""
    try:
        os.makedirs(folder)
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


def version(path: str | os.PathLike[str]) -> tuple[int, int, int] | None:
    """Return what tells one state of a file from the next; None where there is none, or it cannot be seen."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _fill(fresh: str, data: bytes, *, mode: int, is_durable: bool) -> None:
    """Write a file that is not there yet."""
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        os.fchmod(descriptor, mode)
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
