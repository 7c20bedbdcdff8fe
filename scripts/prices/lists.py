"""Reads what other people's price lists say a model costs: litellm's file and genai-prices' table, as their packages hold them.

The packages are installed without what they depend on, and never imported: one takes ten seconds, and what is compared should
not run. Both count a tier of larger prompts from the first token beyond its bound, for the whole request.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

MILLION = Decimal(1_000_000)
STANDARD = "standard"
_LITELLM_MEMBERS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write_short": "cache_creation_input_token_cost",
    "reasoning_output": "output_cost_per_reasoning_token",
}
_LONG_WRITES = ("cache_creation_input_token_cost_above_1hr", "cache_creation_input_token_cost_above_12hr")
_LITELLM_TIERS = {STANDARD: "", "batch": "_batches", "flex": "_flex", "priority": "_priority"}
_LITELLM_PREFIXES = {"deepseek": "deepseek/", "qwen": "dashscope/", "mistral": "mistral/", "anthropic": "", "openai": ""}
_GENAI_MEMBERS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write_short": "cache_write_mtok",
    "cache_write_long": "cache_write_1h_mtok",
    "reasoning_output": "output_reasoning_mtok",
}
_GENAI_TIERS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
_ABOVE = re.compile(r"_above_(\d+)k_tokens")


class Asked(NamedTuple):
    """What a price is asked for."""

    provider: str
    """Our name of the maker."""
    id: str
    at: datetime
    input_tokens: int
    tier: str = STANDARD


class Listing(NamedTuple):
    """What a list says of one model."""

    rates: Mapping[str, Decimal]
    """Member of our price rows to USD per million tokens; absent: not told."""
    bounds: frozenset[int] = frozenset()
    """Prompt sizes up to which a tier of the model reaches."""
    retires: date | None = None
    """The first day on which the model no longer answers; None: not told."""


@dataclass(frozen=True)
class PriceList:
    """One list, by the name and version it goes by."""

    name: str
    version: str
    look_up: Callable[[Asked], Listing | None]
    """None: the list does not have the model, or no price of that tier."""


def installed() -> list[PriceList]:
    """Return the lists whose packages are there; neither is imported."""
    found = []
    for package, file, read in (
        ("litellm", "litellm/model_prices_and_context_window_backup.json", litellm),
        ("genai-prices", "genai_prices/data.py", genai),
    ):
        try:
            there = distribution(package)
        except PackageNotFoundError:
            continue
        found.append(read(Path(str(there.locate_file(file))).read_text("utf-8"), there.version))
    return found


# --- litellm ----------------------------------------------------------------------------------------------------------


def litellm(text: str, version: str) -> PriceList:
    """Read the list of a litellm price file."""
    entries = json.loads(text, parse_float=Decimal)
    return PriceList("litellm", version, lambda asked: _litellm_listing(entries, asked))


def _litellm_listing(entries: Mapping[str, Any], asked: Asked) -> Listing | None:
    prefix = _LITELLM_PREFIXES.get(asked.provider)
    entry = None if prefix is None else entries.get(prefix + asked.id)
    if not isinstance(entry, dict):
        return None
    bounds = {int(found[1]) * 1000 for name in entry if (found := _ABOVE.search(name))}
    tiers = entry.get("tiered_pricing") or []
    bounds |= {int(tier["range"][1]) for tier in tiers}
    if tiers:
        reached = (tier for tier in tiers if asked.input_tokens <= tier["range"][1])
        entry = next(reached, {})
    entry = {**entry, **_off_peak(entry.get("off_peak_pricing"), asked.at)}
    rates = {ours: _litellm_rate(entry, [theirs], asked) for ours, theirs in _LITELLM_MEMBERS.items()}
    rates["cache_write_long"] = _litellm_rate(entry, _LONG_WRITES, asked)
    known = {name: rate for name, rate in rates.items() if rate is not None}
    ends = entry.get("deprecation_date")
    return Listing(known, frozenset(bounds), date.fromisoformat(ends) if ends else None) if known else None


def _litellm_rate(entry: Mapping[str, Any], names: Any, asked: Asked) -> Decimal | None:
    """Return the rate of the highest bound the prompt is beyond, in the tier; a tier that has none for it says nothing."""
    suffix = _LITELLM_TIERS[asked.tier]
    for name in names:
        found: dict[int, Any] = {}
        for member, value in entry.items():
            inner = re.fullmatch(rf"{name}(?:_above_(\d+)k_tokens)?{suffix}", member)
            if inner and value is not None and not isinstance(value, bool | dict):
                found[int(inner[1] or 0) * 1000] = value
        crossed = [bound for bound in found if asked.input_tokens > bound or bound == 0]
        if crossed:
            return (Decimal(str(found[max(crossed)])) * MILLION).normalize()
    return None


def _off_peak(pricing: Any, at: datetime) -> Mapping[str, Any]:
    """Return the members that hold instead in the hours of `at`."""
    if not isinstance(pricing, dict):
        return {}
    for window in pricing["windows"]:
        hours = window["hours_utc"] if isinstance(window["hours_utc"], list) else [window["hours_utc"]]
        if at.isoweekday() in window["weekdays"] and any(_is_within(at, span) for span in hours):
            return {name: value for name, value in pricing.items() if name != "windows"}
    return {}


def _is_within(at: datetime, span: str) -> bool:
    start, end = span.split("-")
    return start <= f"{at:%H:%M}" and (end == "00:00" or f"{at:%H:%M}" < end)


# --- genai-prices -----------------------------------------------------------------------------------------------------


class Made(NamedTuple):
    """A constructor call of the table."""

    name: str
    fields: Mapping[str, Any]


def genai(text: str, version: str) -> PriceList:
    """Read the list of a `data.py` of genai-prices; raises ValueError where it holds what is not known here."""
    tree = ast.parse(text)
    table = next(node.value for node in tree.body if isinstance(node, ast.AnnAssign) and node.value is not None)
    providers = {one.fields["id"]: one.fields["models"] for one in _literal(table)}
    return PriceList("genai-prices", version, lambda asked: _genai_listing(providers, asked))


def _literal(node: ast.expr) -> Any:
    """Read a literal in which constructors are called; dates, times and decimals become what they are."""
    match node:
        case ast.Constant(value):
            return value
        case ast.List(items) | ast.Tuple(items):
            return [_literal(one) for one in items]
        case ast.Dict(keys, values):
            return {_literal(key): _literal(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case ast.Attribute():
            return None  # a zone: all are UTC
        case ast.Call(function, arguments, keywords):
            name = function.attr if isinstance(function, ast.Attribute) else function.id  # type: ignore[attr-defined]
            given = [_literal(one) for one in arguments]
            fields = {one.arg or "": _literal(one.value) for one in keywords}
            plain: Mapping[str, Callable[[], Any]] = {
                "Decimal": lambda: Decimal(given[0]),
                "date": lambda: date(*given),
                "time": lambda: time(*(one for one in given if one is not None)),
            }
            return plain[name]() if name in plain else Made(name, fields)
    raise ValueError(f"the table of genai-prices has an expression that is not read: {ast.dump(node)[:80]}")


def _genai_listing(providers: Mapping[str, Any], asked: Asked) -> Listing | None:
    models = providers.get(asked.provider, [])
    model = next((one for one in models if _matches(one.fields["match"], asked.id)), None)
    if model is None:
        return None
    prices = model.fields["prices"]
    if isinstance(prices, list):
        active = (one for one in reversed(prices) if _is_active(one.fields.get("constraint"), asked.at))
        prices = next(active).fields["prices"]
    prices = dict(prices.fields)
    if asked.tier != STANDARD:
        variant = next((one for one in _variants(model) if one.fields["when"] == _GENAI_TIERS[asked.tier]), None)
        if variant is None or not _is_active(variant.fields.get("constraint"), asked.at):
            return None
        prices |= variant.fields["prices"].fields
    tiers = [tier for price in prices.values() if isinstance(price, Made) for tier in price.fields["tiers"]]
    rates = {ours: _genai_rate(prices[theirs], asked) for ours, theirs in _GENAI_MEMBERS.items() if theirs in prices}
    return Listing(rates, frozenset(tier.fields["start"] for tier in tiers)) if rates else None


def _variants(model: Made) -> Iterator[Made]:
    yield from model.fields.get("price_variants") or ()


def _genai_rate(price: Any, asked: Asked) -> Decimal:
    if isinstance(price, Decimal):
        return price
    crossed = [tier for tier in price.fields["tiers"] if asked.input_tokens > tier.fields["start"]]
    rate: Decimal = crossed[-1].fields["price"] if crossed else price.fields["base"]
    return rate


def _matches(clause: Made, model_id: str) -> bool:
    kind, value = clause.name, next(iter(clause.fields.values()))
    match kind:
        case "ClauseEquals":
            return bool(model_id == value)
        case "ClauseStartsWith":
            return model_id.startswith(value)
        case "ClauseEndsWith":
            return model_id.endswith(value)
        case "ClauseContains":
            return value in model_id
        case "ClauseRegex":
            return re.search(value, model_id) is not None
        case "ClauseOr":
            return any(_matches(one, model_id) for one in value)
        case "ClauseAnd":
            return all(_matches(one, model_id) for one in value)
    raise ValueError(f"genai-prices matches models by {kind}, which is not known here")


def _is_active(constraint: Made | None, at: datetime) -> bool:
    if constraint is None:
        return True
    now = at.astimezone(UTC)
    if constraint.name == "StartDateConstraint":
        return bool(now.date() >= constraint.fields["start_date"])
    if constraint.name == "TimeOfDateConstraint":
        start, end, clock = constraint.fields["start_time"], constraint.fields["end_time"], now.time()
        return bool(start <= clock < end if start < end else clock >= start or clock < end)
    raise ValueError(f"genai-prices bounds a price by {constraint.name}, which is not known here")
