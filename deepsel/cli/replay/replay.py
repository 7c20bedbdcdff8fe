"""Answers an invocation that was answered before: the output is kept under everything it depends on, and printed again.

Nothing is parsed and nothing is asked. What is not certain is left to the command line behind it, which gives the same bytes.
Owns the form of a memo and when it may be used; cli/replay/memo.py writes them. Imports next to nothing: an import costs milliseconds.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Mapping

from deepsel import __version__, places
from deepsel.digest import sha256_hex
from deepsel.show.durations import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

FORMAT = "deepsel memo 2"
FOLDER = "memo"
"""Within the folder of the answer cache."""
SPOOL = "hits"
"""Within FOLDER: a line for each replayed answer, until the next command adds them to the statistics."""
SPOOL_LIMIT_BYTES = 1 << 18
CLOCK_SKEW_S = 300.0
"""As in the cache: what was stored further in the future is not served."""
DATABASE_FILES = ("cache.db", "cache.db-wal")
UNSURE = "?"
"""The version of a pipe, which gives something else each time, and of a database that has not been looked into since."""
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

    __slots__ = ("conditions", "expires_at", "key", "observation", "parts", "stamps", "store_time", "stored_at")

    def __init__(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\n\n")
        form, self.key, times, self.stamps, self.observation, lengths, *self.conditions = os.fsdecode(head).split("\n")
        if form != FORMAT:
            raise ValueError(form)
        self.store_time, self.stored_at, self.expires_at = map(float, times.split())
        self.parts: tuple[list[bytes], list[bytes]] = ([], [])
        at = 0
        for stream, length in (one.split(":") for one in lengths.split()):
            self.parts[int(stream) - 1].append(body[at : at + int(length)])
            at += int(length)
        if at != len(body):
            raise ValueError(lengths)


def stamp(path: str) -> str:
    """Say which version of a file is there; `-` where there is none, UNSURE where it is no file.

    The first of its times is that of the last change of anything, which nobody can set: archives, `cp -p` and builds that
    pin times give other contents the old time of modification.
    """
    try:
        found = os.stat(path)
    except OSError:
        return "-"
    if not stat.S_ISREG(found.st_mode):
        return UNSURE
    return f"{found.st_ctime_ns} {found.st_mtime_ns} {found.st_size} {found.st_dev} {found.st_ino}"


def database_stamps(folder: str) -> str:
    """Say which version of the cache's database is there; an empty log, which a reader leaves, is as good as none."""
    found = [stamp(os.path.join(folder, name)) for name in DATABASE_FILES]
    return "; ".join("-" if one.split()[2:3] == ["0"] else one for one in found)


def _is_ask(arguments: list[str]) -> bool:
    """Tell whether this can be `deepsel ask`, shared options before it included."""
    return bool(arguments) and (arguments[0] == "ask" or (arguments[0].startswith("-") and "ask" in arguments))


def _identify(arguments: list[str], env: Mapping[str, str]) -> str:
    """Hash what the command line is given: words, folder, variables, standard input. Empty: it cannot be known in time."""
    piped = b"" if os.isatty(0) or _leaves_stdin(arguments) else _stdin()
    if piped is None:
        return ""
    variables = [f"{name}={env[name]}" for name in sorted(env) if _decides(name)]
    words = [__version__, os.getcwd(), str(os.isatty(0)), str(len(arguments)), *arguments, str(len(variables)), *variables]
    return sha256_hex(b"\0".join([*map(os.fsencode, words), piped]))


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
    """Read a memo of our own; None where there is none."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            return _Memo(file.read())
    except FileNotFoundError:
        return None


def _holds(memo: _Memo, answers: str, env: Mapping[str, str], now_s: float) -> bool:
    """Tell whether the entry it was made from is still served, and nothing the answer depends on has changed."""
    if not (now_s < memo.expires_at and memo.stored_at - now_s <= CLOCK_SKEW_S):
        return False
    for condition in memo.conditions:
        kind, _, rest = condition.partition(" ")
        expected, _, name = rest.partition("\t")
        found = stamp(name) if kind == "file" else str(bool(env.get(name, "").strip()))
        if found != expected:
            return False
    stamps = database_stamps(answers)
    if stamps == memo.stamps:
        return True
    if not _is_stored(memo, answers, now_s):
        return False
    _restamp(os.path.join(answers, FOLDER, invocation), memo, stamps)
    return True


def _is_stored(memo: _Memo, answers: str, now_s: float) -> bool:
    """Look into the database, which has changed since: is the entry the one the memo was made from?"""
    import sqlite3

    path = os.path.join(answers, DATABASE_FILES[0]).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
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
    from deepsel.storage import files

    try:
        with open(path, "rb") as file:
            raw = file.read()
        raw = raw.replace(f"\n{memo.stamps}\n".encode(), f"\n{stamps}\n".encode(), 1)
        files.write_whole(path, raw, modified_at=memo.expires_at, is_durable=False)
    except OSError:
        return  # it holds all the same; the next one looks again


def _print(memo: _Memo, spool: str, started_s: float) -> bool:
    """Print, and note the hit; False where it could be neither printed nor noted, which the command line then says.

    Raises OSError where there is no place for notes.
    """
    notes = os.open(spool, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
    try:
        if os.fstat(notes).st_size > SPOOL_LIMIT_BYTES:
            return False
        total_s = time.perf_counter() - started_s
        answer, footer = memo.parts
        try:
            _write(1, repr(round(total_s, 4)).encode().join(answer))
        except BrokenPipeError:
            footer = []  # nobody reads on: as everywhere, no error, and no more words
        try:
            _write(notes, f"{time.time():.3f}\t{memo.observation}\n".encode("ascii"))
            _write(2, seconds(total_s).encode().join(footer))
        except OSError:
            pass  # the answer is out
        return True
    finally:
        os.close(notes)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of it."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
