"""The one way in: paths, or texts in memory, to a Reading; every file once, exactly or as a sample.

Owns the order of the work. Finding, decoding, cutting, counting and sampling have files of their own.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from deepsel.estimate.reading.count import Counter, Progress
from deepsel.estimate.reading.decode import NotText, TextSource, open_file, open_stream
from deepsel.estimate.reading.draft import InputReader
from deepsel.estimate.reading.find import STDIN, Found, find
from deepsel.estimate.reading.languages import has_detector
from deepsel.estimate.reading.sampled import plan, take_samples
from deepsel.estimate.records import Input, Reading, Skipped, Targets
from deepsel.values import Notice

OnProgress = Callable[[Progress], None]
_TOLD_OF_A_KIND = 3


class ReadingInterrupted(KeyboardInterrupt):
    """A reading was interrupted; `reading` has the inputs that had been counted."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.reading = reading


def read(
    paths: Sequence[str],
    *,
    targets: Targets,
    sample: int | None = None,
    processes: int | None = None,
    on_progress: OnProgress | None = None,
    stdin: BinaryIO | None = None,
    texts: Mapping[str, bytes] | None = None,
) -> Reading:
    """Read and count all that `paths` name: files, folders, patterns, `-` for standard input; then `texts`, by name.

    `sample` is the seed of a sampled reading; None reads everything. `processes` None: one a core. `stdin` None: it is closed.
    Raises UsageError for a path that is not there; whatever else cannot be read is in the Reading's `skipped`.
    Interrupted, it raises ReadingInterrupted, which has what had been counted.
    """
    found, skipped = find(paths)
    work = plan(found, sample)
    with Counter(targets.vocabularies, processes=processes, total_bytes=work.read_bytes, on_progress=on_progress) as counter:
        reader = InputReader(counter, targets)
        reader.skipped += skipped
        try:
            take_samples(work, reader)
            for item in work.whole:
                reader.take(item.label, partial(_open, item, stdin))
            for name, content in (texts or {}).items():
                reader.take(name, partial(open_stream, io.BytesIO(content), len(content)))
            counter.drain()
        except KeyboardInterrupt:
            raise ReadingInterrupted(_partial(reader, len(found) + len(texts or {}))) from None
    return _reading(reader)


def _partial(reader: InputReader, wanted: int) -> Reading:
    """Return what had been counted whole when the reading was interrupted."""
    waiting = reader.counter.waiting()
    reader.opened = [one for one in reader.opened if not any(id(measure) in waiting for measure in one.measures())]
    words = f"interrupted: {len(reader.opened)} of {wanted} inputs had been counted, and the figures are of these alone"
    reading = _reading(reader)
    return replace(reading, notices=(Notice("partial", words), *reading.notices), is_partial=True)


def read_text(path: str, content: bytes, *, targets: Targets) -> Input | Skipped:
    """Read and count a text that is in memory, such as one side of a diff, as the file `path` would be."""
    with Counter(targets.vocabularies, processes=1, total_bytes=len(content)) as counter:
        reader = InputReader(counter, targets)
        reader.take(path, partial(open_stream, io.BytesIO(content), len(content)))
        counter.drain()
    return reader.opened[0].finish(targets) if reader.opened else reader.skipped[0]


def _open(item: Found, stdin: BinaryIO | None) -> TextSource:
    if item.path != STDIN:
        return open_file(item.path)
    if stdin is None:
        raise NotText("standard input is closed")
    return open_stream(stdin)


def _reading(reader: InputReader) -> Reading:
    notices = _a_few_of_a_kind([notice for one in reader.opened for notice in one.notices])
    inputs = []
    reader.opened.reverse()
    while reader.opened:  # each is given back before the next one becomes a record: of many files there are many of both
        inputs.append(reader.opened.pop().finish(reader.targets))
    if inputs and not has_detector():
        notices.append(Notice("no_detector", "languages that share a script are not told apart: `cld3-py` is not installed"))
    return Reading(tuple(inputs), tuple(reader.skipped), tuple(notices))


def _a_few_of_a_kind(notices: Sequence[Notice]) -> list[Notice]:
    """Keep the first notices of each kind, and say how many more there are: a big tree has hundreds of a kind."""
    told: list[Notice] = []
    for code in dict.fromkeys(notice.code for notice in notices):
        of_kind = [notice for notice in notices if notice.code == code]
        told += of_kind[:_TOLD_OF_A_KIND]
        if len(of_kind) > _TOLD_OF_A_KIND:
            told.append(Notice(code, f"{len(of_kind) - _TOLD_OF_A_KIND} more inputs with a warning of this kind"))
    return told
