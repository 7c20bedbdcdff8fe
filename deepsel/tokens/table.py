"""A vocabulary's file, mapped into memory: all its tokens, or just those that can occur in one short text.

The form of the file is described in scripts/vocabularies/make.py. Knows no engine.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

_MAGIC = b"DSV1"
_HEAD = 12
_STEP = 64
"""Tokens from one mark to the next."""
MAX_CANDIDATES = 40_000
"""Substrings looked up for one text; beyond that loading everything is quicker."""


class _Group:
    """The tokens of one length, in order. Two steps find one: among marks, every 64th token, then in the bytes from there on."""

    __slots__ = ("_marks", "data", "first", "length", "size", "start")

    def __init__(self, data: mmap.mmap | bytes, length: int, size: int, start: int, first: int) -> None:
        """Take where the tokens stand: `start` in bytes, `first` among all tokens."""
        self.data, self.length, self.size, self.start, self.first = data, length, size, start, first
        self._marks: list[bytes] | None = None

    def places(self, tokens: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        """Yield those of `tokens` that are there, each with its place among all tokens."""
        data, length, start, step = self.data, self.length, self.start, _STEP * self.length
        stop = start + self.size * length
        if self._marks is None:
            self._marks = [data[at : at + length] for at in range(start, stop, step)]
        marks, find = self._marks, data.find
        for token in tokens:
            begin = start + (bisect_right(marks, token) - 1) * step
            if begin < start:
                continue
            end = begin + step if begin + step < stop else stop
            at = find(token, begin, end)
            while at >= 0 and (at - begin) % length:  # across two tokens
                at = find(token, at + 1, end)
            if at >= 0:
                yield token, self.first + (at - start) // length


class Table:
    """Token bytes and ids of one vocabulary."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        (groups,) = struct.unpack_from("<I", data, 8)
        sizes = list(struct.iter_unpack("<II", data[_HEAD : _HEAD + 8 * groups]))
        self._data = data
        self._total = sum(count for _, count in sizes)
        self._ids_at = _HEAD + 8 * groups
        self._groups: dict[int, _Group] = {}
        start, first = self._ids_at + 4 * self._total, 0
        for length, count in sizes:
            self._groups[length] = _Group(data, length, count, start, first)
            start, first = start + length * count, first + count

    def all_ranks(self) -> dict[bytes, int]:
        """Return every token with its id."""
        ids = struct.unpack_from(f"<{self._total}I", self._data, self._ids_at)
        tokens: list[bytes] = []
        for group in self._groups.values():
            blob = self._data[group.start : group.start + group.length * group.size]
            tokens += [blob[at : at + group.length] for at in range(0, len(blob), group.length)]
        return dict(zip(tokens, ids, strict=True))

    def rank(self, token: bytes) -> int | None:
        """Return the id of one token; None where there is none of these bytes."""
        group = self._groups.get(len(token))
        for _, place in group.places((token,)) if group else ():
            rank: int = struct.unpack_from("<I", self._data, self._ids_at + 4 * place)[0]
            return rank
        return None

    def ranks_within(self, text: str) -> dict[bytes, int] | None:
        """Return every token that can occur in `text`, and each single byte; None where the text is too long for that.

        Merging sees nothing but the text, so an encoder of these tokens gives the ids of the whole one.
        """
        wanted = _candidates(text)
        if wanted is None:
            return None
        ranks: dict[bytes, int] = {}
        for length, tokens in wanted.items():
            if length in self._groups:
                for token, place in self._groups[length].places(tokens):
                    (ranks[token],) = struct.unpack_from("<I", self._data, self._ids_at + 4 * place)
        return ranks


@lru_cache(maxsize=1)
def _candidates(text: str) -> Mapping[int, Collection[bytes]] | None:
    """Return every run of bytes in `text` that could be a token, by length; None where they are too many.

    Remembered for the next vocabulary, which is asked for the same text.
    """
    wanted: set[bytes] = {bytes([value]) for value in range(256)}
    for segment in _segments(text):
        size = len(segment)
        for start in range(size):
            wanted.update([segment[start:end] for end in range(start + 2, min(size, start + 128) + 1)])
        if len(wanted) > MAX_CANDIDATES:
            return None
    by_length: dict[int, list[bytes]] = {}
    for token in wanted:
        by_length.setdefault(len(token), []).append(token)
    return by_length


def _segments(text: str) -> Iterator[bytes]:
    """Yield parts of a text such that every word any of the patterns cuts out lies within one of them.

    A word is white space alone, or a run without spaces with one character before it and line ends (o200k and tekken:
    slashes, too) behind it.
    """
    runs, tail, spaces = _rules()
    seen: set[str] = set()
    for run in runs.finditer(text):
        end = tail.match(text, run.end())
        seen.add(text[max(0, run.start() - 1) : end.end() if end else run.end()])
    seen.update(spaces.findall(text))
    for segment in seen:
        yield segment.encode()


@cache
def _rules() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    return re.compile(r"[^ \t\r\n]+"), re.compile(r"(?:[\r\n]+/*)*"), re.compile(r"\s+")


def open_table(path: Path) -> Table | None:
    """Map a vocabulary's file; None where it is missing or not what was written."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
        return None
    is_whole = len(data) > _HEAD and data[:4] == _MAGIC
    if not is_whole or zlib.crc32(memoryview(data)[8:]) != struct.unpack_from("<I", data, 4)[0]:
        return None
    return Table(data)
