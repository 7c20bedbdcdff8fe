"""Finding models and providers by what people type and providers answer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.errors import ConfigError
from deepsel.values import Model, PriceRule

CATALOG = Catalog()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("deepseek-flash", "deepseek-flash"),
        ("deepseek/deepseek-flash", "deepseek-flash"),
        ("deepseek-v4-flash-vision-exp", "deepseek-v4-flash"),
        ("mistral-small-latest", "mistral-small-2603"),
        ("mistral/mistral-medium-latest", "mistral-medium-3-5"),
        ("mistral-large-4-0", "mistral-large-4"),
        ("openrouter/auto", "openrouter/auto"),
        ("openrouter/openrouter/auto", "openrouter/auto"),
        ("portkey/deepseek-flash", "portkey/deepseek-flash"),
    ],
)
def test_a_name_an_alias_and_a_full_name_find_the_row(typed: str, name: str) -> None:
    """Catalog names, aliases and `PROVIDER/ID` lead to the same row."""
    assert CATALOG.find_model(typed) is CATALOG.models[name]


def test_an_unknown_name_has_near_matches() -> None:
    """A name that is in no row is a configuration error that names the nearest ones."""
    with pytest.raises(ConfigError, match="deepseek-flahs") as caught:
        CATALOG.find_model("deepseek-flahs")
    assert "`deepseek-flash`" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        CATALOG.find_model("nobody/zzzzzz")
    assert "PROVIDER/ID" in caught.value.hint


@pytest.mark.parametrize("typed", ["", "/", "deepseek/", "nobody/deepseek-flash"])
def test_half_a_name_is_refused(typed: str) -> None:
    """An empty part or a provider that does not exist is an error, not an ad-hoc row."""
    with pytest.raises(ConfigError):
        CATALOG.find_model(typed)


def test_any_id_of_a_known_provider() -> None:
    """An id in no row is taken as it is, with the maker's habits and unknown limits and prices."""
    model = CATALOG.find_model("anthropic/claude-next")
    assert (model.name, model.provider, model.id) == ("anthropic/claude-next", "anthropic", "claude-next")
    assert (model.sampling, model.seed, model.vocabulary) == ("never", False, "claude48")
    assert (model.prices, model.context_window, dict(model.capability)) == ((), None, {})


def test_a_maker_of_another_region() -> None:
    """A regional host keeps the limits; its prices only where they are known to follow the maker's."""
    beijing = CATALOG.find_model("qwen-cn/qwen3.8-max")
    assert (beijing.max_input, beijing.prices, beijing.is_default) == (991_808, (), False)
    assert beijing.reasoning_off == {"enable_thinking": False}
    europe = CATALOG.find_model("mistral-eu/mistral-small-latest")
    assert (europe.provider, europe.id) == ("mistral-eu", "mistral-small-latest")
    assert europe.prices == CATALOG.find_model("mistral-small-2603").prices
    assert CATALOG.providers["mistral-eu"].price_multiplier == Decimal("1.1")


@pytest.mark.parametrize(
    ("name", "price"), [("gpt-5.4", "2.75"), ("gpt-6.1-sol", "2.2"), ("gpt-5", "1.25"), ("gpt-4o", "2.5")]
)
@pytest.mark.parametrize("host", ["openai-us", "openai-eu", "openai-gb"])
def test_the_regional_surcharge_of_openai(host: str, name: str, price: str) -> None:
    """GPT-5.4 and later cost 1.1 times the list at a regional host, older models the list price, charged once."""
    assert CATALOG.find_model(f"{host}/{name}").prices[0].input == Decimal(price)
    assert CATALOG.providers[host].price_multiplier == 1


@pytest.mark.parametrize(
    "typed",
    ["openrouter/deepseek/deepseek-v4-pro", "openrouter/deepseek/deepseek-v4-pro:floor", "tokenmix/deepseek-v4-pro"],
)
def test_a_makers_model_through_a_gateway(typed: str) -> None:
    """A gateway's model keeps the maker's limits and vocabulary, without the maker's prices and switches."""
    model = CATALOG.find_model(typed)
    assert model.id == typed.partition("/")[2]
    assert (model.context_window, model.vocabulary) == (1_048_576, "deepseek")
    assert (model.prices, model.reasoning_off, model.service_tiers, model.retires) == ((), None, {}, None)


def test_a_local_model_costs_nothing() -> None:
    """Ollama runs on the user's own machine: its price is known, and is 0."""
    model = CATALOG.find_model("ollama/llama3.2:3b")
    assert model.id == "llama3.2:3b"
    made = catalog.project(model, input_tokens=9, output_tokens=9, at=datetime(2026, 11, 24, tzinfo=UTC))
    assert made.total_usd == 0


@pytest.mark.parametrize(
    ("asked", "answered", "billed"),
    [
        ("deepseek-v4-pro", "deepseek-flash", "deepseek-flash"),
        ("deepseek-chat", "deepseek-v4-flash", "deepseek-v4-flash"),
        ("deepseek-flash", "deepseek-flash", "deepseek-flash"),
        ("deepseek-flash", None, "deepseek-flash"),
        ("deepseek-flash", "something-else", "deepseek-flash"),
        ("mistral-large-latest", "mistral-large-4-0", "mistral-large-4"),
        ("mistral-large-latest", "mistral-large-5", "mistral-large-2512"),
        ("gpt-6-astra", "gpt-6.1-sol-2026-10-01", "gpt-6.1-sol"),
        ("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-opus-5-5", "claude-sonnet-5-5-20261001", "claude-sonnet-5-5"),
        ("mistral-small-2603", "mistral-small-latest", "mistral-small-2603"),
        ("qwen3.8-flash", "deepseek-flash", "qwen3.8-flash"),
        ("openrouter/auto", "anthropic/claude-opus-5-5", "openrouter/auto"),
        ("openai-eu/gpt-6-astra", "gpt-6.1-sol", "openai-eu/gpt-6.1-sol"),
        ("mistral-eu/mistral-large-4", "mistral-large-4-0", "mistral-eu/mistral-large-4"),
    ],
)
def test_the_answered_id_is_billed(asked: str, answered: str | None, billed: str) -> None:
    """The bill goes by the id that answered where the catalog prices it at that provider, else by the asked row."""
    assert CATALOG.price_row_for_answer(CATALOG.find_model(asked), answered).name == billed


def test_the_users_own_price_stays() -> None:
    """A row of the user's keeps its price when the same model answers under another of its ids."""
    own = (PriceRule(input=Decimal(1), output=Decimal(1)),)
    base = CATALOG.find_model("mistral-small-2603")
    mine = catalog.model_from({"price": {"input": 1, "output": 1}}, "mine", base=base)
    assert mine.prices == own
    assert CATALOG.price_row_for_answer(mine, "mistral-small-latest") is mine
    alias = catalog.model_from({"id": "mistral-small"}, "mine", base=mine)
    assert CATALOG.price_row_for_answer(alias, "mistral-small-2603") is alias
    elsewhere = Model(name="x", provider="mine", id="x", prices=own)
    assert CATALOG.price_row_for_answer(elsewhere, "deepseek-flash") is elsewhere


@pytest.mark.parametrize(
    ("day", "expected"), [(date(2026, 11, 29), True), (date(2026, 11, 30), False), (date(2026, 12, 1), False)]
)
def test_retirement(day: date, expected: bool) -> None:
    """A model answers until the day before it retires."""
    assert catalog.is_available(CATALOG.find_model("claude-sonnet-4-5"), on=day) is expected
    assert catalog.is_available(CATALOG.find_model("deepseek-flash"), on=day)


def test_age() -> None:
    """The catalog knows the day it was read and how long ago that is."""
    assert CATALOG.as_of == date(2026, 11, 28)
    assert CATALOG.age_days(datetime(2026, 11, 28, 23, tzinfo=UTC)) == 0
    assert CATALOG.age_days(datetime(2026, 12, 28, 1, tzinfo=UTC)) == 30
    assert CATALOG.age_days(datetime(2026, 1, 1, tzinfo=UTC)) == 0


def test_holidays() -> None:
    """The Chinese calendar knows its days and the years it covers."""
    assert catalog.is_holiday("china", date(2026, 2, 23))
    assert not catalog.is_holiday("china", date(2026, 2, 24))
    assert catalog.is_published("china", 2026)
    assert not catalog.is_published("china", 2027)


def test_what_a_key_alone_gives() -> None:
    """Each provider that takes a key gives its owner a candidate without a file; regions and local servers do not."""
    offered = {CATALOG.models[name].provider for name in CATALOG.default_models}
    makers = {"deepseek", "qwen", "mistral", "anthropic", "openai"}
    assert offered == makers | {"tokenmix", "openrouter", "litellm", "portkey"}
