"""Values of options: what is within bounds is read exactly, everything else is a usage error that names the option."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.cli import checked
from deepsel.errors import UsageError

AMOUNTS = st.decimals(0, 10**6, allow_nan=False, places=6)


@given(AMOUNTS, st.sampled_from(["", "$"]))
def test_money_is_read_exactly(amount: Decimal, sign: str) -> None:
    """An amount of USD keeps every digit, with the sign before it or without."""
    assert checked.money("--x", f"{sign}{amount:f}") == amount


@given(st.decimals(0, 1, places=4))
def test_a_share_is_a_percentage(value: Decimal) -> None:
    """A share and the same share in percent are one."""
    assert checked.share("--x", f"{value:f}") == checked.share("--x", f"{100 * value:f}%") == value


@given(st.integers(), st.integers(-100, 100), st.integers(0, 100))
def test_a_count_is_within_its_bounds(value: int, least: int, span: int) -> None:
    """A whole number is taken if it is in the range, else refused with its bounds."""
    most = least + span
    if least <= value <= most:
        assert checked.count("--x", value, least=least, most=most) == value
    else:
        with pytest.raises(UsageError, match=f"`--x` takes a whole number from {least} to {most}"):
            checked.count("--x", value, least=least, most=most)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (lambda text: checked.percent("--x", text, most=1000), "12.5%", 12.5),
        (lambda text: checked.percent("--x", text, most=1000), " 7 ", 7.0),
        (lambda text: checked.seconds("--x", text, least=0.01, most=86_400), "0.5", 0.5),
        (lambda text: checked.seconds("--x", text, least=0.01, most=86_400), "5m", 300.0),
        (lambda text: checked.instant("--x", text), "2026-12-01T09:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        (lambda text: checked.instant("--x", text), "2026-12-01T09:00+08:00", datetime(2026, 12, 1, 1, tzinfo=UTC)),
        (lambda text: checked.one_of("--x", text, ("a", "b")), "b", "b"),
    ],
)
def test_a_value_is_read(read: Any, text: str, value: object) -> None:
    """Percents, seconds, times and words mean what they say."""
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((lambda text: checked.money("--x", text), text) for text in ("", "-1", "NaN", "inf", "1,5", "$$1", "ten")),
        *((lambda text: checked.number("--x", text), text) for text in ("", "-1", "NaN", "inf", "1e16", "ten")),
        *((lambda text: checked.share("--x", text), text) for text in ("1.01", "101%", "-1%", "%", "half")),
        *((lambda text: checked.percent("--x", text, most=1000), text) for text in ("", "%", "-1%", "1001", "nan", "ten")),
        *((lambda text: checked.seconds("--x", text, least=0.01, most=60), text) for text in ("0", "61", "2m", "nan", "inf")),
        *((lambda text: checked.instant("--x", text), text) for text in ("", "noon", "2026-13-01", "0001-01-01T00:00+09:00")),
        *((lambda text: checked.one_of("--x", text, ("a", "b")), text) for text in ("", "A", "c")),
    ],
)
def test_a_wrong_value_names_its_option(read: Any, text: str) -> None:
    """What cannot be read, or is out of bounds, is refused by the option's name."""
    with pytest.raises(UsageError, match="`--x`"):
        read(text)
