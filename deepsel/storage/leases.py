"""Places that all processes of a user share, each a lock on a small file: it ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from deepsel.digest import sha256_hex
from deepsel.storage import files


class Leases:
    """The places in `folder`, which is made when the first one is taken. Safe to use from many threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, name: str, places: int) -> int | None:
        """Take one of so many places of that name; returns what gives it back, None where all are taken. Raises OSError."""
        start = self._folder / f"{sha256_hex(name.encode())[:24]}-"
        for number in range(places):
            descriptor = self._open(f"{start}{number}")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if isinstance(error, BlockingIOError):
                    continue  # somebody else has it
                raise
            return descriptor
        return None

    def _open(self, path: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            files.make_private_folder(self._folder)
            return os.open(path, flags, 0o600)


def give_back(place: int) -> None:
    """Let the next one have a place."""
    os.close(place)
