"""Bytes to text: encodings, damage, what is no text, files that change."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.estimate.reading import decode
from deepsel.estimate.reading.decode import NotText, TextSource, open_file, open_stream

GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt. " * 20
RUSSIAN = "Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены разумом и совестью. " * 20
JAPANESE = "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。" * 20


def _source(raw: bytes) -> TextSource:
    return open_stream(io.BytesIO(raw), len(raw))


def _text(raw: bytes) -> str:
    return "".join(_source(raw).blocks())


@pytest.mark.parametrize(
    ("mark", "codec", "name"),
    [
        (b"", "utf-8", "utf-8"),
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32-le"),
    ],
)
def test_unicode_comes_back_whole(mark: bytes, codec: str, name: str) -> None:
    """A text of several reads is itself again, without its byte-order mark, in each encoding of Unicode."""
    text = (GERMAN + JAPANESE + "😀\r\n") * 30
    source = _source(mark + text.encode(codec))
    assert "".join(source.blocks()) == text
    assert (source.encoding, source.replaced) == (name, 0)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc"]), max_size=200))
def test_any_utf8_comes_back(text: str) -> None:
    """Any text without control characters is itself again, U+FFFD included, and nothing counts as damage."""
    source = _source(text.encode())
    assert "".join(source.blocks()) == text.removeprefix("\ufeff")
    assert (source.encoding, source.replaced) == ("utf-8", 0)


@pytest.mark.parametrize(("text", "codec"), [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (JAPANESE, "cp932")])
def test_legacy_encodings_are_recognised(text: str, codec: str) -> None:
    """A text in an encoding of old is read as it was meant."""
    source = _source(text.encode(codec))
    assert "".join(source.blocks()) == text
    assert not source.encoding.startswith("utf")


def test_broken_utf8_is_read_with_its_damage_counted() -> None:
    """A few stray bytes in UTF-8 become U+FFFD and are counted, also past the first read."""
    raw = (GERMAN * 40).encode() + b"\xff" + GERMAN.encode() + b"\xc3"
    source = _source(raw)
    text = "".join(source.blocks())
    assert text == GERMAN * 40 + "\ufffd" + GERMAN + "\ufffd"
    assert (source.encoding, source.replaced) == ("utf-8", 2)


def test_a_true_replacement_character_across_two_reads_is_no_damage() -> None:
    """U+FFFD that the text itself holds is not counted, wherever the reads fall."""
    for shift in range(3):
        source = _source(b"a" * (decode.BLOCK_BYTES - shift) + "\ufffd é é".encode())
        assert "".join(source.blocks()).endswith("\ufffd é é")
        assert source.replaced == 0


@pytest.mark.parametrize("raw", [b"\x89PNG\r\n\x1a\n", b"%PDF-1.7 text", b"abc\0def", bytes(range(1, 32)) * 9, b"\x1f\x8b\x08"])
def test_binary_is_refused(raw: bytes) -> None:
    """What is no text says so and is not read."""
    with pytest.raises(NotText, match="binary"):
        _source(raw)


def test_an_empty_file_is_a_text() -> None:
    """No bytes are an empty text."""
    assert _text(b"") == ""


def test_a_file_that_grows_is_read_to_where_it_ended(tmp_path: Path) -> None:
    """What is written to a file after it was opened is left out, and said."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"a" * 200_000)
    source = open_file(str(path))
    size = 0
    with path.open("ab") as more:
        for block in source.blocks():
            size += len(block)
            more.write(b"b" * 100_000)
            more.flush()
    assert size == 200_000
    assert "grew" in source.changed()
    source.close()


def test_a_file_that_shrinks_is_read_to_where_it_ends(tmp_path: Path) -> None:
    """A file cut short while it is read gives what is left, and says so."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"a" * 200_000)
    source = open_file(str(path))
    blocks = source.blocks()
    next(blocks)
    path.write_bytes(b"")
    assert "".join(blocks) == ""
    assert "shrank" in source.changed()
    source.close()


def test_a_file_that_is_gone_or_no_file_says_why(tmp_path: Path) -> None:
    """A missing file, a folder and a device are refused with a reason, not a traceback."""
    for path, reason in ((tmp_path / "gone", "no such file"), (tmp_path, "not a regular file"), (Path("/dev/zero"), "regular")):
        with pytest.raises(NotText, match=reason):
            open_file(str(path))


def test_windows_put_together_are_the_text(tmp_path: Path) -> None:
    """Windows that follow each other hold each character once, wherever their edges fall in it."""
    path = tmp_path / "text.txt"
    text = "aé世😀" * 50
    path.write_bytes(text.encode())
    source = open_file(str(path))
    size = len(text.encode())
    for length in (7, 10, 64):
        assert "".join(source.window(start, length) for start in range(0, size, length)) == text
    source.close()
