"""Keeps an answer's output for the next identical invocation, and adds what was replayed to the statistics; see cli/replay/replay.py.

A memo is made only where the next run would be a hit on disk without a warning, into a pipe or file, with nothing it depends
on changed since before it was read. It is derived data: every command that removes entries removes all memos.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel import places
from deepsel.cli.replay import replay
from deepsel.show.plain import plain
from deepsel.storage import files

if TYPE_CHECKING:
    from deepsel.cache import Cache
    from deepsel.engine.hit import NextTime

_MOST_SPOOLED = 1 << 24
KEPT = 256
_BLOCK_CHARS = 4096


class Conditions:
    """What an answer depends on beside the command line: files by their version, variables by being set."""

    def __init__(self, files: Iterable[str | Path], env: Mapping[str, str]) -> None:
        """Look at the files, before they are read; what changed in the last moment may change again unseen."""
        self._env = env
        seen_ns = time.time_ns()
        self._files = {str(path): replay.stamp(str(path), seen_ns=seen_ns) for path in files}

    def lines(self, variables: Iterable[str]) -> list[str] | None:
        """Write them as a memo holds them; None where a file may change unseen, or has no name for one line."""
        lines = [f"file {version}\t{path}" for path, version in self._files.items()]
        lines += [f"env {bool(self._env.get(name, '').strip())}\t{name}" for name in sorted(set(variables))]
        is_sure = replay.UNSURE not in self._files.values()
        return lines if is_sure and not any("\n" in line for line in lines) else None


def keep(
    following: NextTime, *, outputs: tuple[str, str], footers: tuple[str, str], conditions: list[str], conversation: str | None
) -> None:
    """Put a memo in place of the one that is there; `conversation` names the question that each replay is once more.

    Output and footer are given twice, with other times of as many characters: what differs is where the times go, so that no
    text, whatever it quotes, is taken for one. An empty footer: there is none.
    """
    if not replay.invocation:
        return
    folder = places.answers_dir(os.environ)
    parts = [(1, part) for part in _around_times(*outputs)]
    parts += [(2, part) for part in _around_times(*(f"{plain(one)}\n" for one in footers))] if footers[0] else []
    encoded = [(stream, part.encode("utf-8", "replace")) for stream, part in parts]
    seen = {name: value for name, value in following.observation._asdict().items() if name != "at"} | {"conversation": conversation}
    head = [
        replay.FORMAT,
        following.answer.cache.key or "",
        f"{following.written_at!r} {following.begins_at!r} {following.ends_at!r}",
        replay.UNSURE,  # another process may have removed the entry meanwhile: the first replay looks
        json.dumps(seen, separators=(",", ":")),
        " ".join(f"{stream}:{len(part)}" for stream, part in encoded),
        *conditions,
    ]
    raw = os.fsencode("\n".join(head)) + b"\n\n" + b"".join(part for _, part in encoded)
    if len(raw) > replay.MAX_BYTES:
        return
    with suppress(OSError):
        memos = Path(folder, replay.FOLDER)
        memos.mkdir(mode=0o700, exist_ok=True)
        _drop_expired(memos)
        files.write_whole(memos / replay.invocation, raw, modified_at=following.ends_at, is_durable=False)


def _around_times(one: str, other: str) -> Iterator[str]:
    """Part a text where another one, of the same length, differs from it: a character there stands for a time."""
    begins = 0
    for start in range(0, len(one), _BLOCK_CHARS):
        block, same = one[start : start + _BLOCK_CHARS], other[start : start + _BLOCK_CHARS]
        for at in (start + number for number in range(len(block)) if block != same and block[number] != same[number]):
            yield one[begins:at]
            begins = at + 1
    yield one[begins:]


def _drop_expired(memos: Path) -> None:
    """Remove what has expired, and what expires next where there is no room for one more."""
    ends = sorted((path.lstat().st_mtime, path) for path in memos.iterdir() if path.name != replay.SPOOL)
    for number, (ends_at, path) in enumerate(ends, start=1):
        if ends_at <= time.time() or len(ends) - number >= KEPT - 1:
            files.remove(path)


def forget(folder: Path) -> None:
    """Remove every memo in the answer cache's folder; what was replayed stays to be counted."""
    with suppress(OSError):
        for path in (folder / replay.FOLDER).iterdir():
            if path.name != replay.SPOOL:
                files.remove(path)


def count_replayed(cache: Cache, data_dir: Path, keep_s: float) -> None:
    """Add the hits that were replayed since the last time to the log and to the cache's tallies, and to the conversations.

    A line that is being written while the others are taken away is lost: a statistic, no money.
    """
    spool = cache.path / replay.FOLDER / replay.SPOOL
    if not os.path.exists(spool):  # noqa: PTH110 - in a folder of another user Path.exists raises
        return
    from deepsel.cache import Tally
    from deepsel.health.log import Observation
    from deepsel.health.sqlite_state import SqliteState
    from deepsel.storage.amounts import usd

    taken = spool.with_name(f"{replay.SPOOL}.{os.getpid()}")
    raw = b""
    with suppress(OSError):
        spool.replace(taken)
        raw = files.read_own(taken, most_bytes=_MOST_SPOOLED)
    files.remove(taken)
    found: list[tuple[Observation, Tally]] = []
    again: list[tuple[object, float]] = []
    for line in raw.decode("ascii", "replace").splitlines():
        with suppress(ValueError, TypeError, ArithmeticError, OSError, RecursionError):  # a line that is none of ours
            at, _, rest = line.partition("\t")
            members = json.loads(rest)
            again.append((members.pop("conversation", None), float(at)))
            one = Observation(at=float(at), **members)
            saved_usd, day = usd(one.saved_picousd), datetime.fromtimestamp(one.at, UTC).date()
            tally = Tally(day, str(one.model), "disk", answers=1, usd=saved_usd or Decimal(0), unpriced=int(saved_usd is None))
            found.append((one, tally))
    with SqliteState(data_dir) as state:
        state.add([one for one, _ in found])
    for _, tally in found:
        cache.count(tally)
    if keep_s and (kept := [(origin, moment) for origin, moment in again if isinstance(origin, str)]):
        from deepsel.conversations.asked import LoneQuestions

        with suppress(OSError):
            for origin, moment in kept:
                LoneQuestions(data_dir, keep_s=keep_s).again(origin, at=moment)
