"""Data: providers, models, prices, holidays; finding them, and pricing. Sends nothing, knows no user file."""

from __future__ import annotations

from deepsel.catalog.holidays import calendar_names, is_holiday, is_published
from deepsel.catalog.lookup import Catalog, generic_provider, is_available
from deepsel.catalog.messages import language, what_to_do
from deepsel.catalog.on_demand import RowsOnDemand
from deepsel.catalog.pictures import picture_rule, picture_rule_names
from deepsel.catalog.pricing import (
    bill,
    charge,
    next_change,
    project,
    relies_on_unpublished_calendar,
    rule_at,
    rules_of_other_hours,
)
from deepsel.catalog.readers import RowError
from deepsel.catalog.rows import model_from, price_rules_from, provider_from

__all__ = [
    "Catalog",
    "RowError",
    "RowsOnDemand",
    "bill",
    "calendar_names",
    "charge",
    "generic_provider",
    "is_available",
    "is_holiday",
    "is_published",
    "language",
    "model_from",
    "next_change",
    "picture_rule",
    "picture_rule_names",
    "price_rules_from",
    "project",
    "provider_from",
    "relies_on_unpublished_calendar",
    "rule_at",
    "rules_of_other_hours",
    "what_to_do",
]
