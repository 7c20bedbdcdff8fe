"""Reading a part for the whole: windows of a large file, or some files of many small ones, spread over all by position or size.

Owns what a unit is and how many are looked at; the statistics are sample.py's. A window ends in the middle of a word, which may
add a token: the interval is wider by one token a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath

from deepsel.estimate.reading.count import NO_LANGUAGE, Key, Measure, Share, measure_requests, measure_text
from deepsel.estimate.reading.decode import BLOCK_BYTES, NotText, TextSource, open_file
from deepsel.estimate.reading.draft import InputReader
from deepsel.estimate.reading.find import Found
from deepsel.estimate.reading.languages import is_program
from deepsel.estimate.reading.requests import MAX_LINE_CHARS, is_request_file, may_hold_lines, parse
from deepsel.estimate.reading.sample import Draw, Estimate, Stratum, choose, estimate
from deepsel.estimate.records import Framing, Input, Media, Piece, Skipped, Targets, TokenCount
from deepsel.tokens import ModelReader, Picture
from deepsel.values import Notice, Source

WINDOWS = 32  # of BLOCK_BYTES in one large file
FILES = 32  # of many small ones with the same ending
_LARGE_BYTES = WINDOWS * BLOCK_BYTES  # up to here a file is read whole


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """What is read whole and what is sampled."""

    whole: list[Found]
    large: list[Found] = field(default_factory=list)
    groups: dict[str, list[Found]] = field(default_factory=dict)
    """By ending: files of which some are read."""
    seed: int = 0

    @property
    def read_bytes(self) -> int | None:
        """About how much will be read; None where standard input is a part of it."""
        if any(item.size_bytes is None for item in self.whole):
            return None
        small = sum(sum(_sizes(group)) * FILES // len(group) for group in self.groups.values())
        return sum(_sizes(self.whole)) + len(self.large) * _LARGE_BYTES + small


def _sizes(items: list[Found]) -> list[int]:
    return [item.size_bytes or 0 for item in items]


def plan(found: list[Found], seed: int | None) -> SamplePlan:
    """Decide what to sample: files over 2 MiB, and small ones of one ending that are many and together as large."""
    if seed is None:
        return SamplePlan(found)
    large = [item for item in found if (item.size_bytes or 0) > _LARGE_BYTES]
    by_ending: dict[str, list[Found]] = {}
    for item in found:
        if item.size_bytes is not None and item.size_bytes <= _LARGE_BYTES:
            by_ending.setdefault(PurePath(item.path).suffix.lower(), []).append(item)
    groups = {
        ending: sorted(items, key=lambda item: (item.size_bytes or 0, item.path))
        for ending, items in by_ending.items()
        if len(items) > FILES and sum(_sizes(items)) > _LARGE_BYTES
    }
    grouped = {item.path for items in (large, *groups.values()) for item in items}
    return SamplePlan([item for item in found if item.path not in grouped], large, groups, seed)


@dataclass(slots=True)
class SampledInput:
    """An input that is read in part, whose counts are still coming in."""

    label: str
    encoding: str
    size_bytes: int
    files: int = 1
    is_requests: bool = False
    slack: int = 0
    """Tokens the interval is wider by on either side."""
    strata: list[tuple[Draw, list[tuple[int, Measure]]]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def unit(self, draw: Draw, size_bytes: int) -> Measure:
        """Return where the counts of one more unit go."""
        if not self.strata or self.strata[-1][0] is not draw:
            self.strata.append((draw, []))
        self.strata[-1][1].append((size_bytes, Measure()))
        return self.strata[-1][1][-1][1]

    def finish(self, targets: Targets) -> Input:
        """Turn the sample into a record of the whole."""
        units = [unit for _, seen in self.strata for unit in seen]
        keys = sorted({key for _, measure in units for key in measure.shares})
        pieces = tuple(self._piece(key, targets.vocabularies) for key in keys or [NO_LANGUAGE])
        totals = {name: self._whole(name) for name in targets.vocabularies}
        requests = round(self._estimate(lambda one: one.requests).total) if self.is_requests else self.files
        largest = {name: max((one.total(name) for _, one in units), default=0) for name in targets.vocabularies}
        one_text = self.files == 1 and not self.is_requests
        return Input(
            self.label,
            self.encoding,
            requests,
            pieces,
            framings={reader: self._framing(reader) for reader in targets.readers} if self.is_requests else {},
            largest_text={name: round(one.total) for name, one in totals.items()} if one_text else largest,
            read_share=min(1.0, sum(size for size, _ in units) / self.size_bytes),
            intervals={name: (int(one.low), round(one.high)) for name, one in totals.items()},
            media=self._media([measure.media for _, measure in units]),
        )

    def _media(self, seen: Sequence[Media]) -> Media:
        """Return what is no text in the whole: each kind of picture as often as the sample lets expect."""
        pictures = {picture for one in seen for picture in one.pictures}
        counts = {picture: round(self._estimate(partial(_times, picture)).total) for picture in pictures}
        return Media(counts, max((one.most_pictures for one in seen), default=0), sum(one.uncounted for one in seen))

    def _framing(self, reader: ModelReader) -> Framing:
        """Return how a reader reads the requests of the whole."""
        seen = [measure.framings[reader] for _, units in self.strata for _, measure in units if reader in measure.framings]
        added = self._estimate(lambda one: one.framings.get(reader, Framing()).tokens)
        doubt = self._estimate(lambda one: one.framings.get(reader, Framing()).doubt)
        return Framing(round(added.total), round(doubt.total), max((one.largest for one in seen), default=0))

    def _estimate(self, value: Callable[[Measure], int]) -> Estimate:
        strata = [
            Stratum(len(draw.units), tuple((float(size), float(value(one))) for size, one in seen)) for draw, seen in self.strata
        ]
        return estimate(strata, float(self.size_bytes))

    def _whole(self, vocabulary: str) -> Estimate:
        one = self._estimate(lambda measure: measure.total(vocabulary))
        return Estimate(one.total, max(0.0, one.low - self.slack), one.high + self.slack)

    def _piece(self, key: Key, vocabularies: Sequence[str]) -> Piece:
        """One language's part of the whole."""
        seen = Share()
        for _, units in self.strata:
            for _, measure in units:
                seen.add(measure.share(key))
        size = round(self._estimate(lambda measure: measure.share(key).size_bytes).total)
        chars = round(self._estimate(lambda measure: measure.share(key).chars).total)
        sentences = round(self._estimate(lambda measure: measure.share(key).sentences).total)
        slack = self.slack * size / self.size_bytes
        tallies = {}
        for name in vocabularies:
            one = self._estimate(partial(_tokens_of, key, name))
            low, high = max(0, int(one.low - slack)), round(one.high + slack)
            tallies[name] = TokenCount(round(one.total), Source.ESTIMATED, seen.tally(name).error_pct, low, high)
        return Piece(*key, size, chars, sentences, tallies)


def _tokens_of(key: Key, vocabulary: str, measure: Measure) -> int:
    return measure.share(key).tokens.get(vocabulary, 0)


def _times(picture: Picture, measure: Measure) -> int:
    return measure.media.pictures.get(picture, 0)


def take_samples(work: SamplePlan, reader: InputReader) -> None:
    """Read the sampled part of a plan."""
    for item in work.large:
        try:
            source = open_file(item.path)
        except NotText as error:
            reader.skipped.append(Skipped(item.label, str(error)))
            continue
        try:
            _take_windows(item.label, source, work.seed, reader)
        except OSError as error:  # the disk fails, or the network it is on
            reader.skipped.append(Skipped(item.label, (error.strerror or str(error)).lower()))
        finally:
            source.close()
    for ending, items in work.groups.items():
        _take_files(ending, items, work.seed, reader)


def _take_windows(label: str, source: TextSource, seed: int, reader: InputReader) -> None:
    size = source.size_bytes or 0
    units = -(-(size - source.bom_bytes) // BLOCK_BYTES)
    sample = SampledInput(label, source.encoding, size - source.bom_bytes)
    head = source.head.decode(source.encoding, "replace")
    sample.is_requests = may_hold_lines(label) and is_request_file(head, is_whole=False)
    sample.slack = 0 if sample.is_requests else units
    # By name, not path: the same file gives the same sample wherever its folder lies.
    for draw in choose(units, WINDOWS, seed=f"{seed} {PurePath(label).name}"):
        for index in draw.chosen:
            start = source.bom_bytes + index * BLOCK_BYTES
            length = min(BLOCK_BYTES, size - start)
            if sample.is_requests:
                raw = lines_in(source, start, length)
                asked = [prompt for line in raw.decode(source.encoding, "replace").split("\n") if (prompt := parse(line))]
                job = partial(measure_requests, asked, reader.targets)
                reader.counter.submit(sample.unit(draw, len(raw)), job, length)
            else:
                text = source.window(start, length)
                job = partial(measure_text, text, reader.targets.vocabularies, is_program=is_program(label))
                reader.counter.submit(sample.unit(draw, length), job, length)
    reader.opened.append(sample)


def lines_in(source: TextSource, start: int, length: int) -> bytes:
    """Return the whole lines that begin in a stretch of the file: each line of a file begins in one stretch."""
    stream = source.stream
    if start > source.bom_bytes:
        stream.seek(start - 1)
        stream.readline(MAX_LINE_CHARS)
    else:
        stream.seek(start)
    lines = []
    while stream.tell() < start + length and (line := stream.readline(MAX_LINE_CHARS)):
        lines.append(line)
    return b"".join(lines)


def _take_files(ending: str, items: list[Found], seed: int, reader: InputReader) -> None:
    """Read some files of a group; the others stand behind them in one input."""
    texts = []
    for item in items:
        try:
            open_file(item.path).close()
            texts.append(item)
        except NotText as error:
            reader.skipped.append(Skipped(item.label, str(error)))
    if not texts:
        return
    sample = SampledInput(f"*{ending} ({len(texts)} files)", "utf-8", sum(_sizes(texts)), len(texts))
    sample.is_requests = may_hold_lines(ending)
    for draw in choose(len(texts), FILES, seed=f"{seed} {ending}"):
        for index in draw.chosen:
            item = texts[index]
            one = reader.read(item.label, partial(open_file, item.path), sample.unit(draw, item.size_bytes or 0))
            sample.notices += one.notices if one else []
    reader.opened.append(sample)
