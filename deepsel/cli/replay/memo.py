"""Keeps an answer's output for the next identical invocation, and adds what was replayed to the statistics; see cli/replay/replay.py.

A memo is made only where the next run would be a hit on disk without a warning, into a pipe or file, with nothing it depends
on changed since before it was read. It is derived data: every command that removes entries removes all memos.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel import places
from deepsel.cli.replay import replay
from deepsel.cli.terminal.terminal import plain
from deepsel.storage import files

if TYPE_CHECKING:
    from deepsel.cache import Cache
    from deepsel.engine.hit import NextTime

MAX_BYTES = 1 << 20
_MOST_SPOOLED = 1 << 24
KEPT = 256
_RACY_NS = 50_000_000
"""A file that changed so shortly before may have changed again within the same tick of its clock."""
GAP = "\x00time\x00"
"""Stands where a time goes."""


class Conditions:
    """What an answer depends on beside the command line: files by their version, variables by being set."""

    def __init__(self, files: Iterable[str | Path], env: Mapping[str, str]) -> None:
        """Look at the files, before they are read; what changed in the last moment may change again unseen."""
        self._env = env
        self._started_ns = time.time_ns()
        self._files = {str(path): replay.stamp(str(path)) for path in files}

    def lines(self, variables: Iterable[str]) -> list[str] | None:
        """Write them as a memo holds them; None where a file has only just changed, is a pipe, or has no name for one line."""
        lines = [f"file {version}\t{path}" for path, version in self._files.items()]
        lines += [f"env {bool(self._env.get(name, '').strip())}\t{name}" for name in sorted(set(variables))]
        versions = self._files.values()
        changed_ns = [int(version.split()[0]) for version in versions if version not in ("-", replay.UNSURE)]
        is_sure = replay.UNSURE not in versions and all(self._started_ns - one > _RACY_NS for one in changed_ns)
        return lines if is_sure and not any("\n" in line for line in lines) else None


def gap(record: dict[str, object]) -> dict[str, object]:
    """Return a hit's record with gaps for its times."""
    return {**record, "timing": {"ttft_s": GAP, "total_s": GAP}}


def keep(following: NextTime, *, output: str, footer: str | None, conditions: list[str]) -> None:
    """Put a memo in place of the one that is there; output and footer have gaps for the times; None: there is no footer."""
    if not replay.invocation:
        return
    folder = places.answers_dir(os.environ)
    parts = [(1, part) for part in output.split(json.dumps(GAP))]
    parts += [(2, part) for part in (plain(footer.replace(GAP, "\n")) + "\n").split("\n", 1)] if footer else []
    encoded = [(stream, part.encode("utf-8", "replace")) for stream, part in parts]
    seen = {name: value for name, value in following.observation._asdict().items() if name != "at"}
    hit = following.hit
    head = [
        replay.FORMAT,
        following.answer.cache.key or "",
        f"{following.written_at!r} {hit.stored_at.timestamp()!r} {hit.expires_at.timestamp()!r}",
        replay.UNSURE,  # another process may have removed the entry meanwhile: the first replay looks
        json.dumps(seen, separators=(",", ":")),
        " ".join(f"{stream}:{len(part)}" for stream, part in encoded),
        *conditions,
    ]
    raw = os.fsencode("\n".join(head)) + b"\n\n" + b"".join(part for _, part in encoded)
    if len(raw) > MAX_BYTES:
        return
    with suppress(OSError):
        memos = Path(folder, replay.FOLDER)
        memos.mkdir(mode=0o700, exist_ok=True)
        _drop_expired(memos)
        files.write_whole(memos / replay.invocation, raw, modified_at=hit.expires_at.timestamp(), is_durable=False)


def _drop_expired(memos: Path) -> None:
    """Remove what has expired, and what expires next where there is no room for one more."""
    ends = sorted((path.stat().st_mtime, path) for path in memos.iterdir() if path.name != replay.SPOOL)
    for number, (expires_at, path) in enumerate(ends, start=1):
        if expires_at <= time.time() or len(ends) - number >= KEPT - 1:
            path.unlink(missing_ok=True)


def forget(folder: Path) -> None:
    """Remove every memo in the answer cache's folder; what was replayed stays to be counted."""
    with suppress(OSError):
        for path in (folder / replay.FOLDER).iterdir():
            if path.name != replay.SPOOL:
                path.unlink(missing_ok=True)


def count_replayed(cache: Cache, data_dir: Path) -> None:
    """Add the hits that were replayed since the last time to the log and to the cache's tallies.

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
    found = []
    with suppress(OSError):
        spool.replace(taken)
        lines = files.read_own(taken, most_bytes=_MOST_SPOOLED).decode("ascii", "replace").splitlines()
        taken.unlink()
        for line in lines:
            with suppress(ValueError, TypeError):
                at, _, rest = line.partition("\t")
                found.append(Observation(at=float(at), **json.loads(rest)))
    with SqliteState(data_dir) as state:
        state.add(found)
    for one in found:
        saved_usd = usd(one.saved_picousd)
        day = datetime.fromtimestamp(one.at, UTC).date()
        cache.count(Tally(day, one.model, "disk", answers=1, usd=saved_usd or Decimal(0), unpriced=int(saved_usd is None)))
