"""Rows of JSON or TOML become records, or an error that names the member."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog, RowError, model_from, price_rules_from, provider_from
from deepsel.errors import ErrorClass
from deepsel.values import ErrorRule, HourWindow

CATALOG = Catalog()


def test_a_provider_of_the_users_own() -> None:
    """A row on top of a wire's generic row inherits what it does not say."""
    data = tomllib.loads("""
        wire = "anthropic-messages"
        base_url = "http://127.0.0.1:8000/"
        api_key_env = "LOCAL_KEY"
        headers = { x-team = "docs" }
        price_multiplier = "1.2"
        error_rules = [{ status = 418, error_class = "billing" }]
    """)
    provider = provider_from(data, "local", base=catalog.generic_provider("anthropic-messages"))
    assert (provider.name, provider.base_url, provider.api_key_env) == ("local", "http://127.0.0.1:8000", "LOCAL_KEY")
    assert (provider.auth, provider.seed_field, provider.headers) == ("both", None, {"x-team": "docs"})
    assert provider.price_multiplier == Decimal("1.2")
    assert provider.error_rules == (ErrorRule(ErrorClass.BILLING, status=418),)


def test_an_empty_text_means_none_where_none_is_possible() -> None:
    """TOML has no null: an empty text takes a key variable or a seed field away."""
    provider = provider_from({"api_key_env": "", "seed_field": ""}, "openai", base=CATALOG.providers["openai"])
    assert (provider.api_key_env, provider.seed_field) == (None, None)


def test_a_model_of_the_users_own() -> None:
    """Each member of the documented example is read into its field."""
    data = tomllib.loads("""
        provider = "local"
        id = "gpt-x"
        context_window = 32000
        max_output = 4096
        vocabulary = "o200k_base"
        price = { input = "0.15", cached_input = 0.003, output = 1 }
        capability = { code = 0.7, chat = 1 }
        latency = { ttft_s = 0.8, tokens_per_s = 60 }
        params = { temperature = 0 }
        retires = 2027-01-01
        features = ["tools"]
        service_tiers = { batch = "0.5" }
    """)
    model = model_from(data, "quick", source="profiles.toml")
    assert (model.name, model.id, model.context_window, model.params) == ("quick", "gpt-x", 32000, {"temperature": 0})
    assert model.capability == {"code": 0.7, "chat": 1.0}
    assert (model.retires, model.features) == (date(2027, 1, 1), {"tools"})
    (rule,) = model.prices
    assert (rule.input, rule.cached_input, rule.output) == (Decimal("0.15"), Decimal("0.003"), Decimal(1))
    assert rule.source == "profiles.toml"
    assert model_from({"provider": "local"}, "bare").id == "bare"


def test_an_override_keeps_the_rest() -> None:
    """On top of a catalog row, a member replaces its own; single tasks of the capability too."""
    base = CATALOG.find_model("deepseek-flash")
    model = model_from({"capability": {"creative": 0.9}, "max_output": 10}, "deepseek-flash", base=base)
    assert model.capability == {**base.capability, "creative": 0.9}
    assert (model.max_output, model.prices, model.id) == (10, base.prices, base.id)


def test_a_moved_model_loses_its_prices() -> None:
    """At another provider, or under an id that is not the row's, the catalog's prices are not known to hold."""
    base = CATALOG.find_model("mistral-small-2603")
    moved = model_from({"provider": "local"}, "mistral-small-2603", base=base)
    assert (moved.prices, moved.service_tiers, moved.is_default) == ((), {}, False)
    assert (moved.context_window, moved.id) == (base.context_window, base.id)
    assert model_from({"id": "mistral-small-2709"}, "mistral-small-2603", base=base).prices == ()
    assert model_from({"id": "mistral-small-latest"}, "mistral-small-2603", base=base).prices == base.prices
    priced = model_from({"provider": "local", "price": {"input": "1", "output": "1"}}, "m", base=base)
    assert priced.prices[0].input == Decimal(1)


def test_a_list_of_price_rules() -> None:
    """Every condition of a rule can be written, with TOML's dates or with text."""
    data = tomllib.loads("""
        [[prices]]
        input = "1"
        output = "2"
        label = "peak"
        hours = ["01:00-04:00", "22:30-24:00"]
        weekdays = [1, 5]
        not_on = "china"
        valid_from = 2026-11-24T16:00:00Z
        valid_to = 2027-01-01
        up_to_input_tokens = 1000
        service_tier = "batch"
        checked = "2026-11-24"
    """)
    (rule,) = price_rules_from(data["prices"])
    assert rule.hours == (HourWindow(60, 240), HourWindow(1350, 1440))
    assert rule.weekdays == {1, 5}
    assert rule.valid_from == datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert rule.valid_to == datetime(2027, 1, 1, tzinfo=UTC)
    assert (rule.not_on, rule.up_to_input_tokens, rule.service_tier) == ("china", 1000, "batch")
    assert rule.checked == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("data", "key", "text"),
    [
        ({"context_windows": 1}, "context_windows", "not a known key"),
        ({"provider": 5}, "provider", "must be text"),
        ({"max_output": 0}, "max_output", "1 or more"),
        ({"max_output": True}, "max_output", "whole number"),
        ({"vocabulary": "gpt2"}, "vocabulary", "must be one of"),
        ({"capability": {"code": 1.5}}, "capability.code", "from 0 to 1"),
        ({"capability": {"cooking": 0.5}}, "capability.cooking", "not a known key"),
        ({"latency": {"ttft_s": 1}}, "latency.tokens_per_s", "is missing"),
        ({"features": ["telepathy"]}, "features[0]", "must be one of"),
        ({"price": {"input": "-1", "output": "1"}}, "price.input", "0 or more"),
        ({"price": {"input": "NaN", "output": "1"}}, "price.input", "decimal"),
        ({"price": {"input": "free"}}, "price.input", "decimal"),
        ({"price": {"inputs": "1"}}, "price.inputs", "not a known key"),
        ({"prices": [{"hours": ["1-2"]}]}, "prices[0].hours[0]", "01:00-04:00"),
        ({"prices": [{"hours": ["22:00-02:00"]}]}, "prices[0].hours[0]", "two windows"),
        ({"prices": [{"weekdays": [0]}]}, "prices[0].weekdays[0]", "day of the week"),
        ({"prices": [{"not_on": "atlantis"}]}, "prices[0].not_on", "must be one of china"),
        ({"prices": [{"valid_from": "2026-01-01T00:00"}]}, "prices[0].valid_from", "zone"),
        ({"prices": [{"valid_from": "soon"}]}, "prices[0].valid_from", "instant"),
        ({"prices": [{"valid_from": "2026-02-01", "valid_to": "2026-01-01"}]}, "prices[0].valid_to", "not after"),
        ({"prices": [], "price": {}}, "price", "exclude each other"),
        ({"retires": "tomorrow"}, "retires", "must be a day"),
        ({"params": 3}, "params", "must be a table"),
        ({"seed": "yes"}, "seed", "true or false"),
        ({"aliases": "x"}, "aliases", "must be a list"),
        ({"service_tiers": {"turbo": "2"}}, "service_tiers.turbo", "not a known key"),
        ({"id": "x"}, "provider", "is missing"),
    ],
)
def test_a_wrong_model_names_its_member(data: dict[str, Any], key: str, text: str) -> None:
    """The error holds the path of the member and says what it should be."""
    with pytest.raises(RowError) as caught:
        model_from(data, "m")
    assert caught.value.key == key
    assert text in str(caught.value)
    assert f"`{key}`" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"base_url": "http://x"}, "wire"),
        ({"wire": "openai-chat"}, "base_url"),
        ({"wire": "openai-chat", "base_url": ""}, "base_url"),
        ({"wire": "openai-chat", "base_url": "ftp://x"}, "base_url"),
        ({"wire": "soap", "base_url": "http://x"}, "wire"),
        ({"auth": "basic"}, "auth"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"api_key": "sk-1"}, "api_key"),
        ({"headers": {"a": 1}}, "headers.a"),
        ({"error_rules": [{"status": 1}]}, "error_rules[0].error_class"),
        ({"error_rules": [{"error_class": "bored"}]}, "error_rules[0].error_class"),
    ],
)
def test_a_wrong_provider_names_its_member(data: dict[str, Any], key: str) -> None:
    """A provider's error holds the path of the member too."""
    with pytest.raises(RowError) as caught:
        provider_from(data, "p")
    assert caught.value.key == key


def test_a_misspelt_key_has_near_matches() -> None:
    """The nearest valid names come with an unknown key."""
    with pytest.raises(RowError) as caught:
        model_from({"contextwindow": 1}, "m")
    assert caught.value.near[0] == "context_window"


def test_a_generic_row_alone_is_not_a_provider() -> None:
    """A user's provider on a generic row has to give its base URL."""
    with pytest.raises(RowError) as caught:
        provider_from({}, "local", base=catalog.generic_provider("openai-chat"))
    assert caught.value.key == "base_url"
