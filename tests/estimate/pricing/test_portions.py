"""Shares of whole numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deepsel.estimate.sharing import split


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_shares_add_up_and_are_within_one_of_their_due(total: int, weights: list[int]) -> None:
    """Nothing is lost or made by sharing out, and no share is a whole unit from its exact part."""
    shares = split(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    if whole:
        assert all(abs(share * whole - total * weight) < whole for share, weight in zip(shares, weights, strict=True))


def test_without_weights_the_first_takes_all() -> None:
    """An input of empty pieces still has its framing."""
    assert split(7, [0, 0]) == [7, 0]
