"""Text from outside is harmless on a terminal, and unchanged in a pipe."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cli.durations import seconds
from deepsel.cli.money import count, per_million, usd
from deepsel.cli.terminal import plain

KEPT = {"\n", "\t"}


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    """Nothing that a terminal obeys is left, whatever the text."""
    assert not [c for c in plain(text) if unicodedata.category(c) == "Cc" and c not in KEPT]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("\x9b2J", "\ufffd2J"),
        ("a\rb", "a␍b"),
        ("a\r\nb", "a\nb"),
        ("if \u202e} ⁦", "if } ⁦"),
        ("žluťoučký 你好 🙂 مرحبا", "žluťoučký 你好 🙂 مرحبا"),
    ],
)
def test_controls_are_pictures(text: str, shown: str) -> None:
    """Escape sequences are shown, not obeyed; ordinary text of any script is untouched."""
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "unknown"),
        ("0", "$0"),
        ("0.000251", "$0.00025"),
        ("0.0000001", "$0.0000001"),
        ("0.05", "$0.05"),
        ("0.1234567", "$0.1235"),
        ("12", "$12.00"),
        ("1234567.5", "$1,234,567.50"),
    ],
)
def test_amounts_read_well(amount: str | None, shown: str) -> None:
    """Small amounts keep two significant digits, unknown is a word, zero is zero."""
    assert usd(None if amount is None else Decimal(amount)) == shown


@given(st.decimals(min_value=0, max_value=10**6, places=12))
def test_no_amount_looks_like_zero_but_zero(amount: Decimal) -> None:
    """An amount above zero is never shown as $0."""
    assert (usd(amount) == "$0") == (amount == 0)
    assert amount == 0 or any(digit in usd(amount) for digit in "123456789")


def test_counts_prices_and_durations() -> None:
    """Numbers have separators, unknown has a sign, durations a unit that fits."""
    assert (count(1234567), count(None)) == ("1,234,567", "?")
    assert (per_million(Decimal("0.150")), per_million(Decimal("10")), per_million(None)) == ("0.15", "10", "-")
    assert (seconds(0.0416), seconds(1.94), seconds(300.0), seconds(None)) == ("42 ms", "1.9 s", "5 min", "?")
