"""Reading a part for the whole: small windows of a large file, or of many small ones put behind each other by size.

Owns what a unit is and how many are looked at; the statistics are sample.py's. Many small windows find rare parts that few large
ones miss. A window ends in the middle of a word, which may add a token: the interval is wider by one token a cut.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, groupby
from pathlib import PurePath

from deepsel.estimate.reading.count import NO_LANGUAGE, Key, Measure, Share, measure_requests, measure_text
from deepsel.estimate.reading.decode import NotText, TextSource, open_file
from deepsel.estimate.reading.draft import InputReader
from deepsel.estimate.reading.find import Found
from deepsel.estimate.reading.languages import UNKNOWN, is_program
from deepsel.estimate.reading.requests import MAX_LINE_CHARS, is_request_file, may_be_one, may_hold_lines, parse
from deepsel.estimate.reading.sample import Draw, Estimate, Stratum, choose, estimate
from deepsel.estimate.records import Framing, Input, Media, Piece, Skipped, Targets, TokenCount
from deepsel.tokens import ModelReader, Picture
from deepsel.values import Notice, Source

UNITS = 1024
"""How many are looked at: in one large file, or in many small ones with the same ending."""
_WINDOW_BYTES = 2048
_LARGE_BYTES = UNITS * _WINDOW_BYTES  # up to here a file is read whole
_FEW_FILES = 32  # up to here so are many
_FRAGMENTS = 50  # times as much of a named language there is where what has no name is taken for a part of it
_TOKENS_A_BYTE = 1.0  # at most: a token covers a byte or more in every vocabulary
_TOKENS_A_BYTE_WIDE = 1.5  # two bytes of UTF-16 are up to three of UTF-8


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
        small = sum(min(_LARGE_BYTES, sum(_sizes(group))) for group in self.groups.values())
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
        if len(items) > _FEW_FILES and sum(_sizes(items)) > _LARGE_BYTES
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
    largest_bytes: int = 0
    """Of its largest file, where windows of many are read."""
    strata: list[tuple[Draw, list[tuple[int, Measure]]]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def unit(self, draw: Draw, size_bytes: int) -> Measure:
        """Return where the counts of one more unit go."""
        if not self.strata or self.strata[-1][0] is not draw:
            self.strata.append((draw, []))
        self.strata[-1][1].append((size_bytes, Measure()))
        return self.strata[-1][1][-1][1]

    def measures(self) -> list[Measure]:
        """Return where its counts come in."""
        return [measure for _, units in self.strata for _, measure in units]

    def finish(self, targets: Targets) -> Input:
        """Turn the sample into a record of the whole."""
        units = [unit for _, seen in self.strata for unit in seen]
        _name_fragments([measure for _, measure in units])
        keys = sorted({key for _, measure in units for key in measure.shares})
        pieces = tuple(self._piece(key, targets.vocabularies) for key in keys or [NO_LANGUAGE])
        totals = {name: self._whole(name) for name in targets.vocabularies}
        requests = round(self._estimate(lambda one: one.requests).total) if self.is_requests else self.files
        largest = {name: max((one.total(name) for _, one in units), default=0) for name in targets.vocabularies}
        if self.largest_bytes:
            largest = {name: max(largest[name], round(one.total * self.largest_bytes / self.size_bytes)) for name, one in totals.items()}
        return Input(
            self.label,
            self.encoding,
            requests,
            pieces,
            framings={reader: self._framing(reader) for reader in targets.readers} if self.is_requests else {},
            largest_text=largest,
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

    def _estimate(self, value: Callable[[Measure], int], *, most: float | None = None) -> Estimate:
        strata = [
            Stratum(len(draw.units), tuple((float(size), float(value(one))) for size, one in seen)) for draw, seen in self.strata
        ]
        return estimate(strata, float(self.size_bytes), most=most)

    def _tokens(self, value: Callable[[Measure], int]) -> Estimate:
        """Estimate a number of tokens, with what the rest may hold."""
        return self._estimate(value, most=_TOKENS_A_BYTE if self.encoding.startswith("utf-8") else _TOKENS_A_BYTE_WIDE)

    def _whole(self, vocabulary: str) -> Estimate:
        one = self._tokens(lambda measure: measure.total(vocabulary))
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
            one = self._tokens(partial(_tokens_of, key, name))
            low, high = max(0, int(one.low - slack)), round(one.high + slack)
            tallies[name] = TokenCount(round(one.total), Source.ESTIMATED, seen.tally(name).error_pct, low, high)
        return Piece(*key, size, chars, sentences, tallies)


def _name_fragments(seen: Sequence[Measure]) -> None:
    """Count what a window's edge has cut too short to tell its language as the language that its script is in elsewhere."""
    sizes: dict[Key, int] = {}
    for measure in seen:
        for key, share in measure.shares.items():
            sizes[key] = sizes.get(key, 0) + share.size_bytes
    for key, size in sizes.items():
        alike = [other for other in sizes if other[1] == key[1] and other[0] != UNKNOWN]
        home = max(alike, key=lambda other: sizes[other], default=None)
        if key[0] != UNKNOWN or home is None or size * _FRAGMENTS > sizes[home]:
            continue
        for measure in seen:
            if key in measure.shares:
                measure.shares.setdefault(home, Share()).add(measure.shares.pop(key))


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
    units = -(-(size - source.bom_bytes) // _WINDOW_BYTES)
    sample = SampledInput(label, source.encoding, size - source.bom_bytes, largest_bytes=size - source.bom_bytes)
    head = source.head.decode(source.encoding, "replace")
    if may_hold_lines(label) and is_request_file(head, is_whole=False):
        sample.is_requests, sample.largest_bytes = True, 0
    else:
        sample.slack = units - 1
    # By name, not path: the same file gives the same sample wherever its folder lies.
    for draw in choose(units, UNITS, seed=f"{seed} {PurePath(label).name}"):
        for index in draw.chosen:
            if sample.is_requests:
                _take_lines(source, index, sample, draw, reader)
            else:
                _take_text(label, source, index, sample, draw, reader)
    reader.opened.append(sample)


def _stretch(source: TextSource, index: int) -> tuple[int, int]:
    """Return where a unit of a file begins and how many bytes it has."""
    start = source.bom_bytes + index * _WINDOW_BYTES
    return start, min(_WINDOW_BYTES, (source.size_bytes or 0) - start)


def _take_text(label: str, source: TextSource, index: int, sample: SampledInput, draw: Draw, reader: InputReader) -> None:
    start, length = _stretch(source, index)
    text = source.window(start, length)
    job = partial(measure_text, text, reader.targets.vocabularies, is_program=is_program(label))
    reader.counter.submit(sample.unit(draw, length), job, length)


def _take_lines(source: TextSource, index: int, sample: SampledInput, draw: Draw, reader: InputReader) -> None:
    start, length = _stretch(source, index)
    raw = lines_in(source, start, length)
    asked = [prompt for line in raw.decode(source.encoding, "replace").split("\n") if (prompt := parse(line))]
    reader.counter.submit(sample.unit(draw, len(raw)), partial(measure_requests, asked, reader.targets), length)


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
    """Read some of a group: whole files of requests, windows of texts; the others stand behind them in one input."""
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
    sample.is_requests = may_hold_lines(ending) or may_be_one(ending)
    if sample.is_requests:
        _take_whole_files(texts, f"{seed} {ending}", sample, reader)
    else:
        sample.largest_bytes = max(_sizes(texts))
        _take_windows_of_files(texts, f"{seed} {ending}", sample, reader)
    reader.opened.append(sample)


def _take_whole_files(items: Sequence[Found], seed: str, sample: SampledInput, reader: InputReader) -> None:
    wanted = max(_FEW_FILES, min(UNITS, _LARGE_BYTES * len(items) // max(1, sample.size_bytes)))
    for draw in choose(len(items), wanted, seed=seed):
        for index in draw.chosen:
            item = items[index]
            one = reader.read(item.label, partial(open_file, item.path), sample.unit(draw, item.size_bytes or 0))
            sample.notices += one.notices if one else []


def _take_windows_of_files(items: Sequence[Found], seed: str, sample: SampledInput, reader: InputReader) -> None:
    ends = list(accumulate(-(-(item.size_bytes or 0) // _WINDOW_BYTES) for item in items))
    sample.slack = ends[-1] - len(items)
    drawn = ((draw, index) for draw in choose(ends[-1], UNITS, seed=seed) for index in draw.chosen)
    for place, of_one in groupby(drawn, lambda one: bisect_right(ends, one[1])):
        item, first = items[place], ends[place - 1] if place else 0
        try:
            with closing(open_file(item.path)) as source:
                for draw, index in of_one:
                    _take_text(item.label, source, index - first, sample, draw, reader)
        except NotText as error:
            reader.skipped.append(Skipped(item.label, str(error)))
        except OSError as error:
            reader.skipped.append(Skipped(item.label, (error.strerror or str(error)).lower()))
