"""A dollar has one spelling: never an exponent, never zero unless it is, two decimals at least."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.show.money import decimal_text, exact_usd, per_million, signed_usd, usd

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18)
DOLLARS = re.compile(r"-?\$(0|[1-9]\d{0,2}(,\d{3})*)\.\d\d(\d*[1-9])?")


def _number(text: str) -> Decimal:
    return Decimal(text.replace("$", "").replace(",", ""))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "unknown"),
        ("0", "$0"),
        ("0.000251", "$0.000251"),
        ("0.0000001", "$0.0000001"),
        ("1E-7", "$0.0000001"),
        ("0.00000012346", "$0.0000001235"),
        ("0.00123", "$0.00123"),
        ("0.05", "$0.05"),
        ("0.5000", "$0.50"),
        ("0.1234567", "$0.1235"),
        ("0.99999", "$1.00"),
        ("12", "$12.00"),
        ("12.346", "$12.35"),
        ("1234567.5", "$1,234,567.50"),
        ("1E+30", "$1" + ",000" * 10 + ".00"),
        ("-0.002", "-$0.002"),
    ],
)
def test_money_has_four_significant_digits_and_the_cent(amount: str | None, shown: str) -> None:
    """Small amounts stay visible, large ones readable, unknown is a word, zero is zero."""
    assert usd(None if amount is None else Decimal(amount)) == shown


@given(AMOUNTS)
def test_money_is_never_written_with_an_exponent(amount: Decimal) -> None:
    """Whatever the amount, it is a sign, dollars in threes, two decimals, and no zero after them that says nothing."""
    assert DOLLARS.fullmatch(usd(amount)) or usd(amount) == "$0"
    assert DOLLARS.fullmatch(exact_usd(amount)) or exact_usd(amount) == "$0"


@given(AMOUNTS)
def test_rounded_money_is_near_and_exact_money_is_exact(amount: Decimal) -> None:
    """A figure is off by less than half of its fourth digit or of a cent; where a limit is named by nothing."""
    assert _number(exact_usd(amount)) == amount
    assert abs(_number(usd(amount)) - amount) <= max(Decimal("0.0005") * abs(amount), Decimal(0))
    assert (usd(amount) == "$0") == (amount == 0)


@given(AMOUNTS, AMOUNTS)
def test_order_survives_rounding(one: Decimal, other: Decimal) -> None:
    """What is dearer is never shown as cheaper."""
    assert (_number(usd(one)) <= _number(usd(other))) or one > other


@given(AMOUNTS)
def test_a_record_has_every_digit(amount: Decimal) -> None:
    """What a program reads is the amount itself, as it was given and without an exponent."""
    assert Decimal(decimal_text(amount)) == amount
    assert "E" not in decimal_text(amount)


def test_differences_have_a_sign_and_prices_no_unit() -> None:
    """Growth has a plus, nothing has none; a price per million stands in a column that names its unit."""
    assert [signed_usd(Decimal(amount)) for amount in ("0.0015", "-0.0015", "0")] == ["+$0.0015", "-$0.0015", "$0"]
    assert [per_million(price) for price in (Decimal("0.150"), Decimal("10"), Decimal("1E-7"), None)] == ["0.15", "10", "0.0000001", "-"]
    assert decimal_text(None) == ""
