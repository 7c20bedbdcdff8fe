"""What an estimate is made of: texts that were read, their counts, and the rows of a report. Frozen; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from deepsel.records import NamedTuple
from deepsel.tokens import ModelReader, Picture
from deepsel.values import Notice, Source


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of a text in one vocabulary."""

    tokens: int
    source: Source
    error_pct: float | None = None
    """The stated error of an estimate in percent; None where the count is exact, or the error unknown."""
    low: int | None = None
    """Lower end of the 95 % interval of a sampled count; None where everything was read."""
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of one language within an input: a file, a paragraph's share of it, or one request of a JSON-lines file."""

    language: str
    """ISO 639-1 where there is one, else 639-3; `und` where only the script is sure, `code` for program text."""
    script: str
    """ISO 15924, e.g. Latn, Hans, Deva; Zyyy where nothing but punctuation was seen."""
    size_bytes: int
    """Of its text in UTF-8, whatever the encoding and syntax of the file."""
    chars: int
    sentences: int
    tokens: Mapping[str, TokenCount]
    """By vocabulary name."""


SIZE_BOUNDS = (32_000, 100_000, 128_000, 200_000, 252_000, 256_000, 272_000, 1_000_000)
"""Prompt sizes at which prices change: requests are told apart by them. A test holds the catalog's bounds against it."""


@dataclass(frozen=True, slots=True)
class Band:
    """The requests of an input between two of SIZE_BOUNDS."""

    requests: int
    tokens: int
    """Of all of them, pictures left out."""


@dataclass(frozen=True, slots=True)
class Media:
    """What of requests is no text."""

    pictures: Mapping[Picture, int] = field(default_factory=dict)
    """How often each comes: makers count by size and detail."""
    most_pictures: int = 0
    """Of one request."""
    uncounted: int = 0
    """Parts whose tokens nobody knows."""

    def plus(self, other: Media) -> Media:
        """Add another's."""
        if not other.pictures and not other.uncounted:
            return self
        counts = {one: self.pictures.get(one, 0) + other.pictures.get(one, 0) for one in {**self.pictures, **other.pictures}}
        return Media(counts, max(self.most_pictures, other.most_pictures), self.uncounted + other.uncounted)


NO_MEDIA = Media()


@dataclass(frozen=True, slots=True)
class Framing:
    """The requests of an input as one reader reads them, pictures left out."""

    tokens: int = 0
    """What comes to the texts of their messages: marks, tools, calls, thinking, the form of the answer."""
    doubt: int = 0
    """How far off that may be, in tokens."""
    largest: int = 0
    """Of the largest single request, its text included: what has to fit a window."""
    bands: Mapping[int, Band] = field(default_factory=dict)
    """By place among SIZE_BOUNDS."""

    def plus(self, other: Framing) -> Framing:
        """Add another's."""
        bands = dict(self.bands)
        for place, band in other.bands.items():
            known = bands.get(place, Band(0, 0))
            bands[place] = Band(known.requests + band.requests, known.tokens + band.tokens)
        return Framing(self.tokens + other.tokens, self.doubt + other.doubt, max(self.largest, other.largest), bands)


class Targets(NamedTuple):
    """What is counted: texts in each vocabulary once, requests as each reader reads them."""

    vocabularies: tuple[str, ...]
    readers: tuple[ModelReader, ...] = ()
    """Those of text: `ModelReader.of_text`."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file, standard input, or one side of a diff."""

    path: str
    """As the user would name it; `-` is standard input."""
    encoding: str
    requests: int
    """Requests it stands for: 1, or the lines of a JSON-lines file."""
    pieces: tuple[Piece, ...]
    """At least one; sums over them are the input's."""
    framings: Mapping[ModelReader, Framing] = field(default_factory=dict)
    """How its requests are read; empty for a text, which is one user message."""
    largest_text: Mapping[str, int] = field(default_factory=dict)
    """Of texts: tokens of the largest by vocabulary, which has to fit a window and picks the price tier."""
    read_share: float = 1.0
    """Share of the bytes that was read; below 1 where it was sampled."""
    intervals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """The 95 % interval of the input's tokens by vocabulary; empty where all was read. Pieces' own do not add up to it."""
    media: Media = NO_MEDIA


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something found that is not counted, and why, in words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read for one estimate."""

    inputs: tuple[Input, ...]
    skipped: tuple[Skipped, ...] = ()
    notices: tuple[Notice, ...] = ()
    is_partial: bool = False
    """Whether it was interrupted: the inputs are those that had been counted, each of them whole."""


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one model would charge for one group of inputs."""

    group: str
    """Empty for the whole; else a path or a language, by `--by`."""
    model: str
    provider: str
    vocabulary: str | None
    source: Source
    error_pct: float | None
    input_tokens: int
    output_tokens: int
    input_usd: Decimal | None
    output_usd: Decimal | None
    total_usd: Decimal | None
    """None: a price is unknown; `reason` says which."""
    most_usd: Decimal | None
    """The most it can be, a token a byte where the vocabulary is not known; the same as the total where it is."""
    usd_per_1k_chars: Decimal | None
    usd_per_sentence: Decimal | None
    tokens_per_char: float | None
    premium_vs_english: float | None
    """Tokens over those of the same content in English (premium.py): 1.8 means 80 % dearer; None: not known."""
    fits_window: bool | None
    """Whether the largest single request fits with its answer; None: no limit of the model is known, or its vocabulary is not."""
    price_label: str = ""
    """`peak`, `off-peak`, a tier; empty where there is one price."""
    peak_usd: Decimal | None = None
    """The total at peak hours where prices have hours; None otherwise."""
    off_peak_usd: Decimal | None = None
    batch_usd: Decimal | None = None
    is_at_most: bool = False
    """Whether the price of cached input is only a bound."""
    price_source: str = ""
    price_checked: str = ""
    reason: str = ""
    input_tokens_low: int | None = None
    """Lower end of the 95 % interval; None where everything was read."""
    input_tokens_high: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The cost of changed prompt files before and after, on the model that is compared."""

    model: str
    before_usd: Decimal
    after_usd: Decimal
    files: tuple[tuple[str, Decimal, Decimal], ...]
    """(path, before, after), largest growth first."""
    reason: str = ""
    """Why the costs are only known to be no less; empty where they are known."""

    @property
    def delta_usd(self) -> Decimal:
        """After less before."""
        return self.after_usd - self.before_usd


@dataclass(frozen=True, slots=True)
class Report:
    """One estimate, ready to be written in any format."""

    at: datetime
    prices_as_of: str
    reading: Reading
    rows: tuple[CostRow, ...]
    """Cheapest first within each group, unknown prices last."""
    cheapest: Mapping[str, str]
    """Group to the cheapest model of known price that fits; the empty group is the whole."""
    change: Change | None = None
    assumptions: Mapping[str, str] = field(default_factory=dict)
    """What was assumed, in words: output tokens, requests, cached share."""
    totals: tuple[CostRow, ...] = ()
    """The rows of the whole; the same as `rows` where those are not grouped."""
    by: str = "model"
    """What `rows` are grouped by: model (not at all), file or language."""
    notices: tuple[Notice, ...] = ()
    """What the reader of the report should know besides what the reading says."""
