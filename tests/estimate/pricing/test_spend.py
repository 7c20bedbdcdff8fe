"""The projection: sums, tiers, hours, batch, caches, windows, and what is unknown."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_builders import (
    AT,
    FRAMED,
    PEAK_HOURS,
    TIERED,
    counted,
    lines,
    model,
    piece,
    price,
    reading,
    readings,
    row,
    rows,
    text,
)

from deepsel.estimate.pricing import groups
from deepsel.estimate.pricing.portions import Answers
from deepsel.estimate.pricing.spend import Assumptions, cheapest, project
from deepsel.estimate.records import Reading, TokenCount
from deepsel.values import Provider, Source

ASSUMED = st.fixed_dictionaries(
    {
        "answers": st.one_of(
            st.builds(Answers, tokens=st.integers(0, 5000)),
            st.builds(Answers, ratio=st.decimals(0, 4, places=2)),
        ),
        "cached_share": st.decimals(0, 1, places=2),
    }
)


@settings(deadline=None)
@given(readings(), st.integers(1, 3))
def test_files_added_up_part_by_part_are_the_same(read: Reading, at_once: int) -> None:
    """Rows by file do not depend on how many files are added up at once."""
    models = [model("m", price("0.50", "2")), model("other", price("1"))]
    assumptions = Assumptions(AT, Answers(tokens=5), 1, Decimal(0))
    whole = project(read, models, providers={}, assumptions=assumptions, by="file")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "_INPUTS_AT_ONCE", at_once)
        assert project(read, models, providers={}, assumptions=assumptions, by="file") == whole
    assert [one.group for one in whole] == sorted(one.group for one in whole)


def test_input_alone_is_tokens_times_price() -> None:
    """Without answers, a million tokens cost the price of a million."""
    one = row(reading(text("a", piece(1_000_000))), model("m", price("0.50", "2")))
    assert (one.input_usd, one.output_usd, one.total_usd) == (Decimal("0.5"), 0, Decimal("0.5"))
    assert (one.input_tokens, one.output_tokens) == (1_000_000, 0)


def test_fixed_answers_are_added_for_each_request() -> None:
    """A fixed answer is written once a request."""
    asked = text("a.jsonl", piece(1000), requests=10)
    one = row(reading(asked), model("m", price("0", "10")), answers=Answers(tokens=50))
    assert one.output_tokens == 500
    assert one.total_usd == Decimal("0.005")


def test_a_ratio_makes_answers_of_the_input() -> None:
    """A ratio of a quarter writes a quarter of the input tokens."""
    one = row(reading(text("a", piece(1000))), model("m", price("0", "10")), answers=Answers(ratio=Decimal("0.25")))
    assert one.output_tokens == 250


def test_framing_is_added_for_each_request() -> None:
    """Ten requests carry ten framings and what a template writes beside their texts."""
    asked = lines("a.jsonl", piece(1000), requests=10, largest=200, framing_tokens=55)
    assert row(reading(asked), model("m", price("1"), framing_tokens=7)).input_tokens == 1000 + 10 * 7 + 55


def test_cached_share_is_charged_at_the_cached_price() -> None:
    """Four fifths of the input at a tenth of the price."""
    one = row(reading(text("a", piece(1_000_000))), model("m", price("1", cached="0.1")), cached_share=Decimal("0.8"))
    assert one.total_usd == Decimal("0.28")


def test_an_unstated_cached_price_is_bounded_and_said() -> None:
    """A share at a price nobody states is taken at that of input, and the row says so."""
    one = row(reading(text("a", piece(10))), model("m", price("1")), cached_share=Decimal("0.5"))
    assert one.total_usd == Decimal("0.00001")
    assert one.price_label == "standard; cached input at most, at the price of input"
    assert one.is_at_most


def test_a_tier_is_picked_by_the_largest_single_request() -> None:
    """Many small requests stay in the low tier whatever they add up to; one large request does not."""
    small = lines("s.jsonl", piece(400_000), requests=8, largest=50_000)
    large = text("l.txt", piece(400_000))
    assert row(reading(small), TIERED).total_usd == Decimal("0.4")
    assert row(reading(large), TIERED).total_usd == Decimal("1.2")
    assert row(reading(small, large), TIERED).total_usd == Decimal("1.6")


def test_a_tier_bound_is_inclusive_and_counts_the_framing() -> None:
    """The bound itself is the low tier; the framing can push a request over it."""
    at_bound = reading(text("a", piece(100_000)))
    framed = model("f", *TIERED.prices, framing_tokens=1)
    assert row(at_bound, TIERED).total_usd == Decimal("0.1")
    assert row(at_bound, framed).total_usd == Decimal("3") * 100_001 / 1_000_000


@pytest.mark.parametrize(("hour", "label", "total"), [(12, "peak", "2"), (3, "off-peak", "1")])
def test_prices_with_hours_show_both(hour: int, label: str, total: str) -> None:
    """The total is the price in force; peak and off peak are both shown at any hour."""
    hourly = model("m", price("2", label="peak", hours=PEAK_HOURS), price("1", label="off-peak"))
    one = row(reading(text("a", piece(1_000_000))), hourly, at=AT.replace(hour=hour))
    assert (one.total_usd, one.price_label) == (Decimal(total), label)
    assert (one.peak_usd, one.off_peak_usd) == (2, 1)


def test_prices_without_hours_show_no_peak() -> None:
    """A price that came into force at a date is no peak price."""
    dated = model("m", price("2", valid_from=AT), price("1"))
    one = row(reading(text("a", piece(1_000_000))), dated)
    assert (one.total_usd, one.peak_usd, one.off_peak_usd) == (2, None, None)


def test_the_price_is_the_one_at_the_given_time() -> None:
    """A price that begins at an instant holds from it on."""
    dated = model("m", price("2", valid_from=AT), price("1", valid_to=AT))
    read = reading(text("a", piece(1_000_000)))
    assert row(read, dated, at=AT).total_usd == 2
    assert row(read, dated, at=datetime.fromisoformat("2026-11-25T11:59:59+00:00")).total_usd == 1


def test_batch_is_shown_where_it_is_known() -> None:
    """The batch total is the model's multiplier on the standard one; None where the model has none."""
    read = reading(text("a", piece(1_000_000)))
    assert row(read, model("m", price("2"), service_tiers={"batch": Decimal("0.5")})).batch_usd == 1
    assert row(read, model("m", price("2"))).batch_usd is None


def test_a_host_surcharge_is_charged() -> None:
    """The multiplier of a provider applies to every price."""
    host = Provider(name="p", wire="openai-chat", base_url="", price_multiplier=Decimal("1.1"))
    (one,) = project(reading(text("a", piece(1_000_000))), [model("m", price("2"))], providers={"p": host}, assumptions=Assumptions(AT))
    assert one.total_usd == Decimal("2.2")


def test_an_unknown_price_is_none_with_its_reason_and_stands_last() -> None:
    """What cannot be priced is not zero, says why, and is sorted behind everything that can."""
    read = reading(text("a", piece(10)))
    found = rows(read, model("unpriced"), model("dear", price("9")), model("cheap", price("1")))
    assert [one.model for one in found] == ["cheap", "dear", "unpriced"]
    assert found[-1].total_usd is None
    assert found[-1].reason == "no price of unpriced is known"
    assert cheapest(found) == {"": "cheap"}


@pytest.mark.parametrize(
    ("limits", "fits"),
    [
        ({"context_window": 1100}, True),
        ({"context_window": 1099}, False),
        ({"max_input": 1000}, True),
        ({"max_input": 999}, False),
        ({}, None),
    ],
)
def test_the_largest_request_has_to_fit_with_its_answer(limits: dict[str, int], fits: bool | None) -> None:
    """The window holds prompt and answer, `max_input` the prompt alone; without a limit it is not known."""
    one = row(reading(text("a", piece(1000))), model("m", price("1"), **limits), answers=Answers(tokens=100))
    assert one.fits_window is fits


def test_a_model_whose_window_is_too_small_is_never_the_cheapest() -> None:
    """Cheap and too small is no choice."""
    read = reading(text("a", piece(1000)))
    small, large = model("small", price("1"), context_window=500), model("large", price("2"), context_window=5000)
    assert cheapest(rows(read, small, large)) == {"": "large"}


def test_an_uncounted_vocabulary_is_the_median_of_the_others_and_bounded_by_bytes() -> None:
    """A model of unknown vocabulary gets a labelled estimate whose error nobody knows, and a bound: a token a byte."""
    mixed = piece({"a": counted(100), "b": counted(110), "c": counted(150)})
    one = row(reading(text("a", mixed)), model("m", price("1"), vocabulary=None))
    assert (one.input_tokens, one.source) == (110, Source.ESTIMATED)
    assert one.error_pct is None
    assert one.most_usd == Decimal(mixed.size_bytes) / 10**6


def test_a_window_that_the_bytes_may_not_fit_is_not_known_to_be_large_enough() -> None:
    """Of an unknown vocabulary the estimate may fit where the most it can be does not."""
    mixed = reading(text("a", piece({"a": counted(100)})))  # 400 bytes
    for window, fits in ((99, False), (399, None), (400, True)):
        assert row(mixed, model("m", price("1"), vocabulary=None, context_window=window)).fits_window is fits


def test_errors_of_estimates_are_weighed_by_their_tokens() -> None:
    """Half of the tokens with an error of a tenth is an error of a twentieth."""
    guess = piece({"v": TokenCount(500, Source.ESTIMATED, 10.0)})
    one = row(reading(text("a", guess), text("b", piece(500))), model("m", price("1")))
    assert (one.source, one.error_pct) == (Source.ESTIMATED, 5.0)


def test_an_estimate_of_unknown_error_has_no_error() -> None:
    """Unknown is None, not nothing."""
    guess = piece({"v": TokenCount(500, Source.ESTIMATED)})
    assert row(reading(text("a", guess)), model("m", price("1"))).error_pct is None


def test_a_sample_keeps_its_interval() -> None:
    """The ends of the intervals of all parts are added up, framing included."""
    sampled = piece({"v": TokenCount(1000, Source.ESTIMATED, 2.0, 900, 1100)})
    one = row(reading(text("a", sampled), text("b", piece(10))), model("m", price("1"), framing_tokens=5))
    assert (one.input_tokens_low, one.input_tokens, one.input_tokens_high) == (920, 1020, 1120)


def test_a_sampled_input_has_an_interval_narrower_than_its_parts() -> None:
    """The whole has its input's interval, a language its pieces' own."""
    parts = [
        piece({"v": TokenCount(tokens, Source.ESTIMATED, 2.0, tokens - 50, tokens + 50)}, language=name)
        for name, tokens in (("en", 600), ("de", 400))
    ]
    read = reading(text("a", *parts, intervals={"v": (940, 1060)}))
    one = row(read, model("m", price("1"), framing_tokens=5))
    assert (one.input_tokens_low, one.input_tokens_high) == (945, 1065)
    german, english = rows(read, model("m", price("1")), by="language")
    assert (german.input_tokens_low, english.input_tokens_high) == (350, 650)


def test_costs_a_character_and_a_sentence_are_of_one_request() -> None:
    """Sending text more often does not make a character dearer."""
    read = reading(text("a", piece(1_000_000, chars=4_000_000, sentences=1000)))
    once, often = (row(read, model("m", price("2")), requests=times) for times in (1, 1000))
    assert once.usd_per_1k_chars == often.usd_per_1k_chars == Decimal("0.0005")
    assert once.usd_per_sentence == often.usd_per_sentence == Decimal("0.002")
    assert once.tokens_per_char == 0.25


def test_an_empty_file_costs_its_framing_and_divides_by_nothing() -> None:
    """No characters: no price a character, and no failure."""
    one = row(reading(text("a", piece(0, sentences=0))), model("m", price("1"), framing_tokens=6))
    assert (one.input_tokens, one.usd_per_1k_chars, one.usd_per_sentence, one.tokens_per_char) == (6, None, None, None)


def test_no_input_gives_no_rows() -> None:
    """Nothing read, nothing priced."""
    assert rows(Reading(()), TIERED) == ()


# --- properties -------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(readings(), ASSUMED)
def test_totals_are_additive_over_files_and_languages(read: Reading, assumed: dict[str, object]) -> None:
    """The rows of any grouping add up to the whole, exactly."""
    for one in (TIERED, FRAMED):
        whole = rows(read, one, **assumed)
        for by in ("file", "language"):
            parts = rows(read, one, by=by, **assumed)
            for name in ("input_tokens", "output_tokens", "total_usd", "input_usd", "output_usd"):
                assert sum(getattr(part, name) for part in parts) == sum(getattr(row_, name) for row_ in whole)


@settings(deadline=None)
@given(readings(least=1), ASSUMED, st.integers(1, 10**9))
def test_requests_multiply_exactly(read: Reading, assumed: dict[str, object], times: int) -> None:
    """N requests are N times one, to the last digit."""
    once, often = row(read, TIERED, **assumed), row(read, TIERED, requests=times, **assumed)
    assert once.total_usd is not None
    assert often.total_usd == times * once.total_usd
    assert often.input_tokens == times * once.input_tokens
    assert often.output_tokens == times * once.output_tokens


@settings(deadline=None)
@given(st.integers(0, 400_000), st.integers(0, 400_000), ASSUMED)
def test_more_tokens_never_cost_less(tokens: int, more: int, assumed: dict[str, object]) -> None:
    """The total is monotone in tokens, across the bound of a tier too."""
    costs = [row(reading(text("a", piece(count))), TIERED, **assumed).total_usd for count in (tokens, tokens + more)]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[0] <= costs[1]


@settings(deadline=None)
@given(readings(least=1), st.lists(st.one_of(st.none(), st.decimals(0, 50, places=3)), min_size=1, max_size=6))
def test_the_cheapest_is_the_minimum_of_known_totals(read: Reading, prices: list[Decimal | None]) -> None:
    """In every group, no model of known price is cheaper than the cheapest; without one there is none."""
    models = [model(f"m{number}", *([] if one is None else [price(str(one))])) for number, one in enumerate(prices)]
    for by in ("model", "file", "language"):
        found = rows(read, *models, by=by)
        best = cheapest(found)
        for group in {one.group for one in found}:
            known = {one.model: one.total_usd for one in found if one.group == group and one.total_usd is not None}
            assert (known[best[group]] == min(known.values())) if known else group not in best
