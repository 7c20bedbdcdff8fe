"""Where records go: one file, in the order of the lines or as they come, or a file for each answer. One thread at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from deepsel.batch.journal import Done, Journal
from deepsel.jsontext import loads
from deepsel.storage import files

_MAX_RECORD_BYTES = 256 << 20
_LONGEST_NAME = 180


class Outlet(Protocol):
    """Takes each line's record once."""

    def take(self, done: Done) -> None:
        """Take the record of a line that counts as done; raises OSError."""

    def is_out(self, done: Done) -> bool:
        """Tell whether the line has a record there already."""

    def first_missing(self) -> int:
        """Return the place of the line whose record is waited for; 0 where none waits for another."""

    def close(self) -> None:
        """Have everything on the disk, and give the file back; raises OSError."""


class LineFile:
    """One file of records. In order: a record waits in memory for those before it."""

    def __init__(self, path: Path, *, is_ordered: bool) -> None:
        """Open the file, and read what stands in it already; a last line that was cut is cut away. Raises OSError."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self._is_ordered = is_ordered
        self._waiting: dict[int, bytes] = {}
        self._written = Marks()
        self._next = 1
        good = 0
        for number, size in self._standing():
            self._written.add(number)
            self._next += 1
            good += size
        if os.fstat(self._descriptor).st_size > good:
            os.ftruncate(self._descriptor, good)

    def _standing(self) -> Iterator[tuple[int, int]]:
        """Yield the line and the size of each whole record of the file."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            while (raw := file.readline(_MAX_RECORD_BYTES)).endswith(b"\n"):
                number = line_of(raw)
                if number is None:
                    return
                yield number, len(raw)

    def take(self, done: Done) -> None:
        """Write the record, and those that waited for it."""
        if not self._is_ordered:
            files.write_all(self._descriptor, done.record)
            self._written.add(done.number)
            return
        self._waiting[done.place] = done.record
        ready = []
        while (record := self._waiting.pop(self._next, None)) is not None:
            ready.append(record)
            self._next += 1
        if ready:
            files.write_all(self._descriptor, b"".join(ready))

    def is_out(self, done: Done) -> bool:
        """Tell whether the line has a record in the file."""
        return done.place < self._next if self._is_ordered else done.number in self._written

    def first_missing(self) -> int:
        """Return the place that is written next; 0 where any may be."""
        return self._next if self._is_ordered else 0

    def close(self) -> None:
        """Have it on the disk."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)


class Folder:
    """A file for each answer, named by its line's id; what failed has no file."""

    def __init__(self, folder: Path, suffix: str) -> None:
        """Make the folder where it is not there; raises OSError."""
        folder.mkdir(parents=False, exist_ok=True)
        self._folder, self._suffix = folder, suffix

    def take(self, done: Done) -> None:
        """Write the answer's text to its file."""
        if done.status != "ok":
            return
        record = loads(done.record)
        path = self._folder / (file_name(record["id"]) + self._suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = record["text"] + "".join(f"{call}\n" for call in record["tool_calls"])
        text = text if text.endswith("\n") or not text else text + "\n"
        files.write_whole(path, text.encode("utf-8", "replace"), mode=0o644, is_durable=False)

    def is_out(self, done: Done) -> bool:  # noqa: ARG002 - as every outlet is asked
        """Say no: a file is written again from the journal, which changes nothing."""
        return False

    def first_missing(self) -> int:
        """Wait for none."""
        return 0

    def close(self) -> None:
        """Have nothing to give back."""


class Marks:
    """A set of line numbers, a bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> None:
        """Take a number in."""
        place, bit = divmod(number, 8)
        if place >= len(self._bits):
            self._bits.extend(bytes(max(1024, place + 1 - len(self._bits))))
        self._bits[place] |= 1 << bit

    def discard(self, number: int) -> None:
        """Take a number out."""
        place, bit = divmod(number, 8)
        if place < len(self._bits):
            self._bits[place] &= ~(1 << bit)

    def __contains__(self, number: int) -> bool:
        place, bit = divmod(number, 8)
        return place < len(self._bits) and bool(self._bits[place] & (1 << bit))


def line_of(record: bytes) -> int | None:
    """Read of which line a record is; None where it is no record of a job."""
    try:
        found = loads(record)
        number = found["line"]
    except (ValueError, KeyError, TypeError):
        return None
    return number if type(number) is int else None


def file_name(name: str) -> str:
    """Return a path below a folder for an id: no two ids share one, and none leads out of the folder."""
    parts = [_part(part) for part in name.split("/")]
    return "/".join(parts)


def _part(part: str) -> str:
    """Write one part of a path so that nothing in it has a meaning, and it can be read back where it is short."""
    safe = quote(part, safe=" +,=@") if part.strip(".") else "%2E" * len(part) or "%"
    if len(safe) <= _LONGEST_NAME:
        return safe
    from deepsel.digest import sha256_hex

    return f"{safe[:_LONGEST_NAME]}%{sha256_hex(part.encode('utf-8', 'surrogatepass'))[:32]}"


def replace_records(path: Path, journal: Journal, fresh: Mapping[int, int]) -> None:
    """Put the records of lines that were asked anew in place of the old ones, all or none; raises OSError, UsageError.

    `fresh` has the place in the journal where each line's new record stands.
    """
    beside = Path(files.fresh_beside(path))
    try:
        with path.open("rb") as old, beside.open("xb") as new:
            for raw in old:
                place = fresh.get(line_of(raw) or 0)
                new.write(raw if place is None else journal.record_at(place))
            new.flush()
            os.fsync(new.fileno())
        beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        files.remove(beside)
