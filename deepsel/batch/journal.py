"""The journal of a job: what is about to be asked and what was answered, appended in groups that are on the disk before they count.

A line of it is one JSON object: the head; `{"i":LINE,"u":HELD}` before a line is sent, HELD in 1e-12 USD; `{"d":LINE,...,"r":RECORD}`
with its record once it is answered; `{"again":N}` where lines that had failed are asked anew; `{"lost":N,"u":HELD}`
for those whose process ended before their answer was kept. A tail that was cut off by the end of a
process, or of the machine, is cut away when it is opened again: nothing of it has counted.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepsel.batch.chunks import Chunk, read_chunk
from deepsel.errors import UsageError
from deepsel.jsontext import loads
from deepsel.records import NamedTuple
from deepsel.storage import files

FORM = 1
MAX_ENTRY_BYTES = 256 << 20


class Done(NamedTuple):
    """How a line ended."""

    number: int
    place: int
    """Among the lines that are not blank, from 1."""
    status: str
    """ok, failed or skipped."""
    record: bytes
    """Its record as it stands in the output, with its line feed."""
    cost_picousd: int | None = 0
    """None: unknown."""
    calls: int = 0
    lane: str = "now"
    error: str | None = None
    """The class of its error."""
    input_tokens: int = 0
    output_tokens: int = 0
    is_cached: bool = False
    is_simulated: bool = False

    def entry(self) -> bytes:
        """Return it as a line of the journal."""
        head = {
            "d": self.number, "p": self.place, "s": self.status, "c": self.cost_picousd, "k": self.calls, "l": self.lane, "e": self.error,
            "t": [self.input_tokens, self.output_tokens], "h": int(self.is_cached), "x": int(self.is_simulated),
        }  # fmt: skip
        return json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"r":' + self.record.rstrip(b"\n") + b"}\n"


class Intent(NamedTuple):
    """A line that is about to be asked."""

    number: int
    held_picousd: int

    def entry(self) -> bytes:
        """Return it as a line of the journal."""
        return b'{"i":%d,"u":%d}\n' % self


class Again(NamedTuple):
    """The lines that had failed are asked anew from here on."""

    number: int

    def entry(self) -> bytes:
        """Return it as a line of the journal."""
        return b'{"again":%d}\n' % self


class Lost(NamedTuple):
    """Lines that were under way when an earlier process was ended, and what they were held at: their bills never came."""

    lines: int
    held_picousd: int

    def entry(self) -> bytes:
        """Return it as a line of the journal."""
        return b'{"lost":%d,"u":%d}\n' % self


class Head(NamedTuple):
    """Whose journal it is."""

    job: str
    """The hash of the requests and of what is asked of them."""

    def entry(self) -> bytes:
        """Return it as the first line."""
        return json.dumps({"deepsel": "batch", "form": FORM, "job": self.job}, separators=(",", ":")).encode() + b"\n"


Entry = Head | Intent | Done | Again | Lost | Chunk


class Journal:
    """One job's journal, held against other processes while it is open. One thread at a time."""

    def __init__(self, path: Path, *, is_new: bool) -> None:
        """Open it, a new one only where there is none; raises UsageError."""
        self.path = path
        try:
            flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT | os.O_EXCL if is_new else 0)
            self._descriptor = files.open_own(path, flags)
        except FileExistsError:
            raise UsageError(f"`{path}` exists: an earlier run did not finish", "go on with `--resume`, or remove it") from None
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise UsageError(f"another process is at work on `{path}`", "wait for it, or end it") from None

    @property
    def size(self) -> int:
        """Its size in bytes: where the next entry will stand."""
        return os.fstat(self._descriptor).st_size

    def append(self, data: bytes) -> None:
        """Write entries and have them on the disk; raises OSError."""
        files.write_all(self._descriptor, data)
        os.fdatasync(self._descriptor)

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Yield each entry with its place in the file, then cut away a tail that is none. Raises UsageError."""
        good = 0
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            while raw := file.readline(MAX_ENTRY_BYTES):
                entry = parse(raw) if raw.endswith(b"\n") else None
                if entry is None:
                    break
                yield good, entry
                good += len(raw)
        self._cut(good)

    def record_at(self, place: int) -> bytes:
        """Return the record of the `Done` that stands at a place."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(place)
            entry = parse(file.readline(MAX_ENTRY_BYTES))
        if not isinstance(entry, Done):
            raise UsageError(f"`{self.path}` was changed while it was read", "start again from a copy of it")
        return entry.record

    def _cut(self, size: int) -> None:
        try:
            if os.fstat(self._descriptor).st_size > size:
                os.ftruncate(self._descriptor, size)
                os.fsync(self._descriptor)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Remove the file of a job that is whole."""
        files.remove(self.path)


def parse(raw: bytes) -> Entry | None:
    """Read one line of a journal; None where it is none."""
    try:
        found: Any = loads(raw.decode())
        if "i" in found:
            return Intent(int(found["i"]), int(found["u"]))
        if "d" in found:
            return _done(found, raw)
        if "chunk" in found:
            return read_chunk(found["chunk"], None)
        if "lost" in found:
            return Lost(int(found["lost"]), int(found["u"]))
        if "again" in found:
            return Again(int(found["again"]))
        return Head(str(found["job"])) if found.get("deepsel") == "batch" and found.get("form") == FORM else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _done(found: dict[str, Any], raw: bytes) -> Done:
    start = raw.index(b',"r":') + len(b',"r":')
    cost = found["c"]
    return Done(
        number=int(found["d"]),
        place=int(found["p"]),
        status=str(found["s"]),
        record=raw[start:].rstrip(b"\n")[:-1] + b"\n",
        cost_picousd=None if cost is None else int(cost),
        calls=int(found["k"]),
        lane=str(found["l"]),
        error=found["e"],
        input_tokens=int(found["t"][0]),
        output_tokens=int(found["t"][1]),
        is_cached=bool(found["h"]),
        is_simulated=bool(found["x"]),
    )


def _unusable(path: Path, error: OSError) -> UsageError:
    words = (error.strerror or "input/output error").lower()
    return UsageError(f"cannot use the journal `{path}`: {words}", "name another output, or mend that")
