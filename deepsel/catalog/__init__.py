"""Data: providers, models, prices, holidays; finding them, and pricing. Sends nothing, knows no user file."""

from __future__ import annotations

from deepsel.catalog.holidays import calendar_names, is_holiday, is_published
from deepsel.catalog.lookup import (
    as_of,
    catalog_age_days,
    default_models,
    find_model,
    generic_provider,
    is_available,
    is_known_at,
    model_at,
    model_rows,
    models,
    price_row_for_answer,
    providers,
    use_overlay,
)
from deepsel.catalog.messages import language, what_to_do
from deepsel.catalog.pricing import (
    bill,
    charge,
    next_change,
    project,
    relies_on_unpublished_calendar,
    rule_at,
    rules_of_other_hours,
)
from deepsel.catalog.rows import RowError, model_from, price_rules_from, provider_from

__all__ = [
    "RowError",
    "as_of",
    "bill",
    "calendar_names",
    "catalog_age_days",
    "charge",
    "default_models",
    "find_model",
    "generic_provider",
    "is_available",
    "is_holiday",
    "is_known_at",
    "is_published",
    "language",
    "model_at",
    "model_from",
    "model_rows",
    "models",
    "next_change",
    "price_row_for_answer",
    "price_rules_from",
    "project",
    "provider_from",
    "providers",
    "relies_on_unpublished_calendar",
    "rule_at",
    "rules_of_other_hours",
    "use_overlay",
    "what_to_do",
]
