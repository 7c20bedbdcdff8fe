"""Finds out whether a file system has the locks that SQLite works with, before anybody waits long for one.

Where it has none (some network file systems) SQLite takes each try for a lock that another process holds.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.storage import files

if TYPE_CHECKING:
    import sqlite3

FIRST_WAIT_S = 0.1
"""How long a connection that is new waits for a lock; `be_patient` lets it wait for longer."""
_SQLITE_BUSY = 5
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})


def be_patient(connection: sqlite3.Connection, folder: Path, *, wait_s: float) -> None:
    """Let a new connection wait `wait_s` for a lock from now on; OSError (ENOLCK) where there are no locks in its folder.

    Closes it where it cannot be used.
    """
    import sqlite3

    try:
        try:
            connection.execute("PRAGMA schema_version").fetchone()  # needs a lock, and what it reads is needed in any case
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != _SQLITE_BUSY:
                raise
            if not _has_locks(folder):
                raise OSError(errno.ENOLCK, "its file system has no locks") from error
        connection.execute(f"PRAGMA busy_timeout = {round(wait_s * 1000)}")
    except (sqlite3.Error, OSError):
        connection.close()
        raise


def is_without_locks(error: OSError) -> bool:
    """Tell whether `be_patient` has found that there are no locks, so that trying again makes no sense."""
    return error.errno == errno.ENOLCK


def _has_locks(folder: Path) -> bool:
    """Try a lock on a file of its own, since closing one of SQLite's files lets go of SQLite's locks."""
    probe = files.fresh_beside(folder / "locks")
    try:
        files.create_private(probe)
        descriptor = os.open(probe, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error.errno not in _NO_LOCKS
    finally:
        files.remove(probe)
    return True
