"""Refreshing prices: each list is read in its own unit, numbers change and conditions stay, and mistakes stand out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.catalog.overlay import overlaid, read_overlay, write_overlay
from deepsel.catalog.refresh import Refresh, compare
from deepsel.catalog.refresh_sources import Offer, list_urls, read_offers
from deepsel.catalog.rows import model_from

CATALOG = Catalog()

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
FLASH = {"input_cost_per_token": 3e-07, "output_cost_per_token": 1.2e-06, "cache_read_input_token_cost": 6e-09}
OFF_PEAK = {"input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "cache_read_input_token_cost": 3e-09}


def _litellm(**entries: dict[str, Any]) -> dict[str, Any]:
    return {"sample_spec": {"litellm_provider": "any"}, **entries}


def _compare(document: dict[str, Any]) -> Refresh:
    source, offers = read_offers(document)
    return compare(CATALOG.model_rows, offers, source=source, at=AT)


def _flash(peak_input: float, off_peak_input: float) -> dict[str, Any]:
    off_peak = {**OFF_PEAK, "input_cost_per_token": off_peak_input, "windows": [{"hours_utc": "10:00-01:00"}]}
    entry = {**FLASH, "input_cost_per_token": peak_input, "litellm_provider": "deepseek", "off_peak_pricing": off_peak}
    return _litellm(**{"deepseek/deepseek-flash": entry})


def _one(offers: list[Offer]) -> Offer:
    (offer,) = offers
    return offer


def test_units_of_each_list() -> None:
    """Per token as number or text, and per million: the same price in every list's own unit reads the same."""
    lists: list[dict[str, Any]] = [
        _litellm(**{"gpt-x": {"litellm_provider": "openai", "input_cost_per_token": "2.5e-06", "output_cost_per_token": 1e-05}}),
        {"openai": {"models": {"gpt-x": {"cost": {"input": 2.5, "output": 10}}}}},
        {"data": [{"id": "openai/gpt-x", "pricing": {"prompt": "0.0000025", "completion": "0.00001"}}]},
        {"data": {"list": [{"model_id": "1", "short_id": "gpt-x", "input_price": "2.5", "output_price": "10"}]}},
    ]
    for document in lists:
        offer = _one(read_offers(document)[1])
        assert offer.bands[0].rates == {"input": Decimal("2.5"), "output": Decimal(10)}


@pytest.mark.parametrize("price", [None, "free", -1, True, float("nan")])
def test_unknown_is_not_free(price: Any) -> None:
    """A price that is absent, junk or negative makes no offer."""
    entry = {"litellm_provider": "openai", "input_cost_per_token": price, "output_cost_per_token": 1e-6}
    assert read_offers(_litellm(**{"gpt-x": entry}))[1] == []


def test_other_hosts_prices_are_not_taken() -> None:
    """The same model resold elsewhere says nothing of its maker's price."""
    entries = {name: {**FLASH, "litellm_provider": name.split("/")[0]} for name in ("azure/gpt-x", "bedrock/claude-x")}
    assert read_offers(_litellm(**entries))[1] == []


def test_peak_and_off_peak_keep_their_conditions() -> None:
    """New numbers go to the right rows; hours, weekdays and holidays stay, and the past keeps its prices."""
    found = _compare(_flash(3.6e-07, 1.8e-07))
    assert [(one.label, one.member, one.old, one.new) for one in found.changes] == [
        ("peak", "input", Decimal("0.30"), Decimal("0.36")),
        ("off-peak", "input", Decimal("0.15"), Decimal("0.18")),
    ]
    raw = overlaid(dict(CATALOG.model_rows), {"models": found.rows})["deepseek-flash"]  # type: ignore[arg-type]
    model = model_from({key: value for key, value in raw.items() if key != "regional_multiplier"}, "deepseek-flash")

    def input_at(*day: int) -> Decimal | None:
        rule = catalog.rule_at(model, at=datetime(*day, tzinfo=UTC), input_tokens=10)  # type: ignore[misc, arg-type]
        return rule.input if rule else None

    assert (input_at(2026, 12, 2, 2), input_at(2026, 12, 2, 5)) == (Decimal("0.36"), Decimal("0.18"))
    assert input_at(2026, 12, 5, 2) == Decimal("0.18"), "Saturday"
    assert input_at(2026, 11, 24, 2) == Decimal("0.30"), "before the refresh"


def test_confirmed_prices_are_dated() -> None:
    """A list that agrees changes no number, and the rows in force carry its day."""
    found = _compare(_flash(3e-07, 1.5e-07))
    assert (found.changes, found.unchanged) == ((), ("deepseek-flash",))
    assert {row["checked"] for row in found.rows["deepseek-flash"]["prices"][:2]} == {"2026-12-01"}


def test_flat_lists_do_not_flatten() -> None:
    """A list without hours or tiers confirms a price it knows, and is set aside where it says another."""
    right = _compare({"deepseek": {"models": {"deepseek-flash": {"cost": {"input": 0.15, "output": 0.6}}}}})
    assert right.unchanged == ("deepseek-flash",)
    wrong = _compare({"deepseek": {"models": {"deepseek-flash": {"cost": {"input": 0.2, "output": 0.6}}}}})
    assert list(wrong.kept) == ["deepseek-flash"]
    assert (wrong.changes, wrong.rows) == ((), {})


def test_tiers_of_both_forms() -> None:
    """Tiers by suffix and by list both go to the row of their bound."""
    suffix = {
        "litellm_provider": "anthropic", "input_cost_per_token": 1e-07, "output_cost_per_token": 5e-07,
        "input_cost_per_token_above_100k_tokens": 6e-07, "output_cost_per_token_above_100k_tokens": 2.5e-06,
    }  # fmt: skip
    tiers = [
        {"range": [0, 256000], "input_cost_per_token": 5e-08, "output_cost_per_token": 4e-07},
        {"range": [256000, 1000000], "input_cost_per_token": 3e-07, "output_cost_per_token": 2e-06},
    ]
    entries = {"claude-haiku-5-5": suffix, "dashscope/qwen-flash": {"litellm_provider": "dashscope", "tiered_pricing": tiers}}
    changes = {(one.model, one.old, one.new) for one in _compare(_litellm(**entries)).changes}
    assert changes == {
        ("claude-haiku-5-5", Decimal("0.50"), Decimal("0.6")),
        ("qwen-flash", Decimal("0.25"), Decimal("0.3")),
    }


@pytest.mark.parametrize(("price", "is_suspicious"), [(3e-06, False), (3.1e-06, True), (2e-08, True), (0, True), (4e-08, False)])
def test_more_than_tenfold_stands_out(price: float, is_suspicious: bool) -> None:
    """A price that moves more than tenfold either way, or to nothing, is marked."""
    found = _compare(_flash(price, 1.5e-07))
    assert bool(found.suspicious) is is_suspicious


def test_a_gateways_list_is_measured_by_the_makers_prices() -> None:
    """Every model of a gateway gets a row of its own; a wrong unit shows against the maker's price."""
    rows = [{"id": "openai/gpt-4o", "pricing": {"prompt": "0.0000025", "completion": "0.00001"}, "context_length": 9}]
    found = _compare({"data": rows})
    row = found.rows["openrouter/openai/gpt-4o"]
    assert (row["like"], row["prices"][0]["input"]) == ("gpt-4o", "2.5")
    assert found.suspicious == ()
    wrong = {"data": {"list": [{"short_id": "gpt-4o", "input_price": 0.0000025, "output_price": 0.00001}]}}
    assert len(_compare(wrong).suspicious) == 2


@pytest.mark.parametrize("document", [{}, [], "text", {"data": 3}, {"a": {"b": 1}}])
def test_unknown_shapes_are_refused(document: Any) -> None:
    """What is no known list is said to be none."""
    with pytest.raises(ValueError, match="neither"):
        read_offers(document)


def test_overlay_gives_way_to_a_newer_catalog(tmp_path: Path) -> None:
    """The file counts until a release brings prices that were read later; a broken one counts as none."""
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"as_of": "2026-12-01", "models": {"a": {}}}))
    assert read_overlay(path, newer_than=date(2026, 12, 1))["models"] == {"a": {}}
    assert read_overlay(path, newer_than=date(2026, 12, 2)) == {}
    for broken in ("", "{", "[1]", '{"as_of": 3}', '{"as_of": "2027-01-01", "models": 3}'):
        path.write_text(broken)
        assert read_overlay(path, newer_than=date(2026, 1, 1)) == {}
    assert read_overlay(tmp_path / "none", newer_than=date(2026, 1, 1)) == {}


def test_a_later_refresh_lies_over_an_earlier_one(tmp_path: Path) -> None:
    """Rows of both stay, the later of each, in a private file of a private folder; a newer catalog drops the earlier ones."""
    path = tmp_path / "data" / "prices.json"
    old = date(2026, 11, 1)
    write_overlay(path, {"a": {"id": "1"}, "b": {"id": "1"}}, at=AT, newer_than=old)
    write_overlay(path, {"b": {"id": "2"}}, at=AT, newer_than=old)
    assert read_overlay(path, newer_than=old)["models"] == {"a": {"id": "1"}, "b": {"id": "2"}}
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    write_overlay(path, {"c": {"id": "3"}}, at=AT, newer_than=date(2026, 12, 2))
    assert read_overlay(path, newer_than=old)["models"] == {"c": {"id": "3"}}


def test_each_list_has_an_address() -> None:
    """The lists that can be named are at addresses that nobody can change on the way."""
    urls = list_urls()
    assert set(urls) == {"litellm", "models.dev", "openrouter", "tokenmix"}
    assert all(url.startswith("https://") for url in urls.values())


def test_a_figure_that_is_known_to_be_wrong_is_not_taken_over() -> None:
    """Where `differs.json` says why the catalog says otherwise, a refresh keeps the catalog's figure and takes the rest."""
    tiers = [
        {"range": [low, high], "input_cost_per_token": price, "output_cost_per_token": 5 * price, "cache_read_input_token_cost": read}
        for low, high, price, read in [
            (0, 32_000, 1e-06, 1e-07), (32_000, 128_000, 1.8e-06, 1.8e-07),
            (128_000, 256_000, 3e-06, 3e-07), (256_000, 1_000_000, 6e-06, 7e-07),
        ]
    ]  # fmt: skip
    tiers[3]["output_cost_per_token"] = 6e-05
    found = _compare(_litellm(**{"dashscope/qwen3-coder-plus": {"litellm_provider": "dashscope", "tiered_pricing": tiers}}))
    assert [(one.member, one.old, one.new) for one in found.changes] == [("cached_input", Decimal("1.2"), Decimal("0.7"))]


def test_prices_of_tiers_end_with_the_price_they_rest_on() -> None:
    """When the standard price changes, a tier's own row no longer holds, nor does what the maker had promised."""
    entry = {"litellm_provider": "openai", "input_cost_per_token": 3e-06, "output_cost_per_token": 8e-06}
    row = {**CATALOG.model_rows["gpt-4.1"], **_compare(_litellm(**{"gpt-4.1": entry})).rows["gpt-4.1"]}
    model = model_from(row, "gpt-4.1")
    assert catalog.rule_at(model, at=AT, input_tokens=1, service_tier="batch") is None
    found = catalog.rule_at(model, at=AT, input_tokens=1)
    assert found is not None
    assert found.input == 3
    sol = {"litellm_provider": "openai", "input_cost_per_token": 5e-06, "output_cost_per_token": 2e-05,
           "input_cost_per_token_above_272k_tokens": 8e-06, "output_cost_per_token_above_272k_tokens": 3e-05}  # fmt: skip
    renewed = _compare(_litellm(**{"gpt-5.6-sol": sol})).rows["gpt-5.6-sol"]["prices"]
    assert ["guaranteed_until" in one for one in renewed] == [False, False, True, True]
