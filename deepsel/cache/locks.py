"""Who may ask for one key at the moment: a lock of it among threads and processes of one cache folder. Waiting is the engine's."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Protocol

from deepsel.storage.files import make_private_folder

IN_VAIN_S = 2.0
"""How long after a holder that kept no answer nobody waits for that key: each would wait in vain, one after the other."""
_VAIN_CHARS = 32


class LockAttempt(Enum):
    """What came of trying to take a lock."""

    HELD = "held"
    BUSY = "busy"
    """Another one asks at the moment."""
    NO_USE = "no use"
    """Waiting makes no sense: the last holder kept nothing, or the lock cannot be had."""


class KeyLock(Protocol):
    """One key's lock; one holder at a time, freed when its process dies."""

    def try_acquire(self) -> LockAttempt:
        """Try once, without waiting."""

    def release(self, *, is_kept: bool) -> None:
        """Give the lock to the next; `is_kept` says that the answer is in the cache now."""


class FileLock:
    """A lock by `flock` on a file named like the key; the kernel frees it with its process, however that ends."""

    def __init__(self, folder: Path, key: str, *, now_s: Callable[[], float]) -> None:
        """Touch nothing yet; `now_s` gives seconds of the wall clock, which processes share."""
        self._path = folder / key
        self._now_s = now_s
        self._file: int | None = None

    def try_acquire(self) -> LockAttempt:
        """Open, lock, and make sure that the locked file is still the one of that name."""
        try:
            file = self._open()
        except OSError:
            return LockAttempt.NO_USE
        taken = self._lock(file)
        if taken is LockAttempt.HELD:
            self._file = file
        else:
            os.close(file)
        return taken

    def release(self, *, is_kept: bool) -> None:
        """Remove the file, or write into it when it was held in vain; either frees the next."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            if is_kept:
                self._path.unlink(missing_ok=True)
            else:
                os.pwrite(file, f"{self._now_s():{_VAIN_CHARS}.3f}".encode(), 0)
        except OSError:
            pass  # a full disk, a folder that was removed: closing frees the next all the same
        finally:
            os.close(file)

    def _open(self) -> int:
        """Open the file, made where it is not there, and its folders with it. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            for folder in (self._path.parent.parent, self._path.parent):
                make_private_folder(folder)
            return os.open(self._path, flags, 0o600)

    def _lock(self, file: int) -> LockAttempt:
        """Try the lock of an open file."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.fstat(file)
            if held.st_ino != self._path.stat().st_ino:
                return LockAttempt.BUSY  # its last holder has removed it
            ended_in_vain_s = float(os.pread(file, _VAIN_CHARS, 0)) if held.st_size else float("-inf")
        except (BlockingIOError, FileNotFoundError):
            return LockAttempt.BUSY
        except (OSError, ValueError):
            return LockAttempt.NO_USE
        return LockAttempt.NO_USE if abs(self._now_s() - ended_in_vain_s) < IN_VAIN_S else LockAttempt.HELD


def remove_left_files(folder: Path, *, now_s: Callable[[], float]) -> int:
    """Remove lock files that killed or vain holders left; return how many. One that is held stays."""
    removed = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        lock = FileLock(folder, path.name, now_s=now_s)
        if lock.try_acquire() is LockAttempt.HELD:
            lock.release(is_kept=True)
            removed += 1
    return removed
