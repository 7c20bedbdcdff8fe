"""The record of `models --json`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from deepsel import catalog
from deepsel.catalog import Catalog
from deepsel.cli.models.strengths import strength_members
from deepsel.cli.models.table import ModelKeys, smallest_rule
from deepsel.show.record import SCHEMA_VERSION, price_member
from deepsel.values import Lane, Model, PriceRule


def record(rows: list[Model], keys: ModelKeys, known: Catalog, now: datetime) -> dict[str, Any]:
    """Build the record of `models --json`."""
    return {
        "schema": SCHEMA_VERSION,
        "prices_as_of": known.as_of.isoformat(),
        "age_days": known.age_days(now),
        "at": now,
        "models": [{**_model_record(row, known, now), "has_key": keys.is_there(row)} for row in rows],
    }


def _model_record(row: Model, known: Catalog, now: datetime) -> dict[str, Any]:
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
        "strengths": strength_members(row),
        "price": _rule_record(smallest_rule(row, now)),
        "next_change": {"at": change[0], "price": _rule_record(change[1])} if change else None,
        "lanes": [_lane_record(lane, row, now) for lane in known.lanes(row)],
        "retires": row.retires.isoformat() if row.retires else None,
        "successor": row.successor or None,
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
    promised = rule.guaranteed_until.isoformat() if rule.guaranteed_until else None
    named = price_member(source=rule.source, as_of=rule.checked, rule=rule.label or "standard")
    return {**prices, **named, "guaranteed_until": promised}


def _lane_record(lane: Lane, row: Model, now: datetime) -> dict[str, Any]:
    """Build a lane's member: its limits, and what it charges for the smallest prompt."""
    rule = catalog.rule_at(row, at=now, input_tokens=0, service_tier=lane.service_tier)
    return {
        "name": lane.name,
        "price_factor": lane.price_factor,
        "price": _rule_record(rule),
        "full_price": list(lane.full_price),
        "form": lane.form,
        "base_url": lane.base_url,
        "max_requests": lane.max_requests,
        "max_inline_requests": lane.max_inline_requests,
        "max_bytes": lane.max_bytes,
        "max_line_bytes": lane.max_line_bytes,
        "max_input_tokens": lane.max_input_tokens,
        "window_s": list(lane.window_s) if lane.window_s else None,
        "results_days": lane.results_days,
        "is_one_model": lane.is_one_model,
        "keeps_finished": lane.keeps_finished,
        "note": lane.note or None,
        "source": lane.source,
        "as_of": lane.checked.isoformat() if lane.checked else None,
    }
