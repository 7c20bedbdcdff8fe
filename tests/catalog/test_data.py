"""The data files themselves: complete, consistent and sourced."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

import pytest

from deepsel import catalog, tokens
from deepsel.catalog import Catalog
from deepsel.catalog.files import DATA, read_data
from deepsel.catalog.lookup import MODEL_EXTRAS, PROVIDER_EXTRAS
from deepsel.catalog.rows import MODEL_KEYS, PRICE_FIELDS, PRICE_KEYS, PROVIDER_KEYS, SERVICE_TIERS, VOCABULARIES
from deepsel.values import TASKS, Model, Provider
from deepsel.wires.table import ROWS

CATALOG = Catalog()

MODELS: dict[str, dict[str, Any]] = read_data("models.json")["models"]
PROVIDERS: dict[str, dict[str, Any]] = read_data("providers.json")["providers"]
PRICES = [(name, row) for name, model in MODELS.items() for row in model.get("prices", ())]


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs), [key for key, _ in pairs]
    return dict(pairs)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.name)
def test_no_member_is_written_twice(path: Any) -> None:
    """A repeated key would silently hide a row."""
    json.loads(path.read_bytes(), object_pairs_hook=_refuse_twice)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_whole(name: str) -> None:
    """Each row parses, uses known keys, and has a provider, every task in [0, 1], a latency, a known vocabulary."""
    assert set(MODELS[name]) <= {*MODEL_KEYS, *MODEL_EXTRAS}
    model = CATALOG.models[name]
    assert model.provider in CATALOG.providers
    assert set(model.capability) == set(TASKS)
    assert all(0 <= quality <= 1 for quality in model.capability.values())
    assert model.latency is not None
    assert model.vocabulary in {None, *VOCABULARIES}


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_is_whole(name: str) -> None:
    """Each row parses, uses known keys, and has a name for people, a source and a day of checking."""
    assert set(PROVIDERS[name]) <= {*PROVIDER_KEYS, *PROVIDER_EXTRAS}
    provider = CATALOG.providers[name]
    assert provider.label
    assert provider.source.startswith("https://")
    assert provider.checked == date(2026, 11, 24)
    assert bool(provider.base_url) is (name not in {wire.generic for wire in ROWS.values()})
    defaults = {"provider": name, **PROVIDERS[name].get("model_defaults", {})}
    assert catalog.model_from(defaults, "any").provider == name


def test_every_price_row_is_sourced() -> None:
    """Each price row has a source the head explains, a day of checking, both main prices, and no negative one."""
    known = set(read_data("models.json")["sources"])
    for name, row in PRICES:
        assert set(row) <= set(PRICE_KEYS), name
        assert set(row["source"].split("; ")) <= known, name
        assert date.fromisoformat(row["checked"]) <= CATALOG.as_of, name
    for model in CATALOG.models.values():
        for rule in model.prices:
            assert rule.input is not None, model.name
            assert rule.output is not None, model.name
            assert all(price is None or price >= 0 for price in (getattr(rule, field) for field in PRICE_FIELDS))


def test_money_is_decimal_text() -> None:
    """No price is written as a binary number."""
    for name, row in PRICES:
        assert all(isinstance(row[field], str) for field in PRICE_FIELDS if field in row), name
    for name, model in MODELS.items():
        assert all(isinstance(factor, str) for factor in model.get("service_tiers", {}).values()), name


def test_names_are_unique() -> None:
    """No name or alias stands for two rows, and no wire id of a provider either."""
    typed = Counter([*MODELS, *(alias for row in MODELS.values() for alias in row.get("aliases", ()))])
    assert [name for name, count in typed.items() if count > 1] == []
    wire = Counter((row["provider"], one) for row in MODELS.values() for one in {row["id"], *row.get("aliases", ())})
    assert [pair for pair, count in wire.items() if count > 1] == []


def test_rows_that_lean_on_others_lean_on_something() -> None:
    """Every `like` and `models_of` names a row that stands by itself."""
    for row in MODELS.values():
        assert "like" not in row or "like" not in MODELS[row["like"]]
    for row in PROVIDERS.values():
        assert "like" not in row or "like" not in PROVIDERS[row["like"]]
        assert row.get("models_of", "*") in {"*", *PROVIDERS}


def test_size_tiers_rise() -> None:
    """Within one service tier, the bounds of a model's size tiers rise, an unbounded rule last."""
    for name, row in MODELS.items():
        for tier in SERVICE_TIERS:
            rows = [price for price in row.get("prices", ()) if price.get("service_tier", "standard") == tier]
            bounds = [price.get("up_to_input_tokens") for price in rows]
            known = [bound for bound in bounds if bound]
            assert known == sorted(set(known)), name
            assert None not in bounds[: len(known)], name


def _lead(task: str) -> Model:
    return max((CATALOG.models[name] for name in CATALOG.default_models), key=lambda model: model.capability[task])


def test_deepseek_leads_technical_work() -> None:
    """A DeepSeek model is the best default candidate for structured work; for code none that costs as little is nearly as good."""
    assert _lead("structured").provider == "deepseek"
    code = CATALOG.models["deepseek-flash"].capability["code"]
    cheaper = [CATALOG.models[name].capability["code"] for name in ("gpt-6-luna", "qwen3.8-flash", "mistral-small-2603")]
    assert code > max(cheaper) + 0.02


@pytest.mark.parametrize("task", ["creative", "reasoning"])
def test_larger_voices_lead_prose_and_reasoning(task: str) -> None:
    """For prose and multi-step reasoning the best candidate is no DeepSeek model, by a clear distance."""
    deepseek = max(model.capability[task] for model in CATALOG.models.values() if model.provider == "deepseek")
    assert _lead(task).capability[task] >= deepseek + 0.05
    assert CATALOG.find_model("claude-opus-5-5").capability["creative"] >= deepseek


def test_quirks_that_requests_depend_on() -> None:
    """The fields of each provider that differ from the plain wire are those documented."""
    rows = CATALOG.providers

    def quirks(provider: Provider) -> tuple[str, str, str | None, bool]:
        return provider.auth, provider.max_tokens_field, provider.seed_field, provider.stream_usage

    assert quirks(rows["deepseek"]) == ("bearer", "max_tokens", None, True)
    assert quirks(rows["qwen-cn"]) == ("bearer", "max_tokens", "seed", True)
    assert rows["qwen-cn"].non_stream_body == {"enable_thinking": False}
    assert quirks(rows["mistral-us"]) == ("bearer", "max_tokens", "random_seed", False)
    assert quirks(rows["openai-eu"]) == ("bearer", "max_completion_tokens", "seed", True)
    assert quirks(rows["anthropic"]) == ("x-api-key", "max_tokens", None, True)
    assert rows["anthropic"].headers == {"anthropic-version": "2023-06-01"}
    assert rows["anthropic-compatible"].auth == "both"
    assert rows["portkey"].auth == "x-portkey-api-key"
    assert rows["ollama"].api_key_env is None


KEYS = {
    "deepseek": "DEEPSEEK_API_KEY",
    "qwen": "DASHSCOPE_API_KEY",
    "qwen-us": "DASHSCOPE_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "openai-gb": "OPENAI_API_KEY",
    "tokenmix": "TOKENMIX_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "litellm": "LITELLM_API_KEY",
    "portkey": "PORTKEY_API_KEY",
}


@pytest.mark.parametrize("name", KEYS)
def test_key_variables(name: str) -> None:
    """Each provider's key is looked for in the variable its users already have."""
    assert CATALOG.providers[name].api_key_env == KEYS[name]


@pytest.mark.parametrize(
    ("name", "vocabulary", "template", "framing"),
    [
        ("deepseek-chat", "deepseek", "deepseek-v4", 3),
        ("qwen3.8-max", "qwen35", "qwen3.5", 12),
        ("qwen3.5-plus", "qwen35", "qwen3.5", 12),
        ("qwen3-max", "qwen", "qwen3", 8),
        ("mistral-large-4", "tekken", "tekken", 3),
        ("mistral-small-2603", "tekken", "tekken", 15),
        ("deepseek-flash", "deepseek", "deepseek-v4.1", 4),
        ("deepseek-v4-pro", "deepseek", "deepseek-v4", 4),
        ("claude-sonnet-4-6", "claude3", "claude", 7),
        ("claude-haiku-4-5", "claude3", "claude", 7),
        ("claude-sonnet-5", "claude48", "claude", 6),
        ("claude-fable-5-1", "claude48", "claude", 6),
        ("gpt-4o", "o200k_base", "openai", 7),
        ("gpt-6-luna", "o200k_base", "openai", 6),
    ],
)
def test_vocabularies(name: str, vocabulary: str, template: str, framing: int) -> None:
    """A model is counted with its maker's vocabulary, plus the tokens its host adds around one message."""
    model = CATALOG.find_model(name)
    assert (model.vocabulary, model.template) == (vocabulary, template)
    assert tokens.framing_of(tokens.reader_of(model)) == (framing, 0)
