"""Providers' slower and cheaper lanes: their limits, whom they take, and what they charge."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.catalog.files import read_data
from deepsel.catalog.lanes import LANE_KEYS
from deepsel.values import Model

CATALOG = Catalog()
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

# provider/model, lane, form, requests of a job, MiB of a job, shortest and longest window in hours; - is not stated
LIMITS = """
openai/gpt-6.1-sol           batch       file    50000    200  24     24
openai-eu/gpt-6.1-sol        batch       file    50000    200  24     24
anthropic/claude-opus-5-5    batch       inline  100000   256  24     24
mistral/mistral-large-4      batch       file    1000000  -    24     24
mistral-us/mistral-large-4   batch       file    1000000  -    24     24
openrouter/openrouter/auto   batch       inline  -        -    24     24
qwen/qwen-flash              batch       file    50000    500  24     336
qwen-cn/qwen3.8-max          batch       file    50000    500  24     336
qwen-cn/qwen3.8-max          batch-chat  held    1        -    1/60   1
"""
NONE = ("deepseek-flash", "qwen3.8-max", "qwen-plus-latest", "qwen-us/qwen-flash", "gpt-5.3-codex", "litellm/deepseek-flash", "ollama/x")


def _model(name: str) -> Model:
    provider, _, wire_id = name.partition("/")
    return CATALOG.model_at(provider, wire_id) if wire_id else CATALOG.find_model(name)


def _hours(text: str) -> int:
    over, _, under = text.partition("/")
    return int(over) * 3600 // int(under or 1)


@pytest.mark.parametrize("line", LIMITS.strip().splitlines(), ids=lambda line: "-".join(line.split()[:2]))
def test_limits(line: str) -> None:
    """Each lane has the limits its maker states; hosts that serve a maker's models at its prices have its lanes."""
    name, lane_name, form, requests, size, least, most = line.split()
    lane = next(lane for lane in CATALOG.lanes(_model(name)) if lane.name == lane_name)
    assert lane.form == form
    assert lane.max_requests == (None if requests == "-" else int(requests))
    assert lane.max_bytes == (None if size == "-" else int(size) << 20)
    assert lane.window_s == (_hours(least), _hours(most))
    assert lane.price_factor == Decimal("0.5")


@pytest.mark.parametrize("name", NONE)
def test_whom_no_lane_takes(name: str) -> None:
    """A model that its host's lane does not take has none, and no price of the tier."""
    model = _model(name)
    assert CATALOG.lanes(model) == ()
    assert catalog.rule_at(model, at=NOW, input_tokens=1000, service_tier="batch") is None


def test_a_provider_of_the_users_own_has_no_lanes() -> None:
    """Nobody knows them."""
    assert CATALOG.lanes(Model("m", "mine", "gpt-6.1-sol")) == ()


def test_beijing_has_a_host_for_held_calls() -> None:
    """Its address, and how much of a prompt it takes, stand in the row; the plain host keeps its own."""
    held = next(lane for lane in CATALOG.lanes(_model("qwen-cn/qwen3.7-plus")) if lane.form == "held")
    assert held.base_url == "https://batch.dashscope.aliyuncs.com/compatible-mode/v1"
    assert held.max_input_tokens == 256_000
    assert CATALOG.providers["qwen-cn"].base_url != held.base_url


def test_every_lane_prices_as_its_factor_or_by_rows_of_its_own() -> None:
    """A model that a lane takes has a price there: the factor times the standard one, unless the model has rows of the tier."""
    for model in CATALOG.models.values():
        for lane in CATALOG.lanes(model):
            standard = catalog.rule_at(model, at=NOW, input_tokens=1000)
            rule = catalog.rule_at(model, at=NOW, input_tokens=1000, service_tier=lane.service_tier)
            if standard is None or standard.input is None:
                continue
            assert rule is not None, model.name
            assert rule.input == standard.input * lane.price_factor, model.name
            assert rule.output == (standard.output or 0) * lane.price_factor, model.name


def test_every_lane_row_is_whole() -> None:
    """Each has known members, decimal text for its factor, a source and a day; none leans on a model row's own factor."""
    for name, provider in read_data("providers.json")["providers"].items():
        for row in provider.get("lanes", ()):
            assert set(row) <= LANE_KEYS, name
            assert {"name", "price_factor", "form", "source", "checked"} <= set(row), name
            assert isinstance(row["price_factor"], str)
            assert row["source"].startswith("https://")
            assert date.fromisoformat(row["checked"]) <= CATALOG.as_of
            assert row["form"] in ("file", "inline", "held")
    models = read_data("models.json")["models"]
    assert [name for name, row in models.items() if "batch" in row.get("service_tiers", {})] == []
