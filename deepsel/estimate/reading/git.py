"""Asks git which files a commit or a revision changes, and for both versions of each. Reads only: takes no lock, fetches
nothing, and no program that a configuration names is run, be it a hook, a monitor, an external diff or a filter.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deepsel.errors import UsageError
from deepsel.estimate.reading.worktree import ATTRIBUTES, as_stored, filter_of, read_regular
from deepsel.estimate.records import Skipped
from deepsel.records import NamedTuple

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A larger version of a file is skipped: both versions are held in memory."""
_FIXED = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_NO_FILTER = ("clean=", "smudge=", "process=", "required=false")
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

    A revision may be a range: `A..B`, or `A...B` for what B changed since it left A; for what is staged that of the pre-commit
    framework counts where it names one. `paths` are git pathspecs and restrict which files count; `env` is what git is run
    with. In a repository without a commit everything staged is new. Raise UsageError where there is no work tree, no git, no
    such revision, or a path that names nothing.
    """
    git = _Git({**env, **_ADDED})
    top, revision = git.work_tree(), revision or _framework_range(env)
    git = git.without_filters()
    entries = git.entries(revision, paths)
    git.refuse_unknown(revision, paths)
    with git.blobs() as read_blob:
        disk = _Disk(git, top, read_blob, entries, revision)
        for entry in entries:
            reason = _why_not(entry)
            if reason:
                yield Skipped(entry.label, reason)
                continue
            unread = disk.why_unread(entry)
            if unread:
                yield Skipped(entry.label, unread)
            before = read_blob(entry.old_id) if entry.old_mode != _ABSENT else b""
            after = b"" if entry.new_mode == _ABSENT else disk.newer(entry)
            if before is None or after is None:
                yield Skipped(entry.label, f"cannot be read, or larger than {MAX_FILE_BYTES >> 20} MiB")
            elif entry.status[0] not in "MT" or before != after:
                yield ChangedFile(
                    entry.label,
                    None if entry.old_mode == _ABSENT else before,
                    None if entry.new_mode == _ABSENT else after,
                )


def _framework_range(env: Mapping[str, str]) -> str | None:
    """Return the range that `pre-commit run --from-ref A --to-ref B` is about; None where it is the index."""
    old, new = env.get("PRE_COMMIT_FROM_REF"), env.get("PRE_COMMIT_TO_REF")
    return f"{old}...{new}" if env.get("PRE_COMMIT") and old and new else None


class _Disk:
    """The new versions: from the repository, or from disk where git has no id for them yet, as git would store them."""

    def __init__(
        self, git: _Git, top: Path, read_blob: Callable[[str], bytes | None], entries: Sequence[_Entry], revision: str | None
    ) -> None:
        """Ask git about the entries whose new version is on disk."""
        self._top, self._read_blob, self._filters = top, read_blob, git.filters
        on_disk = [one for one in entries if not one.new_id.strip("0") and one.new_mode != _ABSENT]
        self._attributes = git.attributes([one.path for one in on_disk])
        self._indexed = git.indexed(revision) if on_disk and revision else {}
        self._autocrlf = bool(on_disk) and git.setting("core.autocrlf") in ("true", "input", "yes", "on", "1", "")

    def why_unread(self, entry: _Entry) -> str:
        """Say why a file is not read from disk; empty where it is."""
        name = self._filter(entry)
        return f"changed by the filter `{name}` on its way to disk, and not read there; compared as it is staged" if name else ""

    def _filter(self, entry: _Entry) -> str:
        """Name the filter that has a file; empty where there is none, and where it is not configured, so that git does without."""
        name = filter_of(self._attributes.get(entry.path, {}))
        return name if name in self._filters else ""

    def newer(self, entry: _Entry) -> bytes | None:
        """Return the new version; None where it cannot be read."""
        if entry.new_id.strip("0"):
            return self._read_blob(entry.new_id)
        staged = self._indexed.get(entry.path, entry.old_id)
        attributes = self._attributes.get(entry.path, {})
        if self._filter(entry):
            return self._read_blob(staged)
        raw = read_regular(self._top / entry.path, MAX_FILE_BYTES)
        if raw is None:
            return None
        return as_stored(raw, attributes, autocrlf=self._autocrlf, indexed=lambda: self._read_blob(staged))


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
    filters: frozenset[str] = frozenset()
    """Names of those that the configuration has, each of which is told to be no program."""

    @property
    def command(self) -> list[str]:
        """What every call begins with."""
        off = (f"filter.{name}.{rest}" for name in sorted(self.filters) for rest in _NO_FILTER)
        return ["git", *_FIXED, *(word for one in off for word in ("-c", one))]

    def work_tree(self) -> Path:
        """Return the top folder of the work tree we stand in; raises UsageError where there is none."""
        inside = self.run("rev-parse", "--is-inside-work-tree", check=False)
        if inside.returncode:
            raise UsageError(f"git cannot be asked: {_complaint(inside)}", "run it inside a git repository")
        if inside.stdout.strip() != b"true":
            raise UsageError("this repository has no work tree here", "run it in a checkout, not in a bare repository or `.git`")
        return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel").stdout.removesuffix(b"\n")))

    def without_filters(self) -> _Git:
        """Return a git that finds no program in any filter; raises UsageError where a filter's name cannot be said to it."""
        listed = self.run("config", "-z", "--name-only", "--get-regexp", r"^filter\.", check=False).stdout
        names = {os.fsdecode(one).partition(".")[2].rpartition(".")[0] for one in listed.split(b"\0") if one}
        if any("=" in name or "\n" in name for name in names):
            raise UsageError("git's configuration has a filter with `=` in its name, which cannot be left out", "give it another")
        return self._replace(filters=frozenset(names))

    def setting(self, name: str) -> str | None:
        """Return a value of git's configuration as it is written; None where there is none."""
        done = self.run("config", "--get", name, check=False)
        return None if done.returncode else done.stdout.decode("utf-8", "replace").strip().lower()

    def attributes(self, paths: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return, by path from the top, the attributes that decide what git would store."""
        if not paths:
            return {}
        up = os.fsdecode(self.run("rev-parse", "--show-cdup").stdout.removesuffix(b"\n"))
        asked = b"".join(os.fsencode(up + path) + b"\0" for path in paths)
        fields = self.run("check-attr", "-z", "--stdin", *ATTRIBUTES, given=asked).stdout.split(b"\0")
        found: dict[str, dict[str, str]] = {}
        for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
            own = found.setdefault(os.fsdecode(path).removeprefix(up), {})
            own[name.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        return found

    def indexed(self, revision: str) -> dict[str, str]:
        """Return, by path, the ids of what is staged and not as in a revision."""
        found = self._raw("diff-index", "--cached", "--no-renames", self._known_commit(revision))
        return {one.path: one.new_id for one in found if one.new_mode != _ABSENT}

    def refuse_unknown(self, revision: str | None, paths: Sequence[str]) -> None:
        """Raise UsageError for a path that names nothing: not on disk, not staged, and not in what is compared with."""
        old = "HEAD" if revision is None else revision.partition("..")[0] or "HEAD"
        commit = self._commit(old)
        tree = ("--with-tree", commit) if commit else ()
        known = ("ls-files", "-z", "--error-unmatch", *tree, "--")
        if not paths or not self.run(*known, *paths, check=False).returncode:
            return
        for path in paths:
            is_plain = not path.startswith(":") and not os.path.lexists(path)
            if is_plain and self.run(*known, path, check=False).returncode and not self.entries(revision, [path]):
                raise UsageError(f"`{path}` names no file that git knows", "give a file or folder of this repository, or a pattern")

    def entries(self, revision: str | None, paths: Sequence[str]) -> list[_Entry]:
        """List the differences, renames found; raises UsageError where git knows no such revision."""
        if revision is None:
            head = self._commit("HEAD") or self.run("hash-object", "-t", "tree", "--stdin").stdout.decode().strip()
            return self._raw("diff-index", "--cached", "--find-renames", head, paths=paths)
        if ".." in revision:
            return self._raw("diff-tree", "-r", "--find-renames", *self._ends(revision), paths=paths)
        return self._raw("diff-index", "--find-renames", self._known_commit(revision), paths=paths)

    def _raw(self, command: str, *words: str, paths: Sequence[str] = ()) -> list[_Entry]:
        """Run one of git's comparisons, and read what it lists. Of a submodule its commit counts alone: git would start a status in it."""
        options = ("-z", "--raw", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
        fields = iter(self.run(command, *options, *words, "--", *paths).stdout.split(b"\0"))
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

    def run(self, *arguments: str, check: bool = True, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git in the working directory; with `check`, a failure is a UsageError with git's own words."""
        try:
            done = subprocess.run(  # noqa: S603 - no shell; names from the user stand after --end-of-options or --
                [*self.command, *arguments],
                input=given,
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
                [*self.command, "cat-file", "--batch"],
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
