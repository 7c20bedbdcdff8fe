"""Portions added up by group, once for all models of a vocabulary and framing: a big tree has many portions and many models. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby

from deepsel.estimate.pricing.portions import Answers, By, Portion, portions
from deepsel.estimate.pricing.premium import premium
from deepsel.estimate.records import SIZE_BOUNDS, Input, Reading
from deepsel.estimate.sharing import split
from deepsel.values import Model, Source, Usage

_INPUTS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class RequestGroup:
    """Portions and what they add up to: the same for every model of a vocabulary, framing and rule for pictures."""

    portions: Sequence[Portion]
    chars: int
    sentences: int
    source: Source
    error_pct: float | None
    tokens: int
    input_tokens: int
    most_tokens: int
    """The most the input can be; the same as `input_tokens` where its vocabulary is known."""
    output_tokens: int
    interval: tuple[int | None, int | None]
    largest_tokens: int
    """Of a single request."""
    answer_tokens: int
    """Of the longest answer."""
    premium: float | None
    by_bounds: dict[tuple[int, ...], list[PricedSlice]] = field(default_factory=dict)
    """The slices for price bounds that were asked for."""

    def slices(self, model: Model, answers: Answers) -> list[PricedSlice]:
        """Return the portions added up by the model's price tiers."""
        bounds = tuple(sorted({rule.up_to_input_tokens for rule in model.prices if rule.up_to_input_tokens is not None}))
        if bounds not in self.by_bounds:
            self.by_bounds[bounds] = _sliced(self.portions, bounds, answers)
        return self.by_bounds[bounds]


def group_up(
    reading: Reading, model: Model, english: Mapping[str, float], *, answers: Answers, cached_share: Decimal, by: By
) -> Mapping[str, RequestGroup]:
    """Add up the portions of each group, as models of this vocabulary, framing and picture rule read them, by group name."""
    every = portions(reading, model, answers=answers, cached_share=cached_share, by=by)
    ordered = sorted(every, key=lambda portion: portion.group)
    by_name = groupby(ordered, key=lambda portion: portion.group)
    return {name: _add_up(list(of_group), model.vocabulary, english) for name, of_group in by_name}


def _add_up(of_group: Sequence[Portion], vocabulary: str | None, english: Mapping[str, float]) -> RequestGroup:
    source, error_pct = _certainty(of_group)
    return RequestGroup(
        portions=of_group,
        chars=sum(p.piece.chars for p in of_group),
        sentences=sum(p.piece.sentences for p in of_group),
        source=source,
        error_pct=error_pct,
        tokens=sum(p.tally.tokens for p in of_group),
        input_tokens=sum(p.input_tokens for p in of_group),
        most_tokens=sum(p.most_tokens for p in of_group),
        output_tokens=sum(p.output_tokens for p in of_group),
        interval=_interval(of_group, vocabulary),
        largest_tokens=max((p.request_tokens for p in of_group), default=0),
        answer_tokens=max((p.answer_tokens for p in of_group), default=0),
        premium=_premium(of_group, vocabulary, english),
    )


def by_paths(reading: Reading) -> Iterator[Reading]:
    """Cut a reading into parts by its inputs' paths, in their order: what is added up for one part is given back before the next."""
    part: list[Input] = []
    for one in sorted(reading.inputs, key=lambda one: one.path):
        if len(part) >= _INPUTS_AT_ONCE and one.path != part[-1].path:
            yield replace(reading, inputs=tuple(part))
            part = []
        part.append(one)
    if part:
        yield replace(reading, inputs=tuple(part))


@dataclass(frozen=True, slots=True)
class PricedSlice:
    """The tokens of one group that one price tier covers."""

    request_tokens: int
    """Of any of its requests: it picks the rule."""
    usage: Usage


def _sliced(of_group: Sequence[Portion], bounds: Sequence[int], answers: Answers) -> list[PricedSlice]:
    """Add up portions by the price tier that their requests fall into."""
    sums: dict[int, list[int]] = {}
    for portion in of_group:
        for size, read, cached, written in _by_size(portion, answers):
            one = sums.setdefault(bisect_left(bounds, size), [0, 0, 0, 0])
            one[0] = max(one[0], size)
            one[1] += read
            one[2] += cached
            one[3] += written
    return [
        PricedSlice(size, Usage(input_uncached=read - cached, cache_read=cached, output_visible=written))
        for _, (size, read, cached, written) in sorted(sums.items())
    ]


def _by_size(portion: Portion, answers: Answers) -> Iterator[tuple[int, int, int, int]]:
    """Share a portion out among the sizes of its input's requests: size, input, cached and output tokens of each.

    A portion has the sizes of its whole input; the parts add up to it.
    """
    bands = portion.bands
    if len(bands) < 2:
        yield portion.request_tokens, portion.input_tokens, portion.cached_tokens, portion.output_tokens
        return
    places = sorted(bands)
    by_tokens, by_requests = [bands[one].tokens for one in places], [bands[one].requests for one in places]
    reads, cached = split(portion.input_tokens, by_tokens), split(portion.cached_tokens, by_tokens)
    written = split(portion.output_tokens, by_requests if answers.ratio is None else by_tokens)
    largest = places[-1]
    sizes = [portion.request_tokens if place == largest else SIZE_BOUNDS[place] for place in places]
    yield from zip(sizes, reads, cached, written, strict=True)


def _certainty(of_group: Sequence[Portion]) -> tuple[Source, float | None]:
    """Return where the counts come from, the least certain if several, and the error of the text in percent; None: unknown."""
    source, error_pct = _certainty_of_text(of_group)
    worst = max((p.media for p in of_group if p.media is not None), key=_DOUBTS.index, default=None)
    if worst is None or (worst is Source.RULE and source is Source.ESTIMATED):
        return source, error_pct
    if worst is Source.ESTIMATED or (worst is Source.AT_MOST and source is Source.ESTIMATED and error_pct is None):
        return Source.ESTIMATED, None  # nothing is sure to be the most where the text is a guess
    return worst, error_pct


_DOUBTS = (Source.RULE, Source.AT_MOST, Source.ESTIMATED, Source.AT_LEAST)
"""What pictures' tokens may be worth, the surest first."""


def _certainty_of_text(of_group: Sequence[Portion]) -> tuple[Source, float | None]:
    guessed = [p.tally for p in of_group if p.tally.source is Source.ESTIMATED]
    doubt = sum(p.doubt for p in of_group)
    if not guessed and not doubt:
        is_reported = any(p.tally.source is Source.REPORTED for p in of_group)
        return Source.REPORTED if is_reported else Source.COUNTED, None
    tokens = sum(p.text_tokens for p in of_group)
    errors = [tally.tokens * tally.error_pct for tally in guessed if tally.error_pct is not None]
    if len(errors) < sum(1 for tally in guessed if tally.tokens) or not tokens:
        return Source.ESTIMATED, None
    return Source.ESTIMATED, round((sum(errors) + 100 * doubt) / tokens, 1)


def _interval(of_group: Sequence[Portion], vocabulary: str | None) -> tuple[int | None, int | None]:
    """Add up the ends of the inputs' intervals; None where nothing was sampled. A part of an input has its pieces' own."""
    if all(p.tally.low is None and p.tally.high is None and not p.origin.intervals for p in of_group):
        return None, None
    ends: list[tuple[int, int]] = []
    for _, some in groupby(of_group, key=lambda portion: id(portion.origin)):
        parts = list(some)
        whole = parts[0].origin.intervals.get(vocabulary or "")
        if whole is None or len(parts) < len(parts[0].origin.pieces):
            ends += [part.interval for part in parts]
        else:
            framing = sum(part.input_tokens - part.tally.tokens for part in parts)
            ends.append((whole[0] + framing, whole[1] + framing))
    return sum(low for low, _ in ends), sum(high for _, high in ends)


def _premium(of_group: Sequence[Portion], vocabulary: str | None, english: Mapping[str, float]) -> float | None:
    value = premium((p.piece for p in of_group), vocabulary, english)
    return None if value is None else round(value, 4)
