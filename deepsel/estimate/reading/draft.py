"""One input read through: its text sent to be counted in chunks or requests, and what has to be said about it.

Owns the choice between text and requests, and the words of the notices; what is read in part is sampled.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Protocol

from deepsel import tokens
from deepsel.estimate.reading.count import Counter, Measure, measure_requests, measure_text, pieces_of
from deepsel.estimate.reading.decode import NotText, TextSource
from deepsel.estimate.reading.find import STDIN
from deepsel.estimate.reading.languages import is_program
from deepsel.estimate.reading.requests import (
    MAX_LINE_CHARS,
    PromptLine,
    is_request_file,
    lines_of,
    may_be_one,
    may_hold_lines,
    parse,
)
from deepsel.estimate.records import Input, Skipped, Targets
from deepsel.values import Notice

_JOB_CHARS = 64 * 1024
_JOB_REQUESTS = 256
_NAMED_LINES = 10


@dataclass(slots=True)
class OpenInput:
    """An input whose counts are still coming in."""

    label: str
    encoding: str
    measure: Measure
    is_requests: bool = False
    notices: list[Notice] = field(default_factory=list)

    def say(self, code: str, message: str) -> None:
        """Add a notice about this input."""
        self.notices.append(Notice(code, f"`{self.label}`: {message}"))

    def finish(self, targets: Targets) -> Input:
        """Turn the sums into a record."""
        measure = self.measure
        pieces = pieces_of(measure.shares, targets.vocabularies)
        if self.is_requests:
            return Input(
                self.label,
                self.encoding,
                measure.requests,
                pieces,
                framings=measure.framings,
                media=measure.media,
            )
        whole = {name: measure.total(name) for name in targets.vocabularies}
        return Input(self.label, self.encoding, 1, pieces, largest_text=whole)


class Unfinished(Protocol):
    """An input whose counts are still coming in, read whole or as a sample."""

    notices: list[Notice]

    def finish(self, targets: Targets) -> Input:
        """Turn the sums into a record."""


@dataclass(slots=True)
class InputReader:
    """Takes one source after another and keeps what came of each, in order."""

    counter: Counter
    targets: Targets
    opened: list[Unfinished] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def take(self, label: str, open_source: Callable[[], TextSource]) -> None:
        """Read one source to its end, as an input of its own."""
        item = self.read(label, open_source, Measure())
        if item:
            self.opened.append(item)

    def read(self, label: str, open_source: Callable[[], TextSource], into: Measure) -> OpenInput | None:
        """Read one source to its end and send it to be counted; what cannot be read is skipped with its reason."""
        try:
            source = open_source()
        except NotText as error:
            self.skipped.append(Skipped(label, str(error)))
            return None
        item = OpenInput(label, source.encoding, into)
        try:
            self._send(source, item)
            describe(item, source)
        except OSError as error:
            self.skipped.append(Skipped(label, (error.strerror or str(error)).lower()))
            return None
        finally:
            if label != STDIN:
                source.close()
        return item

    def _send(self, source: TextSource, item: OpenInput) -> None:
        texts = source.blocks()
        item.is_requests, first = _peek(texts, item.label)
        whole = None if item.is_requests else _whole(texts, first, item.label)
        stream = chain(first, texts)
        if item.is_requests:
            self._requests(parse_all(stream, item), source, item)
        elif whole is not None:
            item.is_requests = True
            self._requests(told([whole], item), source, item)
        else:
            if may_hold_lines(item.label) and any(first):
                item.say("no_requests", "no line of it is a request in a known form; counted as text")
            self._text(stream, source, item)

    def _text(self, stream: Iterable[str], source: TextSource, item: OpenInput) -> None:
        inexact = told = 0
        for part in tokens.pieces(stream):
            job = partial(measure_text, part.text, self.targets.vocabularies, is_program=is_program(item.label))
            self.counter.submit(item.measure, job, source.read_bytes - told)
            told = source.read_bytes
            inexact += not part.is_exact
        if inexact:
            item.say("inexact_cut", f"cut in {inexact} places where a word does not end; each may add a few tokens")

    def _requests(self, prompts: Iterable[PromptLine], source: TextSource, item: OpenInput) -> None:
        so_far = 0
        for batch in batches(prompts):
            job = partial(measure_requests, batch, self.targets)
            self.counter.submit(item.measure, job, source.read_bytes - so_far)
            so_far = source.read_bytes


def _peek(texts: Iterator[str], label: str) -> tuple[bool, list[str]]:
    """Look whether a text is requests; return that and the blocks that were read for it."""
    may_be = label == STDIN or may_hold_lines(label)
    first: list[str] = []
    size = 0
    for text in texts:
        first.append(text)
        size += len(text)
        if not may_be or "\n" in text or size > MAX_LINE_CHARS:
            break
    is_whole = "\n" not in "".join(first)
    return may_be and is_request_file("".join(first), is_whole=is_whole), first


def _whole(texts: Iterator[str], first: list[str], label: str) -> PromptLine | None:
    """Return the request that a whole text is; what is read for it is put into `first`."""
    head = next((block.lstrip() for block in first if block.strip()), "")
    if not (label == STDIN or may_be_one(label)) or not head.startswith(("{", "[")):
        return None
    size = sum(map(len, first))
    for text in texts:
        first.append(text)
        size += len(text)
        if size > MAX_LINE_CHARS:
            return None
    return parse("".join(first))


def told(prompts: Iterable[PromptLine], item: OpenInput) -> Iterator[PromptLine]:
    """Hand requests on; what of them is not counted, or was not read as it stands, becomes a notice."""
    left_out: set[str] = set()
    halves = 0
    for prompt in prompts:
        left_out |= prompt.left_out
        halves += prompt.has_lone_surrogates
        yield prompt
    if halves:
        item.say("encoding", f"requests that hold lone surrogates: {halves}; each surrogate was read as U+FFFD")
    if left_out:
        item.say("not_counted", f"some requests hold {' and '.join(sorted(left_out))}: not counted, so the figures are the least")


def parse_all(stream: Iterable[str], item: OpenInput) -> Iterator[PromptLine]:
    """Yield the requests of a JSON-lines text; what is none, and what is left out of one, becomes a notice."""
    broken: list[int] = []
    count = 0

    def understood() -> Iterator[PromptLine]:
        nonlocal count
        for line in lines_of(stream):
            prompt = parse(line.text)
            if prompt is None:
                count += 1
                broken.extend([line.number] if count <= _NAMED_LINES else [])
            else:
                yield prompt

    yield from told(understood(), item)
    if count:
        more = f" and {count - _NAMED_LINES} more" if count > _NAMED_LINES else ""
        numbers = ", ".join(map(str, broken))
        item.say("broken_line", f"no request on line {numbers}{more}; left out")

def batches(prompts: Iterable[PromptLine]) -> Iterator[list[PromptLine]]:
    """Put requests together into jobs of a bounded size."""
    batch: list[PromptLine] = []
    size = 0
    for prompt in prompts:
        batch.append(prompt)
        size += sum(map(len, prompt.texts))
        if size >= _JOB_CHARS or len(batch) >= _JOB_REQUESTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def describe(item: OpenInput, source: TextSource) -> None:
    """Say what is not as it should be about how a source was read."""
    if not source.encoding.startswith("utf"):
        item.say("encoding", f"not UTF-8; read as {source.encoding}, the encoding that fits best")
    if source.replaced:
        item.say("encoding", f"{source.replaced} places are not {source.encoding}; each was read as U+FFFD")
    if change := source.changed():
        item.say("changed", change)
