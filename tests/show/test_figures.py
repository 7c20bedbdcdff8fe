"""Times, counts and sizes have three digits and a unit that fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepsel.show.durations import duration_text, seconds
from deepsel.show.numbers import count, percent, plain_number, short_count, size

UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (-1e-9, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.0123, "12.3 ms"),
        (0.0416, "41.6 ms"),
        (0.4123, "412 ms"),
        (0.9996, "1 s"),
        (1.25, "1.25 s"),
        (6.4, "6.4 s"),
        (119.4, "119 s"),
        (130.0, "2.17 min"),
        (300.0, "5 min"),
        (7200.0, "2 h"),
    ],
)
def test_a_time_has_three_digits_and_a_unit(value: float | None, text: str) -> None:
    """Milliseconds, seconds, minutes or hours, without zeros that say nothing."""
    assert seconds(value) == text


@given(st.floats(0.0001, 1e7))
def test_a_time_that_is_read_back_is_near(value: float) -> None:
    """No exponent, and less than a hundredth is lost (5 microseconds, where that is more)."""
    number, unit = seconds(value).split(" ")
    assert "e" not in number
    assert float(number) * UNITS[unit] == pytest.approx(value, rel=0.01, abs=5.1e-6)


@pytest.mark.parametrize(("value", "text"), [(0.5, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (172_800, "2d")])
def test_durations_are_shown_in_one_unit(value: float, text: str) -> None:
    """A length of time is shown in its largest whole unit, as it is typed."""
    assert duration_text(value) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (123_456, "123 kB"), (10**10, "10 GB")])
def test_bytes_have_a_unit_that_fits(number: int, text: str) -> None:
    """Three digits are enough."""
    assert size(number) == text


def test_counts_have_separators_or_a_unit() -> None:
    """Unknown has a sign of its own."""
    assert (count(1_234_567), count(None)) == ("1,234,567", "?")
    assert (short_count(999), short_count(12_345), short_count(1_500_000)) == ("999", "12.3k", "1.5M")
    assert (plain_number(123.4), plain_number(1.234), plain_number(None)) == ("123", "1.23", "-")
    assert (percent(0.256), percent(None)) == ("26%", "-")
