"""Who may ask for one key at the moment: a lock of it among threads and processes of one cache folder. Waiting is the engine's."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Protocol

from deepsel.clock import Clock
from deepsel.storage.files import make_private_folder

IN_VAIN_S = 2.0
"""How long after a holder that kept no answer nobody waits for that key: each would wait in vain, one after the other."""
LEASE_S = 6.0
"""How long the others wait for a holder that gives no sign of life; a living one gives it three times as often."""
_VAIN_CHARS = 32


class LockAttempt(Enum):
    """What came of trying to take a lock."""

    HELD = "held"
    BUSY = "busy"
    """Another one asks at the moment."""
    STOPPED = "stopped"
    """Another one has it and gives no sign of life: a process that was stopped, by Ctrl-Z or with its machine."""
    NO_USE = "no use"
    """Waiting makes no sense: the last holder kept nothing, or the lock cannot be had."""


class KeyLock(Protocol):
    """One key's lock; one holder at a time, freed when its process dies."""

    def try_acquire(self) -> LockAttempt:
        """Try once, without waiting."""

    def renew(self) -> None:
        """Give a sign of life; to be done every LEASE_S / 3 while the lock is held."""

    def release(self, *, is_kept: bool) -> None:
        """Give the lock to the next; `is_kept` says that the answer is in the cache now."""


class FileLock:
    """A lock by `flock` on a file named like the key; the kernel frees it with its process, however that ends."""

    def __init__(self, folder: Path, key: str, *, clock: Clock) -> None:
        """Touch nothing yet."""
        self._path = folder / key
        self._clock = clock
        self._file: int | None = None
        self._sign: tuple[int, int] | None = None
        """Of the other holder: which file, and when he last touched it."""
        self._sign_seen_s = 0.0

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

    def renew(self) -> None:
        """Touch the file, whose time nobody else changes."""
        if self._file is not None:
            with suppress(OSError):
                os.utime(self._file)

    def release(self, *, is_kept: bool) -> None:
        """Remove the file, or write into it when it was held in vain; either frees the next."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            if not is_kept:
                os.pwrite(file, f"{self._now_s():{_VAIN_CHARS}.3f}".encode(), 0)
            elif os.fstat(file).st_ino == self._path.stat().st_ino:
                self._path.unlink()
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
        except BlockingIOError:
            return self._busy_or_stopped(file)
        except FileNotFoundError:
            return LockAttempt.BUSY
        except (OSError, ValueError):
            return LockAttempt.NO_USE
        return LockAttempt.NO_USE if abs(self._now_s() - ended_in_vain_s) < IN_VAIN_S else LockAttempt.HELD

    def _busy_or_stopped(self, file: int) -> LockAttempt:
        """Judge the other holder by how long he has given no sign, on our own clock, since the file's may be another one."""
        found, now_s = os.fstat(file), self._clock.monotonic()
        sign = (found.st_ino, found.st_mtime_ns)
        if sign != self._sign:
            self._sign, self._sign_seen_s = sign, now_s
        return LockAttempt.STOPPED if now_s - self._sign_seen_s >= LEASE_S else LockAttempt.BUSY

    def _now_s(self) -> float:
        """Return the wall clock in seconds, which processes share."""
        return self._clock.now().timestamp()


def place_name(key: str, number: int) -> str:
    """Name a place in the row of those who ask for a key; the first one has the key's own name."""
    return f"{key}.{number}" if number else key


def remove_left_files(folder: Path, *, clock: Clock) -> int:
    """Remove lock files that killed or vain holders left; return how many. One that is held stays."""
    removed = 0
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        lock = FileLock(folder, path.name, clock=clock)
        if lock.try_acquire() is LockAttempt.HELD:
            lock.release(is_kept=True)
            removed += 1
    return removed
