"""Asks git which files a commit or a revision changes, and for both versions of each. Reads only: runs no hook or external
diff, takes no lock and fetches nothing; git itself may run a clean filter of the machine's configuration."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deepsel.errors import UsageError
from deepsel.estimate.records import Skipped

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A larger version of a file is skipped: both versions are held in memory."""
_FIXED = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
# To git's own variables (a hook's index is named by one) come those that keep it from locking, fetching and asking.
_ADDED = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_CHUNK_BYTES = 1 << 20
_SUBMODULE, _LINK, _ABSENT = "160000", "120000", "000000"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file that differs, with both versions."""

    path: str
    """From the top of the repository; the new name where it was renamed."""
    before: bytes | None
    """None: there was no such file."""
    after: bytes | None
    """None: it is deleted."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of git's raw difference."""

    old_mode: str
    new_mode: str
    old_id: str
    new_id: str
    """Zeros where the new version is the file on disk."""
    status: str
    path: str
    """As the system names it; bytes that are no UTF-8 are escaped."""

    @property
    def label(self) -> str:
        """The path as it can be printed."""
        return os.fsencode(self.path).decode("utf-8", "replace")


def changed_files(
    revision: str | None, paths: Sequence[str] = (), *, env: Mapping[str, str]
) -> Iterator[ChangedFile | Skipped]:
    """Yield what differs between HEAD and the index, or between `revision` and the files on disk; as git orders it.

    A revision may be a range: `A..B`, or `A...B` for what B changed since it left A. `paths` are git pathspecs and
    restrict which files count; `env` is what git is run with. In a repository without a commit everything staged is new.
    Raise UsageError where there is no work tree, no git, or no such revision.
    """
    git = _Git({**env, **_ADDED})
    top = git.work_tree()
    with git.blobs() as read_blob:
        for entry in git.entries(revision, paths):
            reason = _why_not(entry)
            if reason:
                yield Skipped(entry.label, reason)
                continue
            before = read_blob(entry.old_id) if entry.old_mode != _ABSENT else b""
            after = b"" if entry.new_mode == _ABSENT else _newer(entry, top, read_blob)
            if before is None or after is None:
                yield Skipped(entry.label, f"cannot be read, or larger than {MAX_FILE_BYTES >> 20} MiB")
            elif entry.status[0] not in "MT" or before != after:
                yield ChangedFile(
                    entry.label,
                    None if entry.old_mode == _ABSENT else before,
                    None if entry.new_mode == _ABSENT else after,
                )


def _newer(entry: _Entry, top: Path, read_blob: Callable[[str], bytes | None]) -> bytes | None:
    """Return the new version: from the repository, or from disk where git has no id for it yet."""
    return read_blob(entry.new_id) if entry.new_id.strip("0") else _read_disk(top / entry.path)


def _why_not(entry: _Entry) -> str:
    """Say why a difference is not one of text; empty where it is."""
    if entry.status == "U":
        return "has merge conflicts"
    if _SUBMODULE in (entry.old_mode, entry.new_mode):
        return "submodule"
    return "symbolic link" if _LINK in (entry.old_mode, entry.new_mode) else ""


# --- asking git -------------------------------------------------------------------------------------------------------


class _Git(NamedTuple):
    """The user's git, run in the working directory."""

    env: Mapping[str, str]

    def work_tree(self) -> Path:
        """Return the top folder of the work tree we stand in; raises UsageError where there is none."""
        inside = self.run("rev-parse", "--is-inside-work-tree", check=False)
        if inside.returncode:
            raise UsageError(f"git cannot be asked: {_complaint(inside)}", "run it inside a git repository")
        if inside.stdout.strip() != b"true":
            raise UsageError("this repository has no work tree here", "run it in a checkout, not in a bare repository or `.git`")
        return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel").stdout.removesuffix(b"\n")))

    def entries(self, revision: str | None, paths: Sequence[str]) -> list[_Entry]:
        """List the differences, renames found; raises UsageError where git knows no such revision."""
        options = ("-z", "--raw", "--no-abbrev", "--find-renames", "--no-ext-diff", "--no-textconv")
        if revision is None:
            head = self._commit("HEAD") or self.run("hash-object", "-t", "tree", "--stdin").stdout.decode().strip()
            command = ["diff-index", "--cached", *options, head]
        elif ".." in revision:
            command = ["diff-tree", "-r", *options, *self._ends(revision)]
        else:
            command = ["diff-index", *options, self._known_commit(revision)]
        fields = iter(self.run(*command, "--", *paths).stdout.split(b"\0"))
        entries = []
        for head_field in fields:
            if not head_field:
                break
            old_mode, new_mode, old_id, new_id, status = head_field.decode("ascii").removeprefix(":").split(" ")
            path = next(fields)
            if status[0] in "RC":
                path = next(fields)
            entries.append(_Entry(old_mode, new_mode, old_id, new_id, status, os.fsdecode(path)))
        return entries

    def _ends(self, revision: str) -> tuple[str, str]:
        """Return the two commits of a range; a side left out is HEAD."""
        has_base = "..." in revision
        left, _, right = revision.partition("..." if has_base else "..")
        old, new = self._known_commit(left or "HEAD"), self._known_commit(right or "HEAD")
        if not has_base:
            return old, new
        base = self.run("merge-base", old, new, check=False)
        if base.returncode:
            raise UsageError(f"`{left or 'HEAD'}` and `{right or 'HEAD'}` have no common commit", "fetch more of the history")
        return base.stdout.decode().strip(), new

    def _known_commit(self, name: str) -> str:
        """Return a commit's id; raise UsageError where the name means none."""
        found = self._commit(name)
        if found is None:
            raise UsageError(f"git knows no revision `{name}`", "in CI, fetch it first (`fetch-depth: 0`, `GIT_DEPTH: 0`)")
        return found

    def _commit(self, name: str) -> str | None:
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", check=False)
        return None if done.returncode else done.stdout.decode().strip()

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """Run git in the working directory; with `check`, a failure is a UsageError with git's own words."""
        try:
            done = subprocess.run(  # noqa: S603 - no shell; names from the user stand after --end-of-options or --
                ["git", *_FIXED, *arguments],  # noqa: S607 - the user's own git
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                env=self.env,
            )
        except FileNotFoundError as error:
            raise UsageError("git is not installed", "`--staged` and `--diff` need it") from error
        if check and done.returncode:
            raise UsageError(f"git {arguments[0]} failed: {_complaint(done)}")
        return done

    @contextmanager
    def blobs(self) -> Iterator[_BlobReader]:
        """Keep one git open that hands out contents by id; raises UsageError where git is not installed."""
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, nothing of the user's in it
                ["git", *_FIXED, "cat-file", "--batch"],  # noqa: S607 - the user's own git
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self.env,
            )
        except FileNotFoundError as error:
            raise UsageError("git is not installed", "`--staged` and `--diff` need it") from error
        with process:
            try:
                yield _BlobReader(process)
            finally:
                if process.stdin:
                    process.stdin.close()
                process.kill()


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the first line of what git said."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit code {done.returncode}"


# --- contents ---------------------------------------------------------------------------------------------------------


class _BlobReader:
    """Asks the open git for one blob at a time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __call__(self, blob_id: str) -> bytes | None:
        """Return the content; None where it is missing (a partial clone) or too large."""
        ask, answer = self._process.stdin, self._process.stdout
        if ask is None or answer is None:
            return None
        ask.write(blob_id.encode("ascii") + b"\n")
        ask.flush()
        header = answer.readline().split()
        if len(header) != 3:
            return None
        size = int(header[2])
        kept, left = [], size
        while left > 0:
            chunk = answer.read(min(left, _CHUNK_BYTES))
            if not chunk:
                return None
            left -= len(chunk)
            if size <= MAX_FILE_BYTES:
                kept.append(chunk)
        answer.read(1)
        return b"".join(kept) if size <= MAX_FILE_BYTES else None


def _read_disk(path: Path) -> bytes | None:
    """Return a file of the work tree; None where it is none, or too large."""
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_FILE_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None
