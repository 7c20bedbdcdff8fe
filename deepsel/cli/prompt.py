"""Puts a prompt, files, standard input and a message list together into the messages of a request."""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path
from typing import BinaryIO, NamedTuple

from deepsel.cli.terminal import write_note
from deepsel.errors import UsageError
from deepsel.values import Image, Message

MAX_DOCUMENT_BYTES = 64 << 20
_STDIN_PATIENCE_S = 3.0
_IMAGES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_ROLES = ("system", "user", "assistant")


class Prompt(NamedTuple):
    """What is asked, and the part of it that says what to do."""

    messages: tuple[Message, ...]
    instruction: str
    """The words of the user without the documents: what task and difficulty are judged by."""


class _Document(NamedTuple):
    name: str
    text: str
    image: Image | None = None


def read_prompt(
    prompt: str | None, *, files: list[Path], system: str | None, messages: Path | None, stdin: BinaryIO | None
) -> Prompt:
    """Assemble the messages; raise UsageError where there is nothing to ask, or something cannot be read.

    `stdin` is None where standard input is a terminal or closed.
    """
    piped = _read_stdin(stdin) if stdin is not None else ""
    prompt, system = _typed(prompt), _typed(system)
    if prompt == "-":
        if not piped.strip():
            raise UsageError("the prompt was to come from standard input, which is empty", "pipe some text in")
        prompt, piped = piped, ""
    documents = [_read_file(path) for path in files]
    if messages is not None:
        text, piped = (piped, "") if str(messages) == "-" else (_read_file(messages).text, piped)
        return _continue(_read_messages(text, messages), prompt or "", system, documents, piped)
    if prompt is None and not documents and piped.strip():
        prompt, piped = piped, ""
    if not (prompt or "").strip() and not documents:
        raise UsageError("there is no prompt", 'write one, e.g. `deepsel ask "What is DNS?"`, or pipe text in')
    user = _user_message(prompt or "", documents, piped)
    head = (Message("system", system),) if system else ()
    return Prompt((*head, user), prompt or user.content[:4000])


def _typed(text: str | None) -> str | None:
    """Read an argument as UTF-8, which shells send even where the locale says otherwise."""
    if text is None:
        return None
    return text.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8", "replace")


def _continue(
    history: list[Message], prompt: str, system: str | None, documents: list[_Document], piped: str
) -> Prompt:
    """Add what was typed to a conversation read from a file."""
    if system is not None:
        history = [Message("system", system), *(m for m in history if m.role != "system")]
    if prompt.strip() or documents or piped.strip():
        history.append(_user_message(prompt, documents, piped))
    asked = [message for message in history if message.role == "user"]
    if not asked:
        raise UsageError("the message list holds no user message", "add one, or give a prompt as well")
    return Prompt(tuple(history), prompt if prompt.strip() else asked[-1].content)


def _user_message(prompt: str, documents: list[_Document], piped: str) -> Message:
    """Set the documents behind the words, each in a tag that names it."""
    parts = [prompt.rstrip("\n")] if prompt.strip() else []
    texts = [d for d in documents if d.image is None]
    if piped.strip():
        texts.append(_Document("stdin", piped))
    for document in texts:
        closing = "" if document.text.endswith("\n") else "\n"
        parts.append(f'<document name="{document.name}">\n{document.text}{closing}</document>')
    return Message("user", "\n\n".join(parts), tuple(d.image for d in documents if d.image is not None))


def _read_stdin(stdin: BinaryIO) -> str:
    """Read standard input to its end; say so where it keeps us waiting."""
    try:
        if not select.select([stdin], [], [], _STDIN_PATIENCE_S)[0]:
            write_note("reading standard input (end it with Ctrl-D, or run with `< /dev/null`)")
    except (ValueError, OSError):
        pass  # not something that can be selected on; reading it will tell
    try:
        raw = stdin.read(MAX_DOCUMENT_BYTES + 1)
    except OSError:
        return ""  # standard input is a folder or was closed: nothing was given
    return _decode(raw, "standard input")


def _read_file(path: Path) -> _Document:
    """Read one text or picture."""
    try:
        if not path.is_file() and not path.is_fifo():
            problem = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "does not exist"
            raise UsageError(f"`{path}` {problem}", "name a text file or a picture")
        with path.open("rb") as file:
            raw = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    kind = next((kind for magic, kind in _IMAGES if raw.startswith(magic)), None)
    if kind is None and raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        kind = "image/webp"
    if kind is not None:
        import base64

        url = f"data:{kind};base64,{base64.b64encode(raw).decode('ascii')}"
        return _Document(str(path), "", Image(kind, url))
    return _Document(str(path), _decode(raw, f"`{path}`"))


def _decode(raw: bytes, name: str) -> str:
    """Turn bytes into text: UTF-8, or UTF-16 that says so; anything else is refused or repaired aloud."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise UsageError(f"{name} is larger than {MAX_DOCUMENT_BYTES >> 20} MiB, more than any model reads")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    if b"\x00" in raw[:8192]:
        raise UsageError(f"{name} is not text", "give a text file, or a PNG, JPEG, GIF or WebP picture")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        write_note(f"warning: {name} is not UTF-8; what could not be read is sent as \ufffd")
        return raw.decode("utf-8-sig", "replace")


def _read_messages(text: str, path: Path) -> list[Message]:
    """Read a JSON list of messages."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{path}` is not JSON: {error}") from error
    if not isinstance(data, list) or not data:
        raise UsageError(f"`{path}` must hold a JSON list of messages", '[{"role": "user", "content": "..."}]')
    return [_message(item, f"`{path}`, message {number}") for number, item in enumerate(data, 1)]


def _message(item: object, place: str) -> Message:
    """Check one message of a list."""
    if not isinstance(item, dict) or item.get("role") not in _ROLES:
        raise UsageError(f"{place}: needs a `role` of {', '.join(_ROLES)} and a `content`")
    content = item.get("content")
    if isinstance(content, str):
        return Message(item["role"], content)
    if not isinstance(content, list):
        raise UsageError(f"{place}: `content` must be text or a list of text and image parts")
    texts, images = [], []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url" and isinstance(part.get("image_url"), dict | str):
            images.append(_image(part["image_url"], place))
        else:
            raise UsageError(f"{place}: a content part must be of type `text` or `image_url`")
    return Message(item["role"], "\n\n".join(texts), tuple(images))


def _image(value: dict[str, object] | str, place: str) -> Image:
    """Check the address of a picture."""
    url = value.get("url") if isinstance(value, dict) else value
    if not isinstance(url, str) or not url.startswith(("data:image/", "https://", "http://")):
        raise UsageError(f"{place}: an image needs a `data:image/...;base64,` or http(s) URL")
    media_type = url[5:].partition(";")[0] if url.startswith("data:") else ""
    return Image(media_type, url)
