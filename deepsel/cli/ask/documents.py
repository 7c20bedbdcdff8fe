"""The files of `-f`: each by itself, or all that a folder or a pattern names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import UsageError
from deepsel.messages.attach import Attachment, read_document

_MAGIC = frozenset("*?[")
_ADDRESSES = ("http:/", "https:/")
"""As a path has them: of two slashes one is left."""
_OFFICE = (".pdf", ".docx", ".xlsx", ".pptx", ".odt", ".epub")


def read_files(paths: Iterable[Path]) -> Iterator[Attachment]:
    """Read what is named; of a folder or a pattern what is neither text nor a picture is left out, and counted aloud.

    Raises UsageError for what is not there, or was named by itself and cannot be read.
    """
    for path in paths:
        if is_several(path):
            yield from _read_several(path)
        else:
            yield _read(path)


def is_several(path: Path) -> bool:
    """Tell whether a path names a folder, or is a pattern and no file's name."""
    try:
        return path.is_dir() or bool(_MAGIC & set(str(path)) and not path.exists())
    except (OSError, ValueError):
        return False


def _read(path: Path) -> Attachment:
    """Read one file; raises UsageError, with what to do about a kind that is known."""
    if str(path).startswith(_ADDRESSES):
        raise UsageError(f"`{path}` is a web address, and `-f` reads files", "fetch it: `curl -sL ADDRESS | deepsel ...`")
    try:
        return read_document(path)
    except UsageError as error:
        if path.suffix.lower() not in _OFFICE or not path.is_file():
            raise
        convert = "pdftotext FILE -" if path.suffix.lower() == ".pdf" else "pandoc -t plain FILE"
        raise UsageError(error.message, f"turn it into text first: `{convert} | deepsel ...`") from None


def _read_several(path: Path) -> Iterator[Attachment]:
    from deepsel.estimate.reading.find import find

    found, skipped = find([str(path)])
    left_out, count = len(skipped), 0
    for one in found:
        try:
            document = read_document(Path(one.path))
        except UsageError:
            left_out += 1
            continue
        count += 1
        yield document
    if not count:
        raise UsageError(f"`{path}` holds no text and no picture", "name the files")
    told = f", {left_out} left out: neither text nor a picture" if left_out else ""
    write_note(f"{path}: {count} file{'s' if count != 1 else ''}{told}")
