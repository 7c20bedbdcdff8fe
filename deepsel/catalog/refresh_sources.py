"""Reads published price lists into one form: USD per 1,000,000 tokens, by our providers and their ids; sends nothing.

Known by their shape: the price file of litellm (USD per token; a suffix or list for larger prompts, off-peak rates apart),
models.dev's api.json (USD per million, flat), OpenRouter's /models (USD per token as text), TokenMix's catalogue (taken
for USD per million: its unit is not documented, so the comparison with the makers' prices has to bear it out). A price
that is absent or null is unknown, not free; one that is no number, or negative, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from deepsel.catalog.files import read_data
from deepsel.dollars import MOST_USD, read_usd
from deepsel.records import NamedTuple

_MILLION = Decimal(1_000_000)
_LITELLM = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write_short": "cache_creation_input_token_cost",
    "cache_write_long": "cache_creation_input_token_cost_above_1hr",
    "reasoning_output": "output_cost_per_reasoning_token",
}
_MODELS_DEV = {"input": "input", "output": "output", "cached_input": "cache_read", "cache_write_short": "cache_write"}
_OPENROUTER = {
    "input": "prompt",
    "output": "completion",
    "cached_input": "input_cache_read",
    "cache_write_short": "input_cache_write",
}
_TOKENMIX = {"input": "input_price", "output": "output_price"}
# Their names to ours; a list holds many more hosts, whose prices are not ours to take.
_PREFIXES = {"deepseek": "deepseek", "dashscope": "qwen", "mistral": "mistral"}
_PLAIN = {"anthropic": "anthropic", "openai": "openai"}
_DEV_PROVIDERS = {"deepseek": "deepseek", "alibaba": "qwen", "mistral": "mistral", **_PLAIN}


class OfferedRate(NamedTuple):
    """Prices that hold for some prompts and hours."""

    rates: Mapping[str, Decimal]
    """Member of a price row to USD per million tokens; absent: not told."""
    up_to_input_tokens: int | None = None
    """The largest prompt; None: any larger one."""
    kind: str = "flat"
    """flat, peak or off_peak."""


class Offer(NamedTuple):
    """What one model costs at one provider."""

    provider: str
    id: str
    bands: tuple[OfferedRate, ...]
    """Smaller prompts first."""
    context_window: int | None = None
    is_all_taken: bool = False
    """Whether a model that is not in the catalog is added: a gateway's are not in it one by one."""


def list_urls() -> Mapping[str, str]:
    """Name the published lists, and where each is."""
    urls: Mapping[str, str] = read_data("price_lists.json")["lists"]
    return urls


def read_offers(document: Any) -> tuple[str, list[Offer]]:
    """Return the name of the list and what it offers at our providers; raises ValueError where its shape is unknown."""
    if isinstance(document, dict):
        data = document.get("data")
        if isinstance(data, dict) and isinstance(data.get("list"), list):
            return "TokenMix catalogue", list(_tokenmix(data["list"]))
        if isinstance(data, list):
            return "OpenRouter /models", list(_openrouter(data))
        entries = [entry for entry in document.values() if isinstance(entry, dict)]
        if any("litellm_provider" in entry for entry in entries):
            return "litellm price file", list(_litellm(document))
        if any(isinstance(entry.get("models"), dict) for entry in entries):
            return "models.dev", list(_models_dev(document))
    raise ValueError("neither litellm's price file, nor models.dev's, OpenRouter's or TokenMix's list of models")


def _litellm(document: Mapping[str, Any]) -> Iterator[Offer]:
    for key, entry in document.items():
        if not isinstance(entry, dict):
            continue
        prefix, _, wire_id = key.partition("/")
        provider = _PREFIXES.get(prefix) if wire_id else _PLAIN.get(str(entry.get("litellm_provider")))
        bands = _litellm_bands(entry) if provider else ()
        if provider and bands:
            yield Offer(provider, wire_id or key, bands)


def _litellm_bands(entry: Mapping[str, Any]) -> tuple[OfferedRate, ...]:
    """Read tiers by list or by suffix, or peak and off-peak; a mixture of both is left out."""
    off_peak = entry.get("off_peak_pricing")
    tiers = entry.get("tiered_pricing")
    if isinstance(tiers, list):
        ends = [tier["range"][1] for tier in tiers if isinstance(tier, dict) and _is_range(tier.get("range"))]
        if off_peak or len(ends) != len(tiers):
            return ()
        return tuple(OfferedRate(_rates(tier, _LITELLM), int(end)) for tier, end in zip(tiers, ends, strict=True))
    base = _rates(entry, _LITELLM)
    bounds = sorted({int(found[1]) for name in entry if (found := re.search(r"_above_(\d+)k_tokens\Z", name))})
    if not base or (off_peak and bounds):
        return ()
    if isinstance(off_peak, dict):
        return (OfferedRate(base, None, "peak"), OfferedRate(_rates(off_peak, _LITELLM), None, "off_peak"))
    above = [
        _rates(entry, {ours: f"{name}_above_{bound}k_tokens" for ours, name in _LITELLM.items()}) for bound in bounds
    ]
    ends = [bound * 1000 for bound in bounds]
    return tuple(OfferedRate(rates, end) for rates, end in zip([base, *above], [*ends, None], strict=True))


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], int | float) and value[1] > 0


def _models_dev(document: Mapping[str, Any]) -> Iterator[Offer]:
    for theirs, provider in _DEV_PROVIDERS.items():
        entry = document.get(theirs)
        models = entry.get("models") if isinstance(entry, dict) else None
        for wire_id, model in models.items() if isinstance(models, dict) else ():
            rates = _rates(model.get("cost") if isinstance(model, dict) else None, _MODELS_DEV, factor=Decimal(1))
            if rates:
                yield Offer(provider, wire_id, (OfferedRate(rates),))


def _openrouter(models: list[Any]) -> Iterator[Offer]:
    for model in models:
        pricing = model.get("pricing") if isinstance(model, dict) else None
        rates = _rates(pricing, _OPENROUTER)
        if isinstance(pricing, dict) and not pricing.get("overrides") and rates and isinstance(model.get("id"), str):
            yield Offer("openrouter", model["id"], (OfferedRate(rates),), _window(model.get("context_length")), is_all_taken=True)


def _tokenmix(models: list[Any]) -> Iterator[Offer]:
    for model in models:
        rates = _rates(model, _TOKENMIX, factor=Decimal(1))
        wire_id = (model.get("short_id") or model.get("model_id")) if isinstance(model, dict) else None
        if rates and isinstance(wire_id, str):
            yield Offer("tokenmix", wire_id, (OfferedRate(rates),), _window(model.get("context_length")), is_all_taken=True)


def _rates(entry: Any, names: Mapping[str, str], *, factor: Decimal = _MILLION) -> dict[str, Decimal]:
    """Read the prices that are there; nothing where input or output is not, or a price is none. OpenRouter's -1 means that it varies."""
    found = {ours: read_usd(entry.get(theirs)) for ours, theirs in names.items()} if isinstance(entry, dict) else {}
    rates = {ours: (price * factor).normalize() for ours, price in found.items() if price is not None}
    is_whole = {"input", "output"} <= rates.keys() and all(rate <= MOST_USD for rate in rates.values())
    return rates if is_whole else {}


def _window(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
