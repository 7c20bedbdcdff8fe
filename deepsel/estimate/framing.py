"""What stands around the text of a request, and how a whole number of tokens is shared out over its parts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from deepsel import tokens
from deepsel.values import Message, Model


@cache
def further_message_tokens(vocabulary: str | None) -> int:
    """Return what each message of a request after the first adds beside its content."""
    model = Model(name="", provider="", id="", vocabulary=vocabulary)
    one, two = (tokens.count_messages([Message.of("user", "")] * count, model).tokens for count in (1, 2))
    return two - one


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Share a whole number out in proportion to the weights, so that the parts add up to it."""
    whole = sum(weights)
    if not whole or len(weights) == 1:
        return [total, *[0] * (len(weights) - 1)]
    edges = [0]
    for weight in weights:
        edges.append(edges[-1] + weight)
    marks = [total * edge // whole for edge in edges]
    return [end - start for start, end in pairwise(marks)]
