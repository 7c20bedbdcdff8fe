"""Turns rows of data, the catalog's JSON or the user's TOML, into Provider, Model and PriceRule; reads no file.

Both speak the same words: the field names of the records, money as decimal text, `price` as a short form of `prices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from deepsel.catalog.holidays import calendar_names
from deepsel.catalog.pictures import picture_rule_names
from deepsel.catalog.queries import with_query_apart
from deepsel.catalog.readers import (
    Read,
    RowError,
    base_url,
    between,
    choice,
    count,
    day,
    decimal,
    flag,
    instant,
    list_of,
    map_of,
    members_of,
    optional_price,
    optional_text,
    path,
    positive,
    read_members,
    set_of,
    table,
    text,
    variable,
    weekday,
    window,
)
from deepsel.errors import ErrorClass
from deepsel.values import TASKS, ErrorRule, Latency, Model, PriceRule, Provider
from deepsel.wires.table import ROWS

VOCABULARIES = ("o200k_base", "cl100k_base", "deepseek", "qwen", "qwen35", "tekken", "claude3", "claude47", "claude48")
TEMPLATES = ("claude", "deepseek-v4", "deepseek-v4.1", "openai", "qwen3", "qwen3.5", "tekken")
FEATURES = ("images", "json_object", "json_schema", "tools")
PRICE_FIELDS = ("input", "output", "cached_input", "cache_write_short", "cache_write_long", "reasoning_output")
SERVICE_TIERS = ("standard", "batch", "flex", "priority")
_MOST_TIMES = 1000  # the price of another host


_Row = TypeVar("_Row", Provider, Model)


def provider_from(data: Mapping[str, Any], name: str, *, base: Provider | None = None) -> Provider:
    """Return the provider of a row; members not given are `base`'s. Raise RowError naming the member that is wrong."""
    members = with_query_apart(read_members(data, _PROVIDER))
    if base is None:
        _require(members, "wire", "base_url")
        provider = Provider(name=name, **members)
    else:
        provider = base._replace(name=name, **members)
    if not provider.base_url and name not in {wire.generic for wire in ROWS.values()}:
        raise RowError("base_url", "is missing")
    return provider


def model_from(data: Mapping[str, Any], name: str, *, base: Model | None = None, source: str = "") -> Model:
    """Return the model of a row; members not given are `base`'s, single tasks of `capability` too. Raise RowError.

    `source` stands in price rows that name none of their own. A row that moves `base` to another provider or id loses
    its prices and how pictures are counted: they are not known there.
    """
    if "price" in data and "prices" in data:
        raise RowError("price", "and `prices` exclude each other")
    members = read_members({key: value for key, value in data.items() if key not in ("price", "prices")}, _MODEL)
    for key in ("price", "prices"):
        if key in data:
            members["prices"] = price_rules_from(data[key], key=key, source=source)
    if base is None:
        _require(members, "provider")
        return Model(name=name, **{"id": name, **members})
    if "capability" in members:
        members["capability"] = {**base.capability, **members["capability"]}
    if members.get("provider", base.provider) != base.provider:
        base = base._replace(aliases=(), prices=(), service_tiers={}, reasoning_off=None, pictures=None)
        base = base._replace(retires=None, successor="", is_default=False)
    elif members.get("id", base.id) not in (base.id, *base.aliases):
        base = base._replace(prices=(), service_tiers={}, pictures=None)
    return base._replace(name=name, **members)


def price_rules_from(data: Any, *, key: str = "prices", source: str = "") -> tuple[PriceRule, ...]:
    """Return the rules of a price table (one rule) or a list of them, in order. Raise RowError."""
    rows = data if isinstance(data, list) else [data]
    return tuple(
        _price_rule(row, key if row is data else f"{key}[{index}]", source=source) for index, row in enumerate(rows)
    )


def _price_rule(row: Any, path: str, *, source: str) -> PriceRule:
    members = {"source": source, **read_members(table(row, path), _PRICE, path=path)}
    rule = PriceRule(**{"input": None, "output": None, **members})
    if rule.valid_from and rule.valid_to and rule.valid_from >= rule.valid_to:
        raise RowError(f"{path}.valid_to", "is not after `valid_from`")
    return rule


def _require(members: Mapping[str, Any], *keys: str) -> None:
    for key in keys:
        if key not in members:
            raise RowError(key, "is missing")


# --- the members of each row ------------------------------------------------------------------------------------------

_ERROR_RULE: Mapping[str, Read] = {
    "error_class": lambda value, path: ErrorClass(choice(*ErrorClass)(value, path)),
    "status": count,
    "code": text,
    "text": text,
}
_PROVIDER: Mapping[str, Read] = {
    "wire": lambda value, path: choice(*ROWS)(value, path),
    "base_url": base_url,
    "label": text,
    "api_key_env": variable,
    "api_key_command": list_of(text),
    "auth": choice("bearer", "x-api-key", "both", "api-key", "x-portkey-api-key"),
    "query": map_of(text),
    "headers": map_of(text),
    "extra_body": table,
    "non_stream_body": table,
    "max_concurrency": positive,
    "max_tokens_field": text,
    "seed_field": optional_text,
    "stream_usage": flag,
    "error_rules": list_of(members_of(_ERROR_RULE, ErrorRule, "error_class")),
    "price_multiplier": decimal(_MOST_TIMES),
    "health_path": optional_text,
    "models_path": optional_text,
    "ca_file": path,
    "client_cert": path,
    "source": text,
    "checked": day,
}
_PRICE: Mapping[str, Read] = {
    **dict.fromkeys(PRICE_FIELDS, optional_price),
    "label": text,
    "up_to_input_tokens": positive,
    "valid_from": instant,
    "valid_to": instant,
    "hours": list_of(window),
    "weekdays": set_of(weekday),
    "not_on": lambda value, path: choice(*calendar_names())(value, path),
    "service_tier": choice(*SERVICE_TIERS),
    "source": text,
    **dict.fromkeys(("guaranteed_until", "checked"), day),
}
_LATENCY: Mapping[str, Read] = {"ttft_s": between(0, 3600), "tokens_per_s": between(0.001, 1e6)}
_MODEL: Mapping[str, Read] = {
    "provider": text,
    "id": text,
    "aliases": list_of(text),
    "context_window": positive,
    "max_input": positive,
    "max_output": positive,
    "vocabulary": choice(*VOCABULARIES),
    "template": choice(*TEMPLATES),
    "framing_tokens": count,
    "pictures": lambda value, path: choice(*picture_rule_names())(value, path),
    "capability": members_of(dict.fromkeys(TASKS, between(0, 1)), dict),
    "latency": members_of(_LATENCY, Latency, *_LATENCY),
    "features": set_of(choice(*FEATURES)),
    "sampling": choice("always", "without_reasoning", "never"),
    "seed": flag,
    "reasoning_off": table,
    "params": table,
    "service_tiers": members_of(dict.fromkeys(SERVICE_TIERS[1:], decimal(_MOST_TIMES)), dict),
    "available_from": day,
    "retires": day,
    "successor": text,
    "is_default": flag,
    "note": text,
}
MODEL_KEYS = (*_MODEL, "price", "prices")
PROVIDER_KEYS = tuple(_PROVIDER)
PRICE_KEYS = tuple(_PRICE)
