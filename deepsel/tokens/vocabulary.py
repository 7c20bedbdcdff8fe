"""Builds each maker's vocabulary as a tiktoken Encoding from the files in `data`; the only importer of tiktoken.

The files are made by scripts/vocabularies/make.py, which also describes their form. Nothing is ever downloaded.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from deepsel.tokens.patterns import PATTERNS

if TYPE_CHECKING:
    from tiktoken import Encoding

NAMES = tuple(PATTERNS)
MAX_CHARS = 128 * 1024
"""A longer text is counted in parts: the engine's time grows with the square of a single long word."""
_DATA = Path(__file__).with_name("data")
_MAGIC = b"DSV1"
_NORMALISED = frozenset({"qwen", "qwen35"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One maker's tokens."""

    name: str
    encoding: Encoding

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text` as ordinary text: nothing in it is taken for a special token."""
        return self.encoding.encode_ordinary(normalise(text) if self.name in _NORMALISED else text)


def normalise(text: str) -> str:
    """Return `text` as Qwen's tokenizers read it, in NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@cache
def encoding(name: str) -> Vocabulary | None:
    """Return a vocabulary, built once a process in 0.1 to 0.3 s; None where there is none of that name or its file is damaged."""
    ranks = _read(_DATA / f"{name}.vocab") if name in PATTERNS else None
    if ranks is None:
        return None
    import tiktoken

    return Vocabulary(name, tiktoken.Encoding(name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={}))


def _read(path: Path) -> dict[bytes, int] | None:
    """Read token bytes and ids; None where the file is missing or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) < 12 or data[:4] != _MAGIC or zlib.crc32(memoryview(data)[8:]) != struct.unpack_from("<I", data, 4)[0]:
        return None
    (groups,) = struct.unpack_from("<I", data, 8)
    sizes = list(struct.iter_unpack("<II", data[12 : 12 + 8 * groups]))
    total = sum(count for _, count in sizes)
    ids = struct.unpack_from(f"<{total}I", data, 12 + 8 * groups)
    at = 12 + 8 * groups + 4 * total
    tokens: list[bytes] = []
    for length, count in sizes:
        tokens += [data[start : start + length] for start in range(at, at + length * count, length)]
        at += length * count
    return dict(zip(tokens, ids, strict=True))
