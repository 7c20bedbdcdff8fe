"""Puts a prompt, files, standard input and a message list together into the messages of a request."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from deepsel.cli.terminal.terminal import write_note
from deepsel.clock import SystemClock
from deepsel.errors import UsageError
from deepsel.messages.attach import MAX_DOCUMENT_BYTES, Attachment, read_document, read_text, with_words
from deepsel.records import NamedTuple
from deepsel.values import Message

_STDIN_PATIENCE_S = 3.0


class Prompt(NamedTuple):
    """What is asked, and the part of it that says what to do."""

    messages: tuple[Message, ...]
    instruction: str
    """The words of the user without the documents: what task and difficulty are judged by."""


def read_prompt(
    prompt: str | None, *, files: list[Path], system: str | None, messages: Path | None, stdin: BinaryIO | None,
    stdin_limit_s: float | None = None, history: tuple[Message, ...] = (),
) -> Prompt:
    """Assemble the messages, behind those of `history`; raise UsageError where there is nothing to ask, or something cannot be read.

    `stdin` is None where standard input is a terminal, closed, or left alone; `stdin_limit_s` bounds the wait for its end.
    """
    prompt, system = _typed(prompt), _typed(system)
    is_needed = prompt in (None, "-") or str(messages) == "-"
    piped = _read_stdin(stdin, stdin_limit_s, is_needed=is_needed) if stdin is not None else ""
    if prompt == "-":
        if not piped.strip():
            raise UsageError("the prompt was to come from standard input, which is empty", "pipe some text in")
        prompt, piped = piped, ""
    documents = [_told(document) for document in _read(files)] if files else []
    if messages is not None:
        text, piped = (piped, "") if str(messages) == "-" else (_told(read_document(messages)).text, piped)
        given = [*history, *_read_list(text, messages)]
        return _continue(given, prompt or "", system, documents, piped)
    if prompt is None and not documents and piped.strip():
        prompt, piped = piped, ""
    if not (prompt or "").strip() and not documents:
        raise UsageError("there is no prompt", 'write one, e.g. `deepsel ask "What is DNS?"`, or pipe text in')
    user = _user_message(prompt or "", documents, piped)
    return Prompt((*_with_system(history, system), user), prompt or user.text[:4000])


def _read(files: Iterable[Path]) -> Iterable[Attachment]:
    """Read the files that are named, whose code is loaded for some."""
    from deepsel.cli.ask.documents import read_files

    return read_files(files)


def _with_system(history: Iterable[Message], system: str | None) -> list[Message]:
    """Put a system message in the place of those that were there; None: they stay."""
    if system is None:
        return list(history)
    head = [Message.of("system", system)] if system else []
    return [*head, *(message for message in history if message.role not in ("system", "developer"))]


def _typed(text: str | None) -> str | None:
    """Read an argument as UTF-8, which shells send even where the locale says otherwise."""
    if text is None:
        return None
    return text.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8", "replace")


def _continue(
    history: list[Message], prompt: str, system: str | None, documents: list[Attachment], piped: str
) -> Prompt:
    """Add what was typed to a conversation read from a file."""
    history = _with_system(history, system)
    if prompt.strip() or documents or piped.strip():
        history.append(_user_message(prompt, documents, piped))
    asked = [message for message in history if message.role == "user"]
    if not asked:
        raise UsageError("the message list holds no user message", "add one, or give a prompt as well")
    words = next((message.text for message in reversed(asked) if message.text.strip()), "")
    return Prompt(tuple(history), prompt if prompt.strip() else words)


def _user_message(prompt: str, documents: list[Attachment], piped: str) -> Message:
    """Set the documents behind the words."""
    return Message("user", with_words(prompt, [*documents, *([Attachment("stdin", piped)] if piped.strip() else [])]))


def _told(attachment: Attachment) -> Attachment:
    """Say aloud that a file had to be repaired."""
    if attachment.is_repaired:
        write_note(f"warning: `{attachment.name}` is not UTF-8; what could not be read is sent as \ufffd")
    return attachment


def _read_list(text: str, path: Path) -> list[Message]:
    """Read a JSON list of messages."""
    from deepsel.messages.chat import read_messages
    from deepsel.messages.loading import load

    try:
        data = load(text).value
    except ValueError as error:
        raise UsageError(f"`{path}` is not JSON: {error}") from error
    return list(read_messages(data, f"`{path}`"))


def _read_stdin(stdin: BinaryIO, limit_s: float | None, *, is_needed: bool) -> str:
    """Read standard input to its end; say so where it keeps us waiting, and where it had to be repaired.

    One that nobody else writes into, and that nothing needs, is left alone once it has said nothing for a while.
    """
    from deepsel.messages.piped import read_piped

    def goes_on() -> bool:
        from deepsel.messages.writers import is_merely_left_open

        if not is_needed and is_merely_left_open(stdin.fileno()):
            write_note("warning: standard input is open and says nothing; asked without it (`--no-stdin` does not wait for it)")
            return False
        write_note("reading standard input (end it with Ctrl-D, or run with `--no-stdin`)")
        return True

    raw = read_piped(
        stdin,
        most_bytes=MAX_DOCUMENT_BYTES,
        limit_s=limit_s,
        patience_s=_STDIN_PATIENCE_S,
        on_wait=goes_on,
        clock=SystemClock(),
    )
    read = read_text(raw, "standard input", "standard input")
    if read.is_repaired:
        write_note("warning: standard input is not UTF-8; what could not be read is sent as \ufffd")
    return read.text


def refuse_loose_files(words: list[str], files: list[Path]) -> None:
    """Raise UsageError where a shell's pattern behind `-f` has put names of files among the words of the prompt."""
    loose = [word for word in words if files and _is_file(word)]
    if not loose:
        return
    import shlex

    question = " ".join(word for word in words if word not in loose)
    named = " ".join(f"-f {shlex.quote(str(path))}" for path in [*files, *loose])
    raise UsageError(
        f"`{loose[0]}` is a file, and stands among the words of the prompt",
        f"each file takes an option: `deepsel ask {named}{' ' + shlex.quote(question) if question else ''}`",
    )


def _is_file(word: str) -> bool:
    """Tell whether a word names a file; most words are too long or too strange to."""
    try:
        return os.path.isfile(word)  # noqa: PTH113 - a word is no path
    except (OSError, ValueError):
        return False
