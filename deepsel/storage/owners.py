"""Whether a file or folder is the user's own: what it says is believed only where nobody else but root could have said it.

Imports next to nothing, since every start asks.
"""

from __future__ import annotations

import os
import stat

from deepsel.records import NamedTuple
from deepsel.storage import files

_ROOT = 0
_NOBODY = 65534
"""Whom the kernel names where an owner has no number within a container."""


class Suspicion(NamedTuple):
    """Why a file or folder is not used."""

    what: str
    mend: str
    """What to do about it."""

    def __str__(self) -> str:
        return f"{self.what}; {self.mend}"


def fault(*paths: str | os.PathLike[str]) -> Suspicion | None:
    """Find the first of the paths that another user owns or may change; None where all are the user's own, root's, or not there.

    A link is as good as what it leads to, and as its own owner.
    """
    for path in [os.fspath(one) for one in paths]:
        try:
            link, found = os.lstat(path), os.stat(path)
        except OSError:
            continue  # who opens it will say
        for owner in (link.st_uid, found.st_uid):
            if not _is_trusted(owner):
                return Suspicion(f"`{path}` belongs to another user ({owner})", f"`chown {os.geteuid()} {path}`, if it is yours")
        if _is_open(path, found):
            return Suspicion(f"`{path}` can be changed by other users", f"`chmod go-w {path}`, after a look at what is in it")
    return None


def _is_trusted(owner: int) -> bool:
    """Tell whether an owner is the user, or root, who can do anything in any case."""
    return owner in (_ROOT, os.geteuid()) or (owner == _NOBODY and _is_in_container())


def _is_in_container() -> bool:
    """Tell whether users have other numbers outside: an owner without a number here is nobody who could be here."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            return file.read().split() != ["0", "0", str(2**32 - 1)]
    except OSError:
        return False


def _is_open(path: str, found: os.stat_result) -> bool:
    """Tell whether others may really write to it, whatever its mode says on a file system that has none, or is not written to."""
    is_folder = stat.S_ISDIR(found.st_mode)
    by_group = found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid)
    if not (by_group or found.st_mode & stat.S_IWOTH) or (is_folder and found.st_mode & stat.S_ISVTX):
        return False
    try:
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return False
    except OSError:
        return True
    return _has_modes(path if is_folder else os.path.dirname(os.path.realpath(path)))


def _is_own_group(group: int) -> bool:
    """Tell whether a group is root's, or has no other member, as that of a user's own name on many systems."""
    if group == _ROOT:
        return True
    import grp
    import pwd

    try:
        found = grp.getgrgid(group)
    except KeyError:
        return group == os.getegid()
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return found.gr_name == name and set(found.gr_mem) <= {name}


def _has_modes(folder: str) -> bool:
    """Tell whether a file system keeps modes, which a disk of another system that is mounted does not."""
    probe = files.fresh_beside(os.path.join(folder, "modes"))
    try:
        files.create_private(probe)
        return stat.S_IMODE(os.stat(probe).st_mode) & 0o077 == 0
    except OSError:
        return True
    finally:
        files.remove(probe)
