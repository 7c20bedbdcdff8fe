"""`deepsel cache export` and `import`: answers as JSON lines, out of the cache and into it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from deepsel.cli.cache import text
from deepsel.cli.cache.opened import Selection, opened
from deepsel.cli.checked import parse_duration
from deepsel.cli.options import AsJson, Common
from deepsel.cli.terminal.output import write_file, write_stdout
from deepsel.cli.terminal.terminal import write_note
from deepsel.errors import UsageError
from deepsel.messages.piped import patient
from deepsel.reads import read_file
from deepsel.records import NamedTuple
from deepsel.show.record import SCHEMA_VERSION, dump

_MOST_LINE_BYTES = 64 << 20


class CacheExportOptions(NamedTuple):
    """What `deepsel cache export` takes."""

    target: Annotated[str, typer.Argument(metavar="PATH", help="A file, or `-` for stdout.")]
    selection: Selection
    as_json: AsJson = False


class CacheImportOptions(NamedTuple):
    """What `deepsel cache import` takes."""

    source: Annotated[str, typer.Argument(metavar="PATH", help="A file that `export` wrote, or `-` for stdin.")]
    ttl: Annotated[
        str | None, typer.Option("--ttl", metavar="AGE", help="How long they live from now (default: what is left).")
    ] = None
    as_json: AsJson = False


def export_entries(common: Common, options: CacheExportOptions) -> None:
    """Write cached answers as JSON lines.

    They can be moved, or committed for a replay with `deepsel ask --only-cached`.
    """
    from deepsel.cache import upkeep

    selector = options.selection.selector
    with opened(common) as cache:
        lines = list(upkeep.export_lines(cache.entries(**selector)))
    if options.target == "-":
        write_stdout("".join(lines))
        return
    write_file(Path(options.target), "".join(lines), is_private=True)
    _report("exported", len(lines), common, options.as_json)


def import_entries(common: Common, options: CacheImportOptions) -> None:
    """Store exported answers, all or none.

    Import only what you trust: it will be served as an answer.
    """
    from deepsel.cache import upkeep

    ttl_s = parse_duration(options.ttl) if options.ttl else None
    with _open(options.source) as file, opened(common) as cache:
        done = upkeep.import_lines(cache, _lines(file, options.source), ttl_s=ttl_s)
    if done.expired and not common.quiet:
        write_note(f"left out {text.entries(done.expired)} whose time is over; `--ttl 30d` would give them a new one")
    _report("imported", done.stored, common, options.as_json)


@contextmanager
def _open(source: str) -> Iterator[BinaryIO]:
    """Open exported answers; raises UsageError where that is not possible."""
    if source == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed", "name a file")
        yield patient(sys.stdin)
        return
    path = Path(source)
    try:
        is_pipe = path.is_fifo()
        file: BinaryIO = BytesIO(read_file(path, most_bytes=_MOST_LINE_BYTES)) if is_pipe else path.open("rb")
    except (OSError, ValueError) as error:
        raise _unreadable(source, error) from error
    with file:
        yield file


def _lines(file: BinaryIO, source: str) -> Iterator[str]:
    """Yield the lines; raises UsageError for what is no text, and for a line that is longer than any answer's."""
    try:
        while raw := file.readline(_MOST_LINE_BYTES + 1):
            if len(raw) > _MOST_LINE_BYTES:
                raise UsageError(f"`{source}` has a line of more than {_MOST_LINE_BYTES >> 20} MiB, which no exported entry is")
            yield raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(source, error) from error


def _unreadable(source: str, error: OSError | ValueError) -> UsageError:
    words = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or str(error)
    return UsageError(f"cannot read `{source}`: {words[:1].lower()}{words[1:]}")


def _report(verb: str, number: int, common: Common, as_json: bool) -> None:
    """Say how many entries were moved."""
    if as_json:
        write_stdout(dump({"schema": SCHEMA_VERSION, verb: number}))
    elif not common.quiet:
        write_note(f"{verb} {text.entries(number)}")
