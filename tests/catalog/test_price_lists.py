"""The catalog held against other people's price lists, and the comparison held against lists that are wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from deepsel.catalog import Catalog
from deepsel.catalog.files import read_data

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "prices"))
from compare import MAKERS, compare, notes
from lists import Asked, Listing, PriceList, genai, installed, litellm

IS_CI = bool(os.environ.get("CI"))  # read before the tests' environment is swept
PACKAGES = ("litellm", "genai-prices")
TODAY = datetime(2026, 11, 28, 9, tzinfo=UTC)
CATALOG = Catalog()


def _are_there(*packages: str) -> bool:
    """Look no further than the folder: reading the lists takes two seconds."""
    return all(next(distributions(name=package), None) is not None for package in packages)


@pytest.mark.skipif(not IS_CI and not _are_there(*PACKAGES), reason="needs `pip install --no-deps litellm genai-prices`")
def test_every_rate_agrees_with_the_newest_lists() -> None:
    """What litellm or genai-prices say otherwise is explained by a row of `differs.json`, or the catalog is wrong."""
    lists = installed()
    assert [one.name for one in lists] == list(PACKAGES), "a list is not installed"
    result = compare(CATALOG, lists, notes(), today=datetime.now(UTC))
    assert result.compared > 2_000
    assert not result.problems, "\n".join(result.problems)


def test_every_explanation_is_whole() -> None:
    """A row names an id of the catalog, a member, a list, figures as they are written, a reason and a day."""
    ids = {wire_id for row in read_data("models.json")["models"].values() for wire_id in (row["id"], *row.get("aliases", ()))}
    for row in notes():
        assert set(row) - {"tier"} == {"id", "member", "list", "theirs", "why", "checked"}
        assert row["id"] in ids
        assert row["list"] in PACKAGES
        assert len(row["why"]) > 40
        assert date.fromisoformat(row["checked"]) <= CATALOG.as_of


# --- the comparison ---------------------------------------------------------------------------------------------------


def one_list(wire_id: str, rates: Mapping[str, str], *, retires: date | None = None, tier: str = "standard") -> PriceList:
    """A list that knows one model of one price, at any size and hour."""
    told = Listing({member: Decimal(rate) for member, rate in rates.items()}, frozenset(), retires)
    return PriceList("litellm", "9.9", lambda asked: told if (asked.id, asked.tier) == (wire_id, tier) else None)


def problems(price_list: PriceList, *rows: Mapping[str, Any]) -> list[str]:
    return compare(CATALOG, [price_list], rows, today=TODAY).problems


def note(**changes: Any) -> dict[str, Any]:
    return {"id": "gpt-5-mini", "member": "output", "list": "litellm", "theirs": ["2.5"], "why": "", **changes}


def test_a_disagreement_names_the_field_both_figures_and_both_sources() -> None:
    """One line has all that is needed to look it up."""
    (line,) = problems(one_list("gpt-5-mini", {"input": "0.25", "output": "2.50"}))
    for words in ("gpt-5-mini `output`", "standard, 1,000 tokens", "the catalog has 2 (litellm 1.110.2; OpenAI", "litellm 9.9 has 2.5"):
        assert words in line


def test_a_row_explains_the_figure_it_names_alone() -> None:
    """Another figure of the same field fails again, and so does a row that explains nothing."""
    wrong = one_list("gpt-5-mini", {"output": "2.5"})
    assert problems(wrong, note()) == []
    for other in (note(theirs=["2.6"]), note(member="input"), note(list="genai-prices"), note(tier="batch"), note(id="gpt-5")):
        assert any("`output`" in line for line in problems(wrong, other))
    (stale,) = problems(one_list("gpt-5-mini", {"output": "2"}), note())
    assert "explains nothing any more" in stale


@pytest.mark.parametrize(
    ("wire_id", "rates", "tier"),
    [
        ("gpt-5-mini", {"cached_input": "0.3"}, "standard"),
        ("gpt-5.3-codex", {"input": "0.875"}, "batch"),
        ("gpt-5-mini", {"reasoning_output": "3"}, "standard"),
        ("mistral-large-latest", {"input": "2"}, "standard"),
        ("claude-opus-4-8", {"cache_write_long": "12"}, "standard"),
        ("claude-opus-4-8", {"input": "5"}, "batch"),
        ("qwen-turbo", {"reasoning_output": "0.2"}, "standard"),
    ],
)
def test_each_kind_of_rate_is_compared(wire_id: str, rates: Mapping[str, str], tier: str) -> None:
    """Cached input, writes, reasoning, tiers, other names, and what the catalog does not know at all."""
    (line,) = problems(one_list(wire_id, rates, tier=tier))
    assert f"{wire_id} `{next(iter(rates))}` ({tier}" in line


def test_what_means_the_same_agrees() -> None:
    """No charge is what an absent rate of writes means; reasoning at the price of output is what no rate of its own means."""
    assert problems(one_list("deepseek-flash", {"cache_write_short": "0"})) == []
    assert problems(one_list("gpt-5-mini", {"reasoning_output": "2"})) == []


def test_retirements_are_compared() -> None:
    """Another last day is a disagreement like another price."""
    (line,) = problems(one_list("gpt-5-mini", {"input": "0.25"}, retires=date(2027, 1, 1)))
    assert "`retires`" in line
    assert "the catalog has 2026-12-11" in line
    assert "litellm 9.9 has 2027-01-01" in line


def test_sizes_and_hours_are_asked_for() -> None:
    """Each bound of either side is asked about on both sides of it, and peak hours on a working day."""
    seen: set[tuple[str, int, str]] = set()

    def look_up(asked: Asked) -> Listing | None:
        seen.add((asked.id, asked.input_tokens, f"{asked.at:%a %H}"))
        return Listing({}, frozenset({50_000})) if asked.id == "gpt-5.5" else None

    compare(CATALOG, [PriceList("litellm", "1", look_up)], [], today=TODAY)
    assert {size for name, size, _ in seen if name == "gpt-5.5"} == {1_000, 50_000, 50_001, 272_000, 272_001}
    assert {when for name, _, when in seen if name == "deepseek-flash"} == {"Mon 02", "Mon 12"}
    assert set(MAKERS) <= {CATALOG.find_model(name).provider for name, _, _ in seen}


# --- the readers ------------------------------------------------------------------------------------------------------

ENTRIES = {
    "gpt-x": {
        "input_cost_per_token": 1e-06, "output_cost_per_token": "2e-06", "cache_read_input_token_cost": 1.1e-07,
        "input_cost_per_token_above_272k_tokens": 2e-06, "input_cost_per_token_batches": 5e-07,
        "cache_creation_input_token_cost_above_12hr": 2.5e-06, "deprecation_date": "2027-04-01",
        "input_cost_per_token_above_272k_tokens_batches": None, "search_context_cost_per_query": {"size": 0.01},
    },
    "dashscope/q": {"tiered_pricing": [
        {"range": [0, 32000.0], "input_cost_per_token": 1e-06}, {"range": [32000.0, 64000.0], "input_cost_per_token": 2e-06},
    ]},
    "deepseek/d": {"input_cost_per_token": 3e-07, "off_peak_pricing": {"input_cost_per_token": 1.5e-07, "windows": [
        {"weekdays": [1, 2, 3, 4, 5], "hours_utc": ["04:00-06:00", "10:00-00:00"]}, {"weekdays": [6, 7], "hours_utc": "00:00-00:00"},
    ]}},
}  # fmt: skip
TUESDAY = datetime(2026, 11, 24, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "member", "rate"),
    [
        (Asked("openai", "gpt-x", TUESDAY, 272_000), "input", "1"),
        (Asked("openai", "gpt-x", TUESDAY, 272_001), "input", "2"),
        (Asked("openai", "gpt-x", TUESDAY, 1), "output", "2"),
        (Asked("openai", "gpt-x", TUESDAY, 1), "cached_input", "0.11"),
        (Asked("openai", "gpt-x", TUESDAY, 1), "cache_write_long", "2.5"),
        (Asked("openai", "gpt-x", TUESDAY, 1, "batch"), "input", "0.5"),
        (Asked("openai", "gpt-x", TUESDAY, 1, "batch"), "output", None),
        (Asked("qwen", "q", TUESDAY, 32_000), "input", "1"),
        (Asked("qwen", "q", TUESDAY, 32_001), "input", "2"),
        (Asked("qwen", "q", TUESDAY, 64_001), "input", None),
        (Asked("deepseek", "d", TUESDAY, 1), "input", "0.3"),
        (Asked("deepseek", "d", TUESDAY.replace(hour=4), 1), "input", "0.15"),
        (Asked("deepseek", "d", TUESDAY.replace(hour=23), 1), "input", "0.15"),
        (Asked("deepseek", "d", TUESDAY.replace(day=28), 1), "input", "0.15"),
        (Asked("mistral", "q", TUESDAY, 1), "input", None),
    ],
)
def test_litellm_is_read(asked: Asked, member: str, rate: str | None) -> None:
    """Bounds belong to the lower tier, tiers by suffix or list, peak hours, one maker's entries alone."""
    found = litellm(json.dumps(ENTRIES), "1").look_up(asked)
    assert (found.rates.get(member) if found else None) == (Decimal(rate) if rate else None)


def test_litellm_tells_bounds_and_the_last_day() -> None:
    """Both stand beside the rates."""
    found = litellm(json.dumps(ENTRIES), "1").look_up(Asked("openai", "gpt-x", TUESDAY, 1))
    assert found is not None
    assert (found.bounds, found.retires) == (frozenset({272_000}), date(2027, 4, 1))


TABLE = """
providers: list[Provider] = [Provider(id='openai', models=[
    ModelInfo(id='a', match=ClauseOr(or_=[ClauseEquals(equals='a'), ClauseRegex(regex='^a-\\\\d+$')]), prices=[
        ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('9'))),
        ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2026, 11, 1)), prices=ModelPrice(
            input_mtok=TieredPrices(base=Decimal('1'), tiers=[Tier(start=200, price=Decimal('3'))]),
            cache_read_mtok=Decimal('0.1'), output_mtok=Decimal('2'))),
        ConditionalPrice(constraint=TimeOfDateConstraint(
            start_time=datetime.time(10, 0, tzinfo=datetime.timezone.utc), end_time=datetime.time(1, 0)),
            prices=ModelPrice(input_mtok=Decimal('0.5'))),
    ], price_variants=[PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(input_mtok=Decimal('0.7')), constraint=None)]),
])]
"""


@pytest.mark.parametrize(
    ("asked", "member", "rate"),
    [
        (Asked("openai", "a", TUESDAY, 200), "input", "1"),
        (Asked("openai", "a-7", TUESDAY, 201), "input", "3"),
        (Asked("openai", "a", TUESDAY, 1, "batch"), "input", "0.7"),
        (Asked("openai", "a", TUESDAY, 1, "batch"), "cached_input", "0.1"),
        (Asked("openai", "a", TUESDAY, 1, "flex"), "input", None),
        (Asked("openai", "a", TUESDAY.replace(hour=0), 1), "input", "0.5"),
        (Asked("openai", "a", TUESDAY.replace(month=10), 1), "input", "9"),
        (Asked("openai", "b", TUESDAY, 1), "input", None),
        (Asked("qwen", "a", TUESDAY, 1), "input", None),
    ],
)
def test_genai_prices_is_read(asked: Asked, member: str, rate: str | None) -> None:
    """The last price that is active holds, a variant lies over it, and a clause says which ids a model has."""
    found = genai(TABLE, "1").look_up(asked)
    assert (found.rates.get(member) if found else None) == (Decimal(rate) if rate else None)


@pytest.mark.parametrize(("old", "new"), [("StartDateConstraint(start_date", "Whenever(start_date"), ("ClauseEquals(", "ClauseLike(")])
def test_what_is_not_known_of_a_list_is_an_error(old: str, new: str) -> None:
    """A constraint or a clause of a new kind must not be passed over."""
    with pytest.raises(ValueError, match="is not known here"):
        genai(TABLE.replace(old, new), "1").look_up(Asked("openai", "a", TUESDAY, 1))
