"""The one reader of amounts from outside: in range, in ASCII, and no more exact than a store."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.dollars import MOST_USD, read_usd
from deepsel.storage.amounts import is_amount, picousd, usd

ODD = [
    *(-1, -0.5, True, None, [], {}, b"1", float("nan"), float("inf"), MOST_USD + 1, 1e20, 2**4000),
    *("", "-5", "+5", "1_000", "٣", "１", "1e999999", "1e7", "NaN", "inf", "1,5", "0x10", "$", "1" * 100, "1 2"),
]


@pytest.mark.parametrize("value", ODD, ids=lambda one: repr(one)[:20])
def test_what_is_no_amount_is_none(value: Any) -> None:
    """Negative, endless, huge, of other digits or types: none of it is money."""
    assert read_usd(value) is None


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        *((0, "0"), (3, "3"), ("0.05", "0.05"), (" $1.20 ", "1.20"), (2.5e-07, "2.5e-7"), ("1e3", "1000"), (MOST_USD, "1000000")),
        *((0.1 + 0.2, "0.3"), ("0.1e-99", "0"), ("0.0000000000012", "0.000000000001")),
    ],
)
def test_an_amount_keeps_twelve_decimals(value: Any, amount: str) -> None:
    """What was written stays, noise of floats goes; where it has to be exact, more decimals are no amount."""
    found = read_usd(value)
    assert found == Decimal(amount)
    assert read_usd(value, is_exact=True) == (None if Decimal(str(value).strip(" $")) != Decimal(amount) else found)


@given(st.text() | st.floats() | st.integers() | st.decimals().map(str))
def test_every_amount_fits_a_store(value: Any) -> None:
    """Whatever is read can be kept, and comes back as it was; what is too large is kept as the most there is."""
    found = read_usd(value)
    assert found is None or (is_amount(picousd(found)) and usd(picousd(found)) == found)
    assert is_amount(picousd(Decimal(10) ** 30))
