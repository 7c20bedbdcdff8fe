"""Where a job's requests come from: lines of a file or of standard input, or files under a prompt; read as a stream, more than once."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from deepsel.errors import UsageError
from deepsel.messages.attach import Attachment, read_document, with_words
from deepsel.messages.lines import RequestLine, read_line
from deepsel.records import NamedTuple
from deepsel.values import Message

MAX_LINE_BYTES = 16 << 20
"""A longer line is passed over without being held."""
_CHUNK_BYTES = 1 << 20
_PLACES = re.compile(r"\{(path|name|stem|text)\}")

Feed = Callable[[bytes], object]
"""Takes every byte that makes the job what it is, as a hash does."""


class LineFault(NamedTuple):
    """Why a line cannot be asked."""

    kind: str
    """`bad_line`, `line_too_large` or `duplicate_id`; otherwise the name of an exit code."""
    message: str


class Numbered(NamedTuple):
    """One line of a job."""

    number: int
    """From 1; blank lines are counted and not told."""
    id: str
    request: RequestLine | None
    """None: it cannot be asked."""
    fault: LineFault | None = None


class JobSource(Protocol):
    """A job's requests."""

    label: str
    """For a person."""

    def requests(self, feed: Feed) -> Iterator[Numbered]:
        """Yield every line from the first one, whatever was read before; `feed` gets all that is read."""


class LineSource:
    """A file of JSON lines; holds no more than one line."""

    def __init__(self, file: IO[bytes], label: str) -> None:
        """Read from a file that can be read again from its start."""
        self._file = file
        self.label = label

    def requests(self, feed: Feed) -> Iterator[Numbered]:
        """Yield the requests of the file."""
        self._file.seek(0)
        number = 0
        while raw := self._file.readline(MAX_LINE_BYTES + 1):
            number += 1
            feed(raw)
            if len(raw) > MAX_LINE_BYTES:
                self._pass_over(feed, raw)
                fault = LineFault("line_too_large", f"line {number} is longer than {MAX_LINE_BYTES >> 20} MiB")
                yield Numbered(number, str(number), None, fault)
            elif raw.strip():
                yield _read(raw, number, self.label)

    def _pass_over(self, feed: Feed, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._file.readline(_CHUNK_BYTES)
            feed(raw)


def _read(raw: bytes, number: int, label: str) -> Numbered:
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        found = read_line(text, f"line {number} of {label}")
    except UnicodeDecodeError:
        return Numbered(number, str(number), None, LineFault("bad_line", f"line {number} of {label} is not UTF-8"))
    except UsageError as error:
        return Numbered(number, str(number), None, LineFault("bad_line", error.message))
    return Numbered(number, str(number) if found.id is None else found.id, found)


class FileSource:
    """A prompt for each of many files; the files are read one after the other."""

    def __init__(self, paths: Sequence[str], prompt: str) -> None:
        """`prompt` may name `{path}`, `{name}`, `{stem}` and `{text}`; without `{text}` the file follows it as a document."""
        self._paths, self._prompt = paths, prompt
        self.label = f"{len(paths):,} files"

    def requests(self, feed: Feed) -> Iterator[Numbered]:
        """Yield a request a file."""
        feed(self._prompt.encode("utf-8", "surrogateescape"))
        for number, path in enumerate(self._paths, start=1):
            name = os.fsencode(path)
            feed(b"\0" + name + b"\0")
            shown = name.decode("utf-8", "replace")
            try:
                document = read_document(Path(path))
            except UsageError as error:
                yield Numbered(number, shown, None, LineFault("bad_line", error.message))
                continue
            feed((document.image.url if document.image else document.text).encode("utf-8", "surrogatepass"))
            yield Numbered(number, shown, RequestLine((self._message(document, shown),), id=shown))

    def _message(self, document: Attachment, path: str) -> Message:
        place = Path(path)
        values = {"path": path, "name": place.name, "stem": place.stem, "text": document.text}
        words = _PLACES.sub(lambda found: values[found[1]], self._prompt)
        is_placed = "{text}" in self._prompt and document.image is None
        return Message("user", with_words(words, [] if is_placed else [document._replace(name=path)]))


def open_lines(path: Path, stdin: IO[bytes] | None) -> LineSource:
    """Open a file of lines, or `stdin` as `-`; what cannot be read twice is kept in a file without a name meanwhile.

    Raises UsageError.
    """
    try:
        if str(path) == "-":
            if stdin is None:
                raise UsageError("standard input is closed", "name a file of JSON lines")
            return LineSource(_kept(stdin), "standard input")
        if path.is_dir():
            raise UsageError(f"`{path}` is a folder", "name a file of JSON lines, or give `--each` with a pattern")
        file = path.open("rb")
        return LineSource(file if path.is_file() else _kept(file), f"`{path}`")
    except (OSError, ValueError) as error:
        words = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"cannot read `{path}`: {words}", "name a file of JSON lines") from error


def _kept(stream: IO[bytes]) -> IO[bytes]:
    """Copy a stream to where it can be read again."""
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the job
    while chunk := stream.read(_CHUNK_BYTES):
        kept.write(chunk)
    return kept


def find_files(patterns: Sequence[str]) -> list[str]:
    """List the files that the patterns name (`**` for any depth), each once, in the order of their names; raises UsageError."""
    named = (path for pattern in patterns for path in glob.iglob(pattern, recursive=True))  # noqa: PTH207 - as it was typed
    found = {path for path in named if Path(path).is_file()}
    if not found:
        told = ", ".join(f"`{one}`" for one in patterns)
        raise UsageError(f"no file is named by {told}", "quote the pattern, e.g. `--each 'docs/**/*.md'`")
    return sorted(found)
