"""Bytes turned into text: what encoding they are in, whether they are text at all; the one importer of charset_normalizer.

Owns the reading of one file or stream in bounded memory. Nothing is read past the size a file had when it was opened.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 64 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = (b"%PDF-", b"\x7fELF", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"BZh", b"\xfd7zXZ")
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_CONTROL_SHARE = 0.01
_REPLACEMENT = "\ufffd".encode()


class NotText(Exception):
    """The bytes are no text, or cannot be read; the message is the reason for a skip."""


@dataclass(slots=True)
class TextSource:
    """An open file or stream and how its bytes become text."""

    stream: BinaryIO
    encoding: str
    size_bytes: int | None
    """Bytes that will be read at most, byte-order mark included; None for a stream that ends when it ends."""
    head: bytes
    """What was read to find the encoding, without the byte-order mark."""
    bom_bytes: int = 0
    replaced: int = 0
    """Characters that stand for bytes which are not text in this encoding, so far."""
    read_bytes: int = 0
    """Bytes read so far, byte-order mark included."""
    _tail: bytes = b""

    def close(self) -> None:
        """Give the file back."""
        self.stream.close()

    def blocks(self) -> Iterator[str]:
        """Yield the text in order to the end."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        self.read_bytes = self.bom_bytes
        raw = self.head
        while raw:
            self.read_bytes += len(raw)
            text = decoder.decode(raw)
            self._note_damage(text, raw)
            yield text
            raw = self._next()
        text = decoder.decode(b"", True)
        self._note_damage(text, b"")
        yield text

    def _next(self) -> bytes:
        left = BLOCK_BYTES if self.size_bytes is None else min(BLOCK_BYTES, self.size_bytes - self.read_bytes)
        return self.stream.read(left) if left > 0 else b""

    def _note_damage(self, text: str, raw: bytes) -> None:
        """Count replacement characters that the text itself did not hold, also one that lies across two reads."""
        if "\ufffd" in text:
            own = (self._tail + raw).count(_REPLACEMENT) if self.encoding == "utf-8" else 0
            self.replaced += text.count("\ufffd") - own
        self._tail = raw[-2:]

    def window(self, start: int, length: int) -> str:
        """Return the text of `length` bytes from an offset, moved to where characters begin."""
        self.stream.seek(start)
        raw = self.stream.read(length + 3)
        self.read_bytes += length
        if self.encoding != "utf-8":
            return raw[:length].decode(self.encoding, "replace")
        first = _character_start(raw, 0) if start > self.bom_bytes else 0
        return raw[first : _character_start(raw, length)].decode("utf-8", "replace")

    def changed(self) -> str:
        """Say in words whether the file's size changed while it was read; empty where it did not."""
        if self.size_bytes is None:
            return ""
        if self.read_bytes < self.size_bytes:
            return f"it shrank while it was read: {self.read_bytes} of {self.size_bytes} bytes were there"
        try:
            now = os.fstat(self.stream.fileno()).st_size
        except (OSError, io.UnsupportedOperation):
            return ""
        return f"it grew while it was read: the first {self.size_bytes} bytes were counted" if now > self.size_bytes else ""


def open_file(path: str) -> TextSource:
    """Open a regular file; raise NotText for anything else, for what cannot be read and for what is not text."""
    try:
        # Not blocking: a pipe may have taken the file's place since it was found.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            os.close(handle)
            raise NotText("not a regular file")
        stream = os.fdopen(handle, "rb")
        try:
            return open_stream(stream, state.st_size)
        except (NotText, OSError):
            stream.close()
            raise
    except OSError as error:
        raise NotText((error.strerror or str(error)).lower()) from error


def open_stream(stream: BinaryIO, size_bytes: int | None = None) -> TextSource:
    """Find a stream's encoding from its first bytes; raise NotText where they are not text."""
    raw = stream.read(BLOCK_BYTES if size_bytes is None else min(BLOCK_BYTES, size_bytes))
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            return TextSource(stream, encoding, size_bytes, raw[len(bom) :], len(bom))
    if raw.startswith(_MAGIC) or b"\0" in raw or len(_CONTROL.findall(raw)) > _CONTROL_SHARE * len(raw):
        raise NotText("binary")
    return TextSource(stream, _encoding(raw), size_bytes, raw)


def _encoding(raw: bytes) -> str:
    """Name the encoding of bytes without a mark: UTF-8, also with some damage, else the legacy one that fits best."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(raw)
    broken = text.count("\ufffd") - raw.count(_REPLACEMENT)
    good = sum(char > "\x7f" for char in text) - broken if broken else 0
    if good >= broken:
        return "utf-8"
    from charset_normalizer import from_bytes

    # Wide encodings without a mark are not guessed: any bytes can be read as Chinese.
    best = next((one for one in from_bytes(raw) if not one.encoding.startswith(("utf_16", "utf_32", "ascii"))), None)
    return best.encoding.replace("_", "-") if best else "cp1252"


def _character_start(raw: bytes, at: int) -> int:
    """The first offset from `at` on that is not inside a UTF-8 character."""
    while at < len(raw) and raw[at] & 0xC0 == 0x80:
        at += 1
    return at
