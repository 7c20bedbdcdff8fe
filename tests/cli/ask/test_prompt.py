"""How a prompt, files, standard input and a message list become messages."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from deepsel.cli.ask.prompt import Prompt, read_prompt
from deepsel.errors import UsageError
from deepsel.estimate.reading.requests import parse
from deepsel.values import Image, Text


def _read(
    prompt: str | None = None,
    *,
    files: tuple[Path, ...] = (),
    system: str | None = None,
    messages: Path | None = None,
    stdin: bytes | None = None,
) -> Prompt:
    piped = None if stdin is None else io.BytesIO(stdin)
    return read_prompt(prompt, files=list(files), system=system, messages=messages, stdin=piped)


def test_words_alone() -> None:
    """A prompt is one user message, after the system message where there is one."""
    got = _read("What is DNS?", system="Be brief")
    assert [(m.role, m.text) for m in got.messages] == [("system", "Be brief"), ("user", "What is DNS?")]
    assert got.instruction == "What is DNS?"


def test_standard_input_is_a_document_behind_the_words() -> None:
    """Piped text follows the prompt in a tag; the instruction stays what was typed."""
    got = _read("Summarise", stdin=b"long text\n")
    assert got.messages[0].text == 'Summarise\n\n<document name="stdin">\nlong text\n</document>'
    assert got.instruction == "Summarise"


def test_standard_input_alone_is_the_prompt() -> None:
    """With `-`, or without any words, the piped text is what is asked."""
    assert _read("-", stdin=b"Why?").messages[0].text == "Why?"
    assert _read(None, stdin=b"Why?").messages[0].text == "Why?"


def test_empty_standard_input_adds_nothing() -> None:
    """A command run without a terminal and without input gets no empty document."""
    assert _read("Why?", stdin=b"\n").messages[0].text == "Why?"


def test_files_are_documents_and_pictures(tmp_path: Path) -> None:
    """Text files are quoted with their name; pictures are recognised by content, not by name."""
    text, picture = tmp_path / "a.log", tmp_path / "b.txt"
    text.write_bytes(b"\xef\xbb\xbfline")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n123")
    message = _read("Look", files=(text, picture)).messages[0]
    assert f'<document name="{text}">\nline\n</document>' in message.text
    last = message.parts[-1]
    assert isinstance(last, Image)
    assert last.media_type == "image/png"
    assert last.url.startswith("data:image/png;base64,")


def test_utf16_says_so_and_is_read(tmp_path: Path) -> None:
    """A UTF-16 file with its byte-order mark is text like any other."""
    path = tmp_path / "w.txt"
    path.write_bytes("žluťoučký".encode("utf-16"))
    assert "žluťoučký" in _read("x", files=(path,)).messages[0].text


def test_broken_utf8_is_repaired_aloud(capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no UTF-8 are replaced, and a warning says so."""
    assert "a\ufffdb" in _read("x", stdin=b"a\xffb").messages[0].text
    assert "not UTF-8" in capfd.readouterr().err


def test_messages_continue_a_conversation(tmp_path: Path) -> None:
    """A list of messages is taken over; a prompt, a system text and a document are added."""
    path = tmp_path / "chat.json"
    path.write_text(
        json.dumps(
            [
                {"role": "system", "content": "old"},
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": "Hello"},
            ]
        )
    )
    got = _read("And now?", messages=path, system="new")
    assert [m.text for m in got.messages] == ["new", "Hi", "Hello", "And now?"]
    assert _read(messages=path).instruction == "Hi"


def test_attachments_stand_in_the_order_they_were_named(tmp_path: Path) -> None:
    """A picture between two texts stays between them, and the texts stay apart."""
    files = tuple(tmp_path / name for name in ("a.txt", "b.png", "c.txt"))
    for path, content in zip(files, (b"A", b"\x89PNG\r\n\x1a\n1", b"C"), strict=True):
        path.write_bytes(content)
    message = _read("Look", files=files).messages[0]
    assert [type(part) for part in message.parts] == [Text, Image, Text]
    assert message.text == f'Look\n\n<document name="{files[0]}">\nA\n</document>\n\n<document name="{files[2]}">\nC\n</document>'


def test_messages_carry_pictures_in_their_place(tmp_path: Path) -> None:
    """Texts and pictures of a message list stay in the order given."""
    path = tmp_path / "chat.json"
    pictures = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}} for data in ("AAAA", "BBBB")]
    texts = [{"type": "text", "text": text} for text in ("first picture:", "second picture:")]
    path.write_text(json.dumps([{"role": "user", "content": [texts[0], pictures[0], texts[1], pictures[1]]}]))
    message = _read(messages=path).messages[0]
    assert message.parts == (
        Text("first picture:"), Image("image/png", "data:image/png;base64,AAAA"),
        Text("second picture:"), Image("image/png", "data:image/png;base64,BBBB"),
    )  # fmt: skip


def test_what_is_sent_is_what_is_counted(tmp_path: Path) -> None:
    """The texts of a message are one text, joined alike for `ask` and for `estimate`."""
    path = tmp_path / "chat.json"
    listed = [{"role": "user", "content": [{"type": "text", "text": "alpha"}, {"type": "text", "text": "beta"}]}]
    path.write_text(json.dumps(listed))
    counted = parse(json.dumps({"messages": listed}))
    assert counted is not None
    assert [message.text for message in _read(messages=path).messages] == list(counted.texts) == ["alphabeta"]


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "{}",
        "[]",
        '["x"]',
        '[{"role": "robot", "content": "x"}]',
        '[{"role": "user"}]',
        '[{"role": "user", "content": [{"type": "audio"}]}]',
        '[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}]',
        '[{"role": "system", "content": "only"}]',
        "[" * 100_000,
    ],
)
def test_a_broken_message_list_is_a_usage_error(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with the list is told in one line."""
    path = tmp_path / "chat.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        _read(messages=path)
    assert "\n" not in caught.value.message


def test_nothing_to_ask_is_a_usage_error() -> None:
    """No words, no input, no file: the error shows how it is done."""
    for prompt, stdin in ((None, None), ("", None), ("   ", b""), ("-", b" \n")):
        with pytest.raises(UsageError):
            _read(prompt, stdin=stdin)


def test_what_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    """A folder, a missing file, a device and a binary file are each told by name."""
    binary = tmp_path / "x.bin"
    binary.write_bytes(b"ab\x00cd")
    for path in (tmp_path, tmp_path / "missing", Path("/dev/zero"), binary):
        with pytest.raises(UsageError, match=path.name):
            _read("x", files=(path,))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_forbidden_file_is_a_usage_error(tmp_path: Path) -> None:
    """A file without permission is told as such."""
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(UsageError, match="permission"):
        _read("x", files=(path,))
