"""The record of `models --json`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.cli.models.table import smallest_rule
from deepsel.show.record import SCHEMA_VERSION, price_member
from deepsel.values import Model, PriceRule


def record(rows: list[Model], known: Catalog, now: datetime) -> dict[str, Any]:
    """Build the record of `models --json`."""
    return {
        "schema": SCHEMA_VERSION,
        "prices_as_of": known.as_of.isoformat(),
        "age_days": known.age_days(now),
        "at": now,
        "models": [_model_record(row, now) for row in rows],
    }


def _model_record(row: Model, now: datetime) -> dict[str, Any]:
    """Build one model's member."""
    change = catalog.next_change(row, at=now, input_tokens=0)
    return {
        "model": row.name,
        "provider": row.provider,
        "id": row.id,
        "aliases": list(row.aliases),
        "context_window": row.context_window,
        "max_input": row.max_input,
        "max_output": row.max_output,
        "vocabulary": row.vocabulary,
        "features": sorted(row.features),
        "capability": dict(row.capability),
        "price": _rule_record(smallest_rule(row, now)),
        "next_change": {"at": change[0], "price": _rule_record(change[1])} if change else None,
        "retires": row.retires.isoformat() if row.retires else None,
        "note": row.note or None,
    }


def _rule_record(rule: PriceRule | None) -> dict[str, Any] | None:
    """Build a price's member."""
    if rule is None:
        return None
    prices: dict[str, Decimal | None] = {
        "input": rule.input,
        "cached_input": rule.cached_input,
        "cache_write": rule.cache_write_short,
        "output": rule.output,
        "reasoning_output": rule.reasoning_output,
    }
    return {**prices, **price_member(source=rule.source, as_of=rule.checked, rule=rule.label or "standard")}
