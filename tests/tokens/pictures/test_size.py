"""A picture's size from its first bytes: each form that models take, and bytes that are none."""

from __future__ import annotations

import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.tokens import Picture, picture_of
from deepsel.values import Image


def _jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + before + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9"


def _riff(kind: bytes, body: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def _png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\x00\x00\x00" + bytes(4)


SEGMENT = b"\xff\xe2" + struct.pack(">H", 65_535) + bytes(65_533)
FORMS = {
    "png": _png(300, 200),
    "gif": b"GIF89a" + struct.pack("<HH", 300, 200) + bytes(20),
    "jpeg": _jpeg(300, 200),
    "jpeg with a megabyte before the frame": _jpeg(300, 200, SEGMENT * 16),
    "webp VP8": _riff(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 300, 200) + bytes(20)),
    "webp VP8L": _riff(b"VP8L", b"\x2f" + struct.pack("<I", 299 | 199 << 14) + bytes(20)),
    "webp VP8X": _riff(b"VP8X", bytes(4) + (299).to_bytes(3, "little") + (199).to_bytes(3, "little") + bytes(20)),
}


def _image(raw: bytes, **beside: object) -> Image:
    return Image("image/png", f"data:image/png;base64,{b64encode(raw).decode()}", dict(beside))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FORMS)
def test_each_form_states_its_size(name: str) -> None:
    """Width and height are read whatever the media type says."""
    assert picture_of(_image(FORMS[name])) == (300, 200, "")


def test_detail_is_read_where_it_stands() -> None:
    """The level of detail stands beside the URL; anything else there is none."""
    assert picture_of(_image(FORMS["png"], image_url={"detail": "low"})).detail == "low"
    assert picture_of(_image(FORMS["png"], image_url={"detail": 3})).detail == ""
    assert picture_of(_image(FORMS["png"], image_url="low")).detail == ""


def test_line_breaks_in_base64_do_not_matter() -> None:
    """Base64 that is broken into lines is the same picture."""
    text = b64encode(FORMS["jpeg with a megabyte before the frame"]).decode()
    lines = "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    assert picture_of(Image("", f"data:image/jpeg;base64,{lines}")) == (300, 200, "")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "data:image/png,plain",
        "data:image/png;base64,",
        "data:image/png;base64,????",
        "data:image/svg+xml;base64," + b64encode(b"<svg width='9' height='9'/>").decode(),
        "data:image/png;base64," + b64encode(_png(0, 5)).decode(),
        "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        "data:image/jpeg;base64," + b64encode(b"\xff\xd8\xff\xe0\x00\x02" * 9).decode(),
    ],
)
def test_what_states_no_size_is_unknown(url: str) -> None:
    """A link, bytes that are no picture, one that is cut before its size, and no pixels at all."""
    assert picture_of(Image("image/png", url)) == Picture()


@given(st.sampled_from(sorted(FORMS)), st.integers(0, 60), st.binary(max_size=60))
def test_any_bytes_are_a_size_or_none(name: str, keep: int, rest: bytes) -> None:
    """Cut and overwritten pictures give a size of at least one pixel or none, and never an error."""
    found = picture_of(_image(FORMS[name][:keep] + rest))
    assert (found.width is None) == (found.height is None)
    assert found.width is None or found.height is None or (found.width > 0 and found.height > 0)
