"""How models are shown to people: a line each, or all that is known of one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime

from deepsel import catalog, config
from deepsel.catalog import Catalog
from deepsel.cli.models.strengths import strength_lines
from deepsel.cli.terminal.terminal import columns_to_cut_to
from deepsel.config import Settings
from deepsel.records import NamedTuple
from deepsel.show.columns import text_table
from deepsel.show.durations import seconds
from deepsel.show.money import per_million
from deepsel.values import Lane, Model, PriceRule

_KEY_WORDS = {True: "yes", False: "no", None: "none"}


class ModelKeys(NamedTuple):
    """Which models there is a key for."""

    settings: Settings
    env: Mapping[str, str]

    def is_there(self, row: Model) -> bool | None:
        """Tell whether there is a key; None where none is needed. A key command is not run."""
        provider = config.find_provider(self.settings, row.provider)
        return config.has_key(provider, self.env) if config.needs_key(provider) else None

    def told(self, row: Model) -> str:
        """Say where a key is looked for, and whether there is one."""
        is_there, places = self.is_there(row), config.key_places(config.find_provider(self.settings, row.provider))
        if is_there is None:
            return "none is needed"
        return f"{' or '.join(places)}{'' if is_there else ' (not set)'}"


def table(rows: list[Model], keys: ModelKeys, now: datetime) -> str:
    """Set rows in columns that fit 80 characters, widest information first."""
    cells = [("MODEL", "KEY", "IN", "CACHED", "OUT", "WINDOW", "VOCABULARY", "PRICE CHANGES")]
    for row in rows:
        rule = smallest_rule(row, now)
        cells.append(
            (
                row.name,
                _KEY_WORDS[keys.is_there(row)],
                per_million(rule.input if rule else None),
                per_million(rule.cached_input if rule else None),
                per_million(rule.output if rule else None),
                _size(row.context_window or row.max_input),
                row.vocabulary or "-",
                _change(row, now) or "",
            )
        )
    columns = text_table(cells, right=range(2, 6), columns=columns_to_cut_to(sys.stdout))
    return f"{columns}\nUSD per 1,000,000 tokens, for the smallest prompt; - is unknown. KEY: whether one was found.\n"


def details(row: Model, keys: ModelKeys, known: Catalog, now: datetime) -> str:
    """Write all that is known of one model."""
    rule = smallest_rule(row, now)
    lines = [f"{row.name}  ({row.provider}, id {row.id})"]
    facts: list[tuple[str, str | None]] = [
        ("key", keys.told(row)),
        ("window", f"{_size(row.context_window or row.max_input)} tokens, answers up to {_size(row.max_output)}"),
        ("vocabulary", row.vocabulary),
        ("features", ", ".join(sorted(row.features)) or None),
        *strength_lines(row),
        ("price now", _price(rule) if rule else "unknown"),
        ("changes", _change(row, now)),
        ("source", f"{rule.source}, checked {rule.checked}" if rule and rule.source else None),
        ("larger prompts", "; ".join(_tiers(row, now)) or None),
        ("promised until", rule.guaranteed_until.isoformat() if rule and rule.guaranteed_until else None),
        *((lane.name, _lane(lane, row, now)) for lane in known.lanes(row)),
        ("retires", _retires(row)),
        ("note", row.note or None),
    ]
    lines += [f"  {name:<15}{value}" for name, value in facts if value]
    return "\n".join(lines) + "\n"


def _retires(row: Model) -> str | None:
    """Say when it no longer answers, and what to use then."""
    if row.retires is None:
        return None
    return f"{row.retires}; then use {row.successor}" if row.successor else row.retires.isoformat()


def _price(rule: PriceRule) -> str:
    """Write a rule's prices."""
    label = f"{rule.label}: " if rule.label else ""
    parts = [
        f"input {per_million(rule.input)}",
        f"cached {per_million(rule.cached_input)}",
        f"output {per_million(rule.output)}",
    ]
    if rule.cache_write_short is not None:
        parts.append(f"cache write {per_million(rule.cache_write_short)}")
    if rule.reasoning_output is not None:
        parts.append(f"reasoning {per_million(rule.reasoning_output)}")
    return label + ", ".join(parts) + " USD per 1M"


def _lane(lane: Lane, row: Model, now: datetime) -> str:
    """Write what a lane charges for the smallest prompt, and its limits."""
    rule = catalog.rule_at(row, at=now, input_tokens=0, service_tier=lane.service_tier)
    price = _price(rule._replace(label="")) if rule else f"{lane.price_factor.normalize():f} x the standard price"
    limits = [
        f"{lane.max_requests:,} request{'s' * (lane.max_requests > 1)}" if lane.max_requests else "",
        f"{lane.max_bytes >> 20:,} MB" if lane.max_bytes else "",
        f"{lane.max_input_tokens:,} tokens a request" if lane.max_input_tokens else "",
    ]
    told = [f"up to {', '.join(filter(None, limits))}"] if any(limits) else []
    if lane.window_s:
        least, most = (seconds(limit) for limit in lane.window_s)
        told.append(f"within {most}" if least == most else f"within {least} to {most}")
    told += [f"not discounted: {', '.join(lane.full_price)}"] if lane.full_price else []
    return "; ".join([price, *told])


def _tiers(row: Model, now: datetime) -> list[str]:
    """Write the prices of larger prompts."""
    bounds = sorted({rule.up_to_input_tokens for rule in row.prices if rule.up_to_input_tokens is not None})
    rules = [(bound, catalog.rule_at(row, at=now, input_tokens=bound + 1)) for bound in bounds]
    return [f"over {bound:,} tokens {_price(rule)}" for bound, rule in rules if rule is not None]


def smallest_rule(row: Model, now: datetime) -> PriceRule | None:
    """Find the price of the smallest prompt now."""
    return catalog.rule_at(row, at=now, input_tokens=0)


def _change(row: Model, now: datetime) -> str | None:
    """Say when the price changes next, and to what."""
    change = catalog.next_change(row, at=now, input_tokens=0)
    if change is None:
        return None
    instant, rule = change
    to = f"{per_million(rule.input)}/{per_million(rule.output)}" if rule else "unknown"
    day = "" if instant.date() == now.date() else f"{instant:%m-%d} "
    return f"{day}{instant:%H:%M}Z: {to}"


def _size(tokens: int | None) -> str:
    """Write a window's size short."""
    if tokens is None:
        return "-"
    return (
        f"{tokens / 1_000_000:.3g}M"
        if tokens >= 1_000_000
        else f"{tokens / 1000:.0f}K"
        if tokens >= 1000
        else str(tokens)
    )
