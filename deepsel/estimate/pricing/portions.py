"""Cuts a reading into the portions that are priced: one a piece, with its share of its input's framing and answers. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeAlias

from deepsel import catalog, tokens
from deepsel.estimate.pricing.pictures import media_tokens
from deepsel.estimate.records import Band, Framing, Input, Piece, Reading, TokenCount
from deepsel.estimate.sharing import split
from deepsel.tokens import ModelReader, reader_of
from deepsel.values import Model, Source

By: TypeAlias = Literal["model", "file", "language"]


@dataclass(frozen=True, slots=True)
class Answers:
    """How long answers are."""

    tokens: int = 0
    """A request; used where there is no ratio."""
    ratio: Decimal | None = None
    """Output tokens for each input token."""


@dataclass(frozen=True, slots=True)
class Portion:
    """One piece as a model of some vocabulary reads it."""

    group: str
    origin: Input
    piece: Piece
    request_tokens: int
    """The largest single request of its input, framing included: what has to fit the window."""
    most_tokens: int
    """The most its share can be: of an unknown vocabulary, a token a byte."""
    input_tokens: int
    """With its share of the framing and the pictures."""
    cached_tokens: int
    output_tokens: int
    answer_tokens: int
    """The longest answer of a single request."""
    tally: TokenCount
    bands: Mapping[int, Band] = field(default_factory=dict)
    """Its input's requests by size; empty where they were not told apart."""
    text_tokens: int = 0
    """Its text with its share of the framing: what an error is a share of."""
    doubt: int = 0
    """How far off its share of the framing may be, in tokens."""
    media: Source | None = None
    """What the tokens of its input's pictures are worth; None: there are none."""

    @property
    def interval(self) -> tuple[int, int]:
        """The ends of the input's 95 % interval; both are the count where everything was read."""
        framing = self.input_tokens - self.tally.tokens
        low, high = self.tally.low, self.tally.high
        return (
            self.input_tokens if low is None else low + framing,
            self.input_tokens if high is None else high + framing,
        )


def portions(reading: Reading, model: Model, *, answers: Answers, cached_share: Decimal, by: By) -> Iterator[Portion]:
    """Yield every piece of every input as the model reads it; the numbers of any grouping add up to the same whole."""
    vocabulary, reader = model.vocabulary, reader_of(model)
    pictures = media_tokens(reading, catalog.picture_rule(model.pictures) if model.pictures else None)
    for one, media in zip(reading.inputs, pictures, strict=True):
        tallies = [count_of(piece, vocabulary) for piece in one.pieces]
        weights = [piece.chars for piece in one.pieces]
        framing = framing_of(one, reader)
        framings, seen = split(framing.tokens, weights), split(media.tokens, weights)
        doubts = split(framing.doubt, weights)
        fixed = split(answers.tokens * one.requests, weights)
        largest = framing.largest or sum(tally.tokens for tally in tallies)
        largest += media.largest
        for piece, tally, framed, pictured, doubt, written in zip(one.pieces, tallies, framings, seen, doubts, fixed, strict=True):
            size = tally.tokens + framed + pictured
            yield Portion(
                group=_group_of(one, piece, by),
                origin=one,
                piece=piece,
                request_tokens=largest,
                most_tokens=max(size, piece.size_bytes + framed + pictured + doubt) if vocabulary is None else size,
                input_tokens=size,
                cached_tokens=rounded(cached_share * size) if cached_share else 0,
                output_tokens=written if answers.ratio is None else rounded(answers.ratio * size),
                answer_tokens=answers.tokens if answers.ratio is None else rounded(answers.ratio * largest),
                tally=tally,
                bands=framing.bands,
                text_tokens=tally.tokens + framed,
                doubt=doubt,
                media=media.source,
            )


def count_of(piece: Piece, vocabulary: str | None) -> TokenCount:
    """Return the piece's count in the vocabulary; for one that was not counted, the median of the others, as an estimate.

    How far off that is nobody knows: at most, a byte-level vocabulary makes a token of each byte.
    """
    own = piece.tokens.get(vocabulary or "")
    if own is not None:
        return own
    counts = [tally.tokens for tally in piece.tokens.values()]
    if not counts:
        return TokenCount(0, Source.ESTIMATED)
    return TokenCount(round(statistics.median(counts)), Source.ESTIMATED)


def rounded(number: Decimal) -> int:
    """Round to the nearest whole number, halves up."""
    return int(number.to_integral_value(ROUND_HALF_UP))


def framing_of(one: Input, reader: ModelReader) -> Framing:
    """Return what a model reads beside an input's texts; 0 as the largest where that was not told apart."""
    each = tokens.framing_of(reader)
    read = one.framings.get(reader.of_text)
    if read is None:  # texts, each a user message
        largest = one.largest_text.get(reader.vocabulary or "", 0)
        return Framing(each.tokens * one.requests, each.doubt * one.requests, largest + each.tokens if largest else 0)
    own = each.tokens - tokens.framing_of(reader.of_text).tokens
    return replace(read, tokens=read.tokens + own * one.requests, largest=read.largest + own)


def _group_of(one: Input, piece: Piece, by: By) -> str:
    """Name the group a piece falls into; empty where there is only one."""
    return one.path if by == "file" else piece.language if by == "language" else ""
