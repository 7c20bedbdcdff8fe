"""Answers an invocation that was answered before: the output is kept under everything it depends on, and printed again.

Nothing is parsed and nothing is asked. What is not certain is left to the command line behind it, which gives the same bytes.
Owns the form of a memo and when it may be used; cli/replay/memo.py writes them. Imports next to nothing: an import costs milliseconds.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from deepsel import __version__, places
from deepsel.digest import sha256_hex
from deepsel.storage import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

FORMAT = "deepsel memo 3"
FOLDER = "memo"
"""Within the folder of the answer cache."""
SPOOL = "hits"
"""Within FOLDER: a line for each replayed answer, until the next command adds them to the statistics."""
SPOOL_LIMIT_BYTES = 1 << 18
MAX_BYTES = 1 << 20
"""Of a memo."""
_RACY_NS = 50_000_000
"""What changed so shortly before it was looked at may change again within the same tick of its clock, unseen."""
_TICK_NS = 1_000_000
"""No clock of a kernel ticks in whole milliseconds: such a time is cut, or one of modification that stands in for it."""
DATABASE_FILES = ("cache.db", "cache.db-wal")
UNSURE = "?"
"""The version of what can give something else without a trace, and of a database that has not been looked into since."""
NO_STDIN = "--no-stdin"
STDIN_LIMIT_BYTES = 1 << 20
_STDIN_PATIENCE_S = 0.05
_VARIABLES = ("HOME", "OLLAMA_HOST", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "PYTHONUTF8", "PYTHONIOENCODING")
_PREFIXES = ("DEEPSEL_", "XDG_")

invocation = ""
"""Names what this process was started with; empty where that is not known."""


def replay(arguments: list[str], env: Mapping[str, str], *, now_s: float | None = None) -> bool:
    """Print the answer to the same invocation as before, where there is one that still holds; tell whether it was done."""
    global invocation
    started_s = time.perf_counter()
    if not _is_ask(arguments) or sys.stdin is None or sys.stdout is None or sys.stderr is None or os.isatty(1):
        return False
    try:
        answers = places.answers_dir(env)
        invocation = _identify(arguments, env)
        memo = _read(os.path.join(answers, FOLDER, invocation)) if invocation else None
        if memo is None or not _holds(memo, answers, env, time.time() if now_s is None else now_s):
            return False
        return _print(memo, os.path.join(answers, FOLDER, SPOOL), started_s)
    except (OSError, ValueError, IndexError):
        return False


class _Memo:
    """One memo as it was read: the lines of its head, and the bytes it prints, in parts with the time between them."""

    __slots__ = ("begins_at", "conditions", "ends_at", "key", "observation", "parts", "stamps", "store_time")

    def __init__(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\n\n")
        form, self.key, times, self.stamps, self.observation, lengths, *self.conditions = os.fsdecode(head).split("\n")
        if form != FORMAT:
            raise ValueError(form)
        self.store_time, self.begins_at, self.ends_at = map(float, times.split())
        self.parts: tuple[list[bytes], list[bytes]] = ([], [])
        at = 0
        for stream, length in (one.split(":") for one in lengths.split()):
            self.parts[int(stream) - 1].append(body[at : at + int(length)])
            at += int(length)
        if at != len(body):
            raise ValueError(lengths)


def stamp(path: str, *, seen_ns: int | None = None) -> str:
    """Say which version of a file is there; `-` where there is none, UNSURE where it may change without a trace.

    That is what is no file, or takes no place on a disk (what /proc and /sys make as it is read keeps its times); what has no
    time of change of its own (FAT, sshfs), or one in whole seconds; and what changed just before `seen_ns`, if that is given.
    """
    found = files.version(path)
    if found is None:
        return "-"
    changed_ns, _, _, _, blocks, mode = found
    is_sure = stat.S_ISREG(mode) and blocks and changed_ns % _TICK_NS
    if not is_sure or (seen_ns is not None and seen_ns - changed_ns <= _RACY_NS):
        return UNSURE
    return " ".join(map(str, found))


def database_stamps(folder: str, now_s: float) -> str:
    """Say which version of the cache's database is there; UNSURE where the next one could not be told from it."""
    found = [_database_stamp(os.path.join(folder, name), int(now_s * 1e9)) for name in DATABASE_FILES]
    return UNSURE if UNSURE in found else "; ".join(found)


def _database_stamp(path: str, seen_ns: int) -> str:
    """Say which version of one file is there; an empty log, which a reader leaves, is as good as none."""
    found = files.version(path)
    return "-" if found is not None and not found[1] else stamp(path, seen_ns=seen_ns)


def _is_ask(arguments: list[str]) -> bool:
    """Tell whether this is `deepsel ask`, shared options before it included, or a bare question."""
    if not arguments or arguments[0] == "ask":
        return bool(arguments)
    from deepsel.cli.typed import with_command

    return "ask" in with_command(arguments)


def _identify(arguments: list[str], env: Mapping[str, str]) -> str:
    """Hash what the command line is given: words, folder, variables, standard input. Empty: it cannot be known in time."""
    piped = b"" if os.isatty(0) or _leaves_stdin(arguments) else _stdin()
    if piped is None:
        return ""
    variables = [f"{name}={env[name]}" for name in sorted(env) if _decides(name)]
    words = [__version__, os.getcwd(), str(os.isatty(0)), str(len(arguments)), *arguments, *variables]
    parts = [*map(os.fsencode, words), piped]
    return sha256_hex(b"%s\n%s" % (" ".join([str(len(part)) for part in parts]).encode(), b"".join(parts)))


def _decides(name: str) -> bool:
    """Tell whether a variable may decide what is answered: places, profiles, languages, addresses."""
    return name in _VARIABLES or name.startswith(_PREFIXES) or name.endswith("_BASE_URL")


def _leaves_stdin(arguments: list[str]) -> bool:
    """Tell for certain that standard input is left alone: the word is an option, and not what another one takes."""
    at = arguments.index(NO_STDIN) if NO_STDIN in arguments else 0
    return at > 0 and not arguments[at - 1].startswith("-") and "--" not in arguments[:at]


def _stdin() -> bytes | None:
    """Read standard input and put it back; None where it is late or long."""
    raw = bytearray()
    is_whole = False
    while not is_whole and len(raw) <= STDIN_LIMIT_BYTES and _is_there():
        chunk = os.read(0, 1 << 16)
        raw += chunk
        is_whole = not chunk
    if raw or is_whole:
        sys.stdin = _put_back(bytes(raw), is_whole=is_whole)
    return bytes(raw) if is_whole else None


def _put_back(raw: bytes, *, is_whole: bool) -> TextIO:
    """Make a standard input that begins with what was read of it."""
    import io

    if is_whole:
        return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8")
    from deepsel.messages.piped import begun

    return begun(raw, 0)


def _is_there() -> bool:
    """Wait a moment for more of standard input."""
    if stat.S_ISREG(os.fstat(0).st_mode):
        return True
    import select

    return bool(select.select([0], [], [], _STDIN_PATIENCE_S)[0])


def _read(path: str) -> _Memo | None:
    """Read a memo of our own, which nobody else may change; None where there is none."""
    try:
        descriptor = files.open_own(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        is_own = found.st_uid == os.getuid() and not found.st_mode & 0o022
        return _Memo(file.read(MAX_BYTES + 1)) if is_own else None


def _holds(memo: _Memo, answers: str, env: Mapping[str, str], now_s: float) -> bool:
    """Tell whether the entry it was made from is still served, and nothing the answer depends on has changed."""
    if not memo.begins_at <= now_s < memo.ends_at:
        return False
    for condition in memo.conditions:
        kind, _, rest = condition.partition(" ")
        expected, _, name = rest.partition("\t")
        found = stamp(name) if kind == "file" else str(bool(env.get(name, "").strip()))
        if found != expected:
            return False
    stamps = database_stamps(answers, now_s)
    if stamps == memo.stamps != UNSURE:
        return True
    if not _is_stored(memo, answers, now_s):
        return False
    if stamps != UNSURE:
        _restamp(os.path.join(answers, FOLDER, invocation), memo, stamps)
    return True


def _is_stored(memo: _Memo, answers: str, now_s: float) -> bool:
    """Look into the database, which has changed since: is the entry the one the memo was made from?"""
    import sqlite3

    path = os.path.join(answers, DATABASE_FILES[0])
    if not os.path.isfile(path):
        return False  # a pipe would be waited for
    path = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    statement = "SELECT store_time FROM Cache WHERE key = ? AND raw = 1 AND expire_time > ?"
    try:
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.1)
        try:
            row = database.execute(statement, (memo.key, now_s)).fetchone()
        finally:
            database.close()
    except sqlite3.Error:
        return False
    return row is not None and bool(row[0] == memo.store_time)


def _restamp(path: str, memo: _Memo, stamps: str) -> None:
    """Note which version of the database was looked into, so that the next one need not look."""
    try:
        raw = files.read_own(path).replace(f"\n{memo.stamps}\n".encode(), f"\n{stamps}\n".encode(), 1)
        files.write_whole(path, raw, modified_at=memo.ends_at, is_durable=False)
    except OSError:
        return  # it holds all the same; the next one looks again


def _print(memo: _Memo, spool: str, started_s: float) -> bool:
    """Print, and note the hit; False where it could be neither printed nor noted, which the command line then says.

    Raises OSError where there is no place for notes, or nothing could be printed.
    """
    notes = files.open_own(spool, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        if os.fstat(notes).st_size > SPOOL_LIMIT_BYTES:
            return False
        total_s = time.perf_counter() - started_s
        answer, footer = memo.parts
        try:
            _write_answer(repr(round(total_s, 4)).encode().join(answer))
        except BrokenPipeError:
            footer = []  # nobody reads on: as everywhere, no error, and no more words
        try:
            files.write_all(notes, f"{time.time():.3f}\t{memo.observation}\n".encode("ascii"))
            if footer:
                files.write_all(2, _shown(total_s).join(footer), files.NOTE_PATIENCE_S)
        except OSError:
            pass  # the answer is out
        return True
    finally:
        os.close(notes)


def _write_answer(data: bytes) -> None:
    """Write all of it to standard output. Raises OSError where nothing of it could be written.

    Where a part is out the command line, which would print from the beginning, can only say that the rest is missing.
    """
    left = memoryview(data)
    try:
        while left:
            left = left[files.write_some(1, left) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        if len(left) == len(data):
            raise
        from deepsel.cli.app import fail
        from deepsel.cli.terminal.streams import not_written

        sys.exit(fail(not_written(error), []))


def _shown(total_s: float) -> bytes:
    """Write a time as a footer does."""
    from deepsel.show.durations import seconds

    return seconds(total_s).encode()
