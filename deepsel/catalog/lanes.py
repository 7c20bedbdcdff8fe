"""Providers' slower and cheaper ways to ask: rows of `providers.json`, made into records. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from deepsel.values import Lane, Model

LANE_KEYS = frozenset(Lane._fields) - {"provider"}


def lane_from(row: Mapping[str, Any], provider: str) -> Lane:
    """Return the lane of a row of the catalog's own."""
    members = {**row, "price_factor": Decimal(row["price_factor"]), "checked": date.fromisoformat(row["checked"])}
    for name in ("models", "without"):
        members[name] = frozenset(row.get(name, ()))
    for name in ("window_s", "full_price"):
        members[name] = tuple(row.get(name, ()))
    return Lane(provider=provider, **{**members, "window_s": members["window_s"] or None})


def takes(lane: Lane, model: Model) -> bool:
    """Tell whether the lane takes a model, by its id at the provider or another name of it there."""
    ids = {model.id, *model.aliases}
    return (not lane.models or bool(ids & lane.models)) and not ids & lane.without


def with_prices(model: Model, lanes: Iterable[Lane]) -> Model:
    """Return the model with the factor of each tier that a lane which takes it is billed by; its own row of a tier stays."""
    factors = {lane.service_tier: lane.price_factor for lane in lanes if takes(lane, model)}
    return model._replace(service_tiers={**factors, **model.service_tiers}) if factors and model.prices else model
