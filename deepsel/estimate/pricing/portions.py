"""Cuts a reading into the portions that are priced: one a piece, with its share of its input's framing and answers. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeAlias

from deepsel import catalog
from deepsel.estimate.framing import further_message_tokens, split
from deepsel.estimate.pricing.pictures import media_tokens
from deepsel.estimate.records import Input, Piece, Reading, TokenCount
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
    input_tokens: int
    """With its share of the framing and the pictures."""
    cached_tokens: int
    output_tokens: int
    answer_tokens: int
    """The longest answer of a single request."""
    tally: TokenCount
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
    vocabulary, framing_tokens = model.vocabulary, model.framing_tokens
    pictures = media_tokens(reading, catalog.picture_rule(model.pictures) if model.pictures else None)
    for one, media in zip(reading.inputs, pictures, strict=True):
        tallies = [count_of(piece, vocabulary) for piece in one.pieces]
        weights = [piece.chars for piece in one.pieces]
        added = framing_tokens * one.requests + media.tokens
        if one.messages > one.requests:
            added += further_message_tokens(vocabulary) * (one.messages - one.requests)
        framings = split(added, weights)
        fixed = split(answers.tokens * one.requests, weights)
        largest = _largest_request(one, vocabulary, tallies) + framing_tokens + media.largest
        for piece, tally, framing, written in zip(one.pieces, tallies, framings, fixed, strict=True):
            size = tally.tokens + framing
            yield Portion(
                group=_group_of(one, piece, by),
                origin=one,
                piece=piece,
                request_tokens=largest,
                input_tokens=size,
                cached_tokens=rounded(cached_share * size) if cached_share else 0,
                output_tokens=written if answers.ratio is None else rounded(answers.ratio * size),
                answer_tokens=answers.tokens if answers.ratio is None else rounded(answers.ratio * largest),
                tally=tally,
                media=media.source,
            )


def count_of(piece: Piece, vocabulary: str | None) -> TokenCount:
    """Return the piece's count in the vocabulary; for one that was not counted, the median of the others, as an estimate.

    Its stated error is the farthest of them; unknown where there is only one to go by.
    """
    own = piece.tokens.get(vocabulary or "")
    if own is not None:
        return own
    counts = [tally.tokens for tally in piece.tokens.values()]
    if not counts:
        return TokenCount(0, Source.ESTIMATED)
    middle = round(statistics.median(counts))
    farthest = max(abs(count - middle) for count in counts)
    is_known = middle and len(counts) > 1
    return TokenCount(middle, Source.ESTIMATED, round(100 * farthest / middle, 1) if is_known else None)


def rounded(number: Decimal) -> int:
    """Round to the nearest whole number, halves up."""
    return int(number.to_integral_value(ROUND_HALF_UP))


def _largest_request(one: Input, vocabulary: str | None, tallies: Sequence[TokenCount]) -> int:
    """Return the largest request's tokens; the whole input's, which is an upper bound, where only that is known."""
    known = one.largest_request.get(vocabulary or "")
    return sum(tally.tokens for tally in tallies) if known is None else known


def _group_of(one: Input, piece: Piece, by: By) -> str:
    """Name the group a piece falls into; empty where there is only one."""
    return one.path if by == "file" else piece.language if by == "language" else ""
