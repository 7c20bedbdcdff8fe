"""Counting on several cores in bounded memory: jobs go to processes, their measures are added up in order.

Owns the sums and the order, not what a job reads.
"""

from __future__ import annotations

import collections
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from deepsel import tokens
from deepsel.estimate.reading.blocks import count_sentences, split
from deepsel.estimate.reading.requests import PromptLine
from deepsel.estimate.reading.workers import Workers, cores, do
from deepsel.estimate.records import NO_MEDIA, SIZE_BOUNDS, Band, Framing, Media, Piece, Targets, TokenCount
from deepsel.tokens import ModelReader
from deepsel.values import Source

if TYPE_CHECKING:
    from concurrent.futures import Future

Key: TypeAlias = tuple[str, str]  # (language, script)
NO_LANGUAGE: Key = ("und", "Zyyy")
_BATCH_BYTES = 256 * 1024
_BATCH_JOBS = 256
_BATCHES_A_PROCESS = 2
_ALONE_BYTES = 512 * 1024  # up to here other processes take longer to begin than they save


@dataclass(slots=True)
class Share:
    """What texts of one language and script amount to."""

    size_bytes: int = 0
    chars: int = 0
    sentences: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    """By vocabulary."""
    doubts: dict[str, float] = field(default_factory=dict)
    """By vocabulary, for those that were estimated: the sum of tokens times error in percent."""

    def add(self, other: Share) -> None:
        """Take another share's numbers in."""
        self.size_bytes += other.size_bytes
        self.chars += other.chars
        self.sentences += other.sentences
        for name, count in other.tokens.items():
            self.tokens[name] = self.tokens.get(name, 0) + count
        for name, doubt in other.doubts.items():
            self.doubts[name] = self.doubts.get(name, 0.0) + doubt

    def tally(self, vocabulary: str) -> TokenCount:
        """Return the count in a vocabulary with its source, and an estimate's error: the mean over its parts by tokens."""
        count = self.tokens.get(vocabulary, 0)
        if not count:
            nothing = tokens.count("", vocabulary)
            return TokenCount(0, nothing.source, nothing.error_pct or None)
        doubt = self.doubts.get(vocabulary)
        return TokenCount(count, Source.COUNTED) if doubt is None else TokenCount(count, Source.ESTIMATED, doubt / count)


@dataclass(slots=True)
class Measure:
    """What one stretch of input amounts to."""

    shares: dict[Key, Share] = field(default_factory=dict)
    requests: int = 0
    framings: dict[ModelReader, Framing] = field(default_factory=dict)
    """Of requests; empty where the stretch is a text or a part of one."""
    media: Media = NO_MEDIA

    def add(self, other: Measure) -> None:
        """Take another stretch's numbers in."""
        for key, share in other.shares.items():
            self.shares.setdefault(key, Share()).add(share)
        self.requests += other.requests
        self.media = self.media.plus(other.media)
        for reader, framing in other.framings.items():
            self.framings[reader] = self.framings.get(reader, Framing()).plus(framing)

    def share(self, key: Key) -> Share:
        """Return one language's share; an empty one where it has none."""
        return self.shares.get(key, Share())

    def total(self, vocabulary: str) -> int:
        """Tokens of all shares in a vocabulary."""
        return sum(share.tokens.get(vocabulary, 0) for share in self.shares.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reading is."""

    done_bytes: int
    total_bytes: int | None
    """None: the length of standard input is not known."""
    tokens: Mapping[str, int]
    """Counted so far, by vocabulary."""


def measure_text(text: str, vocabularies: Sequence[str], *, is_program: bool = False) -> Measure:
    """Count a text that begins and ends where it may be cut, by language."""
    runs: dict[Key, list[str]] = {}
    sentences: dict[Key, int] = {}
    for block in split(text, is_program=is_program):
        key = (block.language, block.script)
        runs.setdefault(key, []).append(block.text)
        sentences[key] = sentences.get(key, 0) + count_sentences(block.text)
    measure = Measure()
    for key, parts in runs.items():
        # Each part but a text's first begins with a letter or digit, and each but its last ends in a newline: the joints are
        # places to cut, so that the joined parts count as the parts do.
        whole = "".join(parts)
        counts = tokens.count_all(whole, vocabularies)
        measure.shares[key] = Share(
            len(whole.encode()),
            len(whole),
            sentences[key],
            {name: counts[name].tokens for name in vocabularies},
            {name: one.tokens * (one.error_pct or 0.0) for name in vocabularies if (one := counts[name]).source is not Source.COUNTED},
        )
    return measure


def measure_requests(requests: Iterable[PromptLine], targets: Targets) -> Measure:
    """Count the texts of requests and what each reader reads beside them, and gather their pictures."""
    measure = Measure()
    for prompt in requests:
        media = Media(dict(collections.Counter(prompt.pictures)), len(prompt.pictures), prompt.uncounted)
        one = Measure(requests=1, media=media)
        for text in prompt.texts:
            one.add(measure_text(text, targets.vocabularies))
        one.framings = {reader: _framing(prompt, reader, one) for reader in targets.readers}
        measure.add(one)
    return measure


def _framing(prompt: PromptLine, reader: ModelReader, measured: Measure) -> Framing:
    """Return one request as a reader reads it."""
    if reader.vocabulary is None:
        text_tokens = sum(tokens.count(text, None).tokens for text in prompt.texts)
    else:
        text_tokens = measured.total(reader.vocabulary)
    added = tokens.framed(prompt.request, reader, text_tokens)
    size = text_tokens + added.tokens
    return Framing(added.tokens, added.doubt, size, {bisect_left(SIZE_BOUNDS, size): Band(1, size)})


@dataclass(slots=True)
class _Batch:
    """Jobs that one process does one after the other, and where each one's measure goes."""

    jobs: list[Callable[[], Measure]] = field(default_factory=list)
    targets: list[Measure] = field(default_factory=list)
    read_bytes: int = 0


class Counter:
    """Has jobs done and adds up what they measure, on several processes once there is much to do; use it in a `with` statement."""

    def __init__(
        self,
        vocabularies: Sequence[str],
        *,
        processes: int | None = None,
        total_bytes: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._processes = processes or cores()
        self._workers: Workers | None = None
        self._batch = _Batch()
        self._waiting: collections.deque[tuple[_Batch, Future[list[Measure]]]] = collections.deque()
        self._on_progress = on_progress
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._counted = dict.fromkeys(vocabularies, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._workers:
            self._workers.stop()

    def submit(self, into: Measure, job: Callable[[], Measure], read_bytes: int) -> None:
        """Have a job done and add what it measures to `into` later; waits while enough jobs are under way.

        `read_bytes` is what the progress grows by when it is done.
        """
        self._batch.jobs.append(job)
        self._batch.targets.append(into)
        self._batch.read_bytes += read_bytes
        if self._batch.read_bytes >= _BATCH_BYTES or len(self._batch.jobs) >= _BATCH_JOBS:
            self._send()

    def drain(self) -> None:
        """Wait for every job."""
        self._send()
        while self._waiting:
            self._take()

    def _send(self) -> None:
        """Do the batch here while little was done; later give it to a process."""
        batch, self._batch = self._batch, _Batch()
        if self._processes == 1 or (self._done_bytes < _ALONE_BYTES and not self._workers):
            self._add(batch, do(batch.jobs))
            return
        if not self._workers:
            tokens.prepare(self._counted)
            self._workers = Workers(self._processes)
        while len(self._waiting) >= self._processes * _BATCHES_A_PROCESS:
            self._take()
        self._waiting.append((batch, self._workers.submit(batch.jobs)))

    def _take(self) -> None:
        """Wait for the oldest batch; do it here where the process that had it was killed."""
        from concurrent.futures import BrokenExecutor

        batch, future = self._waiting.popleft()
        try:
            measures = future.result()
        except BrokenExecutor:
            self._processes = 1
            measures = do(batch.jobs)
        self._add(batch, measures)

    def _add(self, batch: _Batch, measures: Sequence[Measure]) -> None:
        for into, measure in zip(batch.targets, measures, strict=True):
            into.add(measure)
            for name in self._counted:
                self._counted[name] += measure.total(name)
        self._done_bytes += batch.read_bytes
        if self._on_progress:
            self._on_progress(Progress(self._done_bytes, self._total_bytes, dict(self._counted)))


def pieces_of(shares: Mapping[Key, Share], vocabularies: Sequence[str]) -> tuple[Piece, ...]:
    """Turn sums into records, most bytes first; an empty text is one piece of no language."""
    ordered = sorted(shares.items(), key=lambda item: (-item[1].size_bytes, item[0])) or [(NO_LANGUAGE, Share())]
    return tuple(
        Piece(*key, share.size_bytes, share.chars, share.sentences, {name: share.tally(name) for name in vocabularies})
        for key, share in ordered
    )
