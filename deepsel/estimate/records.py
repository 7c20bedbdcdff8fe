"""What an estimate is made of: texts that were read, their counts, and the rows of a report. Frozen; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

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
    """Of all of them, framing left out."""


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
    messages: int = 1
    """Messages in all its requests, for the framing constants."""
    largest_request: Mapping[str, int] = field(default_factory=dict)
    """Tokens of its largest single request by vocabulary: what has to fit a window and picks the price tier."""
    bands: Mapping[str, Mapping[int, Band]] = field(default_factory=dict)
    """By vocabulary and place among SIZE_BOUNDS; empty where requests were not told apart."""
    read_share: float = 1.0
    """Share of the bytes that was read; below 1 where it was sampled."""
    intervals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """The 95 % interval of the input's tokens by vocabulary; empty where all was read. Pieces' own do not add up to it."""


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
    usd_per_1k_chars: Decimal | None
    usd_per_sentence: Decimal | None
    tokens_per_char: float | None
    premium_vs_english: float | None
    """Tokens over those of the same content in English (premium.py): 1.8 means 80 % dearer; None: not known."""
    fits_window: bool | None
    """Whether the largest single request fits with its answer; None: no limit of the model is known."""
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
