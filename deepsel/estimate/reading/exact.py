"""Exact counts, as the provider itself gives them: which requests are asked about, and what their counts mean for an estimate.

A provider counts a request with its framing; the recorded framing is taken off again, so that a piece holds the text
alone as everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from deepsel.errors import DeepselError
from deepsel.estimate.pricing.portions import framing_of
from deepsel.estimate.reading.decode import NotText, open_file
from deepsel.estimate.reading.find import STDIN
from deepsel.estimate.reading.requests import prompts_in
from deepsel.estimate.records import Framing, Input, Piece, Reading, TokenCount
from deepsel.estimate.sharing import split
from deepsel.tokens import ModelReader, reader_of
from deepsel.values import Message, Model, Notice, Request, Source

MAX_CALLS = 500
"""Of one estimate: the endpoint has a rate limit; what is beyond keeps its offline count."""

Ask: TypeAlias = Callable[[Request], int]
"""Counts one request; raises DeepselError."""


def with_exact_counts(reading: Reading, model: Model, ask: Ask) -> Reading:
    """Return the reading with the counts of the model's vocabulary as its provider reports them.

    An input that cannot be asked about keeps its offline count, and a notice says why; after a failure that would meet
    every call no more are made.
    """
    vocabulary, calls, given_up = model.vocabulary, 0, ""
    if vocabulary is None:
        return reading
    inputs: list[Input] = []
    notices = list(reading.notices)
    for one in reading.inputs:
        reason = given_up or _why_not(one, calls)
        if not reason:
            try:
                counts = []
                for request in _requests(one):
                    counts.append(ask(request))
                    calls += 1
                inputs.append(_recounted(one, reader_of(model), counts))
                continue
            except NotText as error:
                reason = str(error)
            except DeepselError as error:
                given_up = reason = error.message
        inputs.append(one)
        notices.append(Notice("not_exact", f"`{one.path}` keeps its offline count for {model.name}: {reason}"))
    return Reading(tuple(inputs), reading.skipped, tuple(notices))


def _why_not(one: Input, calls: int) -> str:
    """Say why an input is not asked about; empty where it is."""
    if one.path == STDIN:
        return "standard input can be read only once"
    if one.read_share < 1:
        return "it was sampled"
    if not any(piece.chars for piece in one.pieces):
        return "it is empty"
    return f"more than {MAX_CALLS} requests" if calls + one.requests > MAX_CALLS else ""


def _requests(one: Input) -> Iterator[Request]:
    """Read an input again and yield each of its requests."""
    source = open_file(one.path)
    try:
        text = "".join(source.blocks())
    except OSError as error:
        raise NotText((error.strerror or str(error)).lower()) from error
    finally:
        source.close()
    prompts = prompts_in(text, one.path)
    yield from [Request((Message.of("user", text),))] if prompts is None else (prompt.request for prompt in prompts)


def _recounted(one: Input, reader: ModelReader, counts: Sequence[int]) -> Input:
    """Return the input with the reported count, shared out over its pieces as the offline one was.

    What the offline count adds to the texts of requests is taken off: it is added again where they are priced.
    """
    vocabulary = reader.vocabulary or ""
    framing = framing_of(one, reader)
    weights = [piece.tokens[vocabulary].tokens for piece in one.pieces]
    shares = split(max(0, sum(counts) - framing.tokens), weights)
    pieces = tuple(
        _with_tally(piece, vocabulary, TokenCount(share, Source.REPORTED))
        for piece, share in zip(one.pieces, shares, strict=True)
    )
    own = framing.tokens - framing_of(one, reader.of_text).tokens
    added = Framing(framing.tokens - own, 0, max(counts, default=0) - own // max(1, one.requests))
    return replace(one, pieces=pieces, framings={**one.framings, reader.of_text: added})


def _with_tally(piece: Piece, vocabulary: str, tally: TokenCount) -> Piece:
    return replace(piece, tokens={**piece.tokens, vocabulary: tally})
