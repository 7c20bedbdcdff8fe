"""Turns files into parts: pictures by what their first bytes say, everything else as text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from deepsel.errors import UsageError
from deepsel.reads import read_file
from deepsel.records import NamedTuple
from deepsel.values import Image, Part, Text

MAX_DOCUMENT_BYTES = 64 << 20
_IMAGES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


class Attachment(NamedTuple):
    """One file as it was read."""

    name: str
    text: str
    """Empty for a picture."""
    image: Image | None = None
    is_repaired: bool = False
    """Whether bytes that are no UTF-8 stand in the text as U+FFFD."""


def read_document(path: Path) -> Attachment:
    """Read one text or picture; raises UsageError where it cannot be read, or is neither."""
    try:
        if not path.is_file() and not path.is_fifo():
            problem = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "does not exist"
            raise UsageError(f"`{path}` {problem}", "name a text file or a picture")
        raw = read_file(path, most_bytes=MAX_DOCUMENT_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    kind = sniff(raw)
    if kind is None:
        return read_text(raw, str(path), f"`{path}`")
    import base64

    return Attachment(str(path), "", Image(kind, f"data:{kind};base64,{base64.b64encode(raw).decode('ascii')}"))


def sniff(raw: bytes) -> str | None:
    """Return the media type of a picture; None where the bytes are none that models take."""
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _IMAGES if raw.startswith(magic)), None)


def read_text(raw: bytes, name: str, told: str) -> Attachment:
    """Turn bytes into text: UTF-8, or UTF-16 that says so; raises UsageError, which calls it `told`, for what is no text."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise UsageError(f"{told} is larger than {MAX_DOCUMENT_BYTES >> 20} MiB, more than any model reads")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Attachment(name, raw.decode("utf-16", "replace"))
    if b"\x00" in raw[:8192]:
        raise UsageError(f"{told} is not text", "give a text file, or a PNG, JPEG, GIF or WebP picture")
    try:
        return Attachment(name, raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Attachment(name, raw.decode("utf-8-sig", "replace"), is_repaired=True)


def with_words(words: str, attachments: Iterable[Attachment]) -> tuple[Part, ...]:
    """Set attachments behind the words, in the order given; a text in a tag that names it."""
    parts: list[Part] = []
    if words.strip():
        parts.append(Text(words.rstrip("\n")))
    for one in attachments:
        if one.image is not None:
            parts.append(one.image)
            continue
        closing = "" if one.text.endswith("\n") else "\n"
        text = f'<document name="{one.name}">\n{one.text}{closing}</document>'
        gap = "\n\n" if any(isinstance(part, Text) for part in parts) else ""
        last = parts[-1] if parts else None
        if isinstance(last, Text):
            parts[-1] = Text(f"{last.text}{gap}{text}")
        else:
            parts.append(Text(gap + text))
    return tuple(parts)
