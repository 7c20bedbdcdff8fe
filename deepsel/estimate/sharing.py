"""How a whole number of tokens is shared out over the parts of a text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


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
