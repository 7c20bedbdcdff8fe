"""The premium of a language over English."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from pricing_builders import counted, piece, reading, text

from deepsel.estimate.pricing.premium import english_rates, premium, premiums

TABLE = json.loads(files("deepsel.estimate").joinpath("data/density.json").read_text("utf-8"))
RATES = TABLE["english_tokens_per_char"]
ENGLISH = RATES["o200k_base"]


def of(language: str, tokens: int, chars: int) -> float | None:
    return premium([piece({"o200k_base": counted(tokens)}, language=language, chars=chars)], "o200k_base", RATES)


def test_english_of_usual_density_has_no_premium() -> None:
    """Text with as many tokens a character as the English reference is at 1."""
    assert of("en", round(100_000 * ENGLISH), 100_000) == pytest.approx(1, abs=0.01)


def test_the_same_content_is_compared_not_the_same_length() -> None:
    """Chinese says the same in a quarter of the characters, so four times the tokens a character is no premium."""
    density = TABLE["ratios"]["zh"]
    assert of("zh", round(100_000 * ENGLISH / density), 100_000) == pytest.approx(1, abs=0.01)


def test_what_has_no_known_length_has_no_premium() -> None:
    """Program text, an unknown language, an uncounted vocabulary: unknown, not 1."""
    assert of("code", 10, 10) is None
    assert of("xx", 10, 10) is None
    assert premium([piece(10)], "v", RATES) is None
    assert premium([piece(10)], None, RATES) is None


def test_english_that_was_read_is_the_measure_where_there_is_enough() -> None:
    """Dense English text makes its own scale; a line of it does not."""
    for chars, expected in ((999, ENGLISH), (1000, 0.5)):
        read = reading(text("a", piece({"o200k_base": counted(chars // 2)}, chars=chars)))
        assert english_rates(read)["o200k_base"] == expected


def test_a_table_of_all_languages_leaves_the_unknown_out() -> None:
    """Each language of known length has a row, the dearest first."""
    tallies = {"o200k_base": counted(50)}
    parts = [piece(tallies, language=name, chars=chars) for name, chars in (("de", 20), ("code", 99), ("th", 10))]
    assert list(premiums(reading(text("a", *parts)))) == ["th", "de"]
