"""What the pictures of inputs come to by one model's rule, and how far the sum can be trusted. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from deepsel import tokens
from deepsel.estimate.records import Input, Media, Reading
from deepsel.tokens import TokenBounds
from deepsel.values import PictureRule, Source


@dataclass(frozen=True, slots=True)
class MediaTokens:
    """What of an input is no text, in tokens."""

    tokens: int = 0
    largest: int = 0
    """Of one request: no request has more."""
    source: Source | None = None
    """What the number is worth: RULE, AT_MOST, AT_LEAST, or ESTIMATED of a sample; None: the input is text."""


TEXT_ALONE = MediaTokens()


def media_tokens(reading: Reading, rule: PictureRule | None) -> list[MediaTokens]:
    """Count what is no text of each input, in order.

    Where one of them cannot be bounded, all are counted at their least, so that any sum of them is no more than the truth.
    """
    bounds = [_bounds(one.media, rule) for one in reading.inputs]
    is_open = any(one.high is None for one in bounds)
    return [_counted(one, found, rule, is_open=is_open) for one, found in zip(reading.inputs, bounds, strict=True)]


def _bounds(media: Media, rule: PictureRule | None) -> TokenBounds:
    total = TokenBounds(media.uncounted, None) if media.uncounted else TokenBounds(0, 0)
    for picture, times in media.pictures.items():
        total = total.plus(tokens.count_picture(picture, rule), times)
    return total


def _counted(one: Input, found: TokenBounds, rule: PictureRule | None, *, is_open: bool) -> MediaTokens:
    """Say what one input's pictures count, and what that is worth."""
    if not one.media.pictures and not one.media.uncounted:
        return TEXT_ALONE
    ends = [tokens.count_picture(picture, rule) for picture in one.media.pictures]
    each = sorted((end.low if is_open or end.high is None else end.high for end in ends), reverse=True)
    total = found.low if is_open or found.high is None else found.high
    largest = min(total, each[0] * one.media.most_pictures) if each else total
    source = Source.RULE if found.low == found.high else Source.AT_LEAST if is_open else Source.AT_MOST
    if one.read_share < 1 and source is not Source.AT_LEAST:
        source = Source.ESTIMATED  # how many there are is an estimate
    return MediaTokens(total, largest, source)
