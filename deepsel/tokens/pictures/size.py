"""What decides on a picture's tokens, read from the request: its width and height, from its first bytes, and the detail asked for.

Fetches nothing and decodes no picture.
"""

from __future__ import annotations

import binascii
import io

from deepsel.messages.attach import sniff
from deepsel.records import NamedTuple
from deepsel.values import Image, Json

_MOST_CHARS = (64 << 10, 8 << 20)
"""Of base64 that is looked at, first and at most: a JPEG's size may stand behind its thumbnail and colour profile."""
_SAID_AT_ONCE = (None, "image/png", "image/gif", "image/webp")
"""Kinds of which more bytes say no more: their size stands in the first few, and no picture begins later."""
_BLANKS = {ord(blank): None for blank in " \t\r\n"}


class Picture(NamedTuple):
    """A picture as far as its tokens depend on it."""

    width: int | None = None
    """Pixels; None as `height` is: not known, as of a link or of bytes that no picture begins with."""
    height: int | None = None
    detail: str = ""
    """As asked for; empty: not said."""


def picture_of(part: Image) -> Picture:
    """Look at a picture; what cannot be read of it stays unknown."""
    width, height = _size(part.url)
    return Picture(width, height, _detail(part.provider_data.get("image_url")))


def _detail(beside: Json) -> str:
    """Read the level of detail from what stood beside the URL."""
    detail = beside.get("detail") if isinstance(beside, dict) else None
    return detail if isinstance(detail, str) else ""


def _size(url: str) -> tuple[int, int] | tuple[None, None]:
    """Return a data URL's width and height in pixels; None for both where they are not known."""
    start = url.find(",") + 1
    if not url.startswith("data:") or not url[:start].endswith(";base64,"):
        return None, None
    for most in _MOST_CHARS:
        raw = _decoded(url[start : start + most])
        kind = sniff(raw)
        size = _size_in(raw) if kind else None
        if size is not None:
            return size
        if len(url) <= start + most or kind in _SAID_AT_ONCE:
            break
    return None, None


def _decoded(data: str) -> bytes:
    """Return what the beginning of base64 stands for; nothing where it is none."""
    data = data.translate(_BLANKS)
    try:
        return binascii.a2b_base64(data[: len(data) // 4 * 4])
    except ValueError:
        return b""


def _size_in(raw: bytes) -> tuple[int, int] | None:
    """Return the width and height that the beginning of a picture of a known kind states; None where it states none."""
    import imagesize  # type: ignore[import-untyped]  # it has no stubs; only pictures need it

    width, height = imagesize.get(io.BytesIO(raw), exif_rotation=False)
    return (width, height) if width > 0 and height > 0 else None
