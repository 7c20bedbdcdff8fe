"""Which models a typed name means: the one that is called so, else every current one whose name contains it, cheapest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from deepsel.config.lookup import find_model, find_provider
from deepsel.errors import ConfigError

if TYPE_CHECKING:
    from deepsel.config.settings import Settings
    from deepsel.values import Model


def models_called(settings: Settings, names: Iterable[str], *, at: datetime) -> tuple[str, ...]:
    """Return the models that names or parts of names stand for at an instant, each once, in the order given.

    Raises ConfigError for a part that no current model's name contains.
    """
    found = (one for name in names for one in _called(settings, name.strip(), at))
    return tuple(dict.fromkeys(found))


def _called(settings: Settings, name: str, at: datetime) -> tuple[str, ...]:
    """Return whom one name stands for."""
    try:
        find_model(settings, name)
    except ConfigError:
        found = _containing(settings, name.lower(), at) if name else []
        if not found:
            raise
        return tuple(row.name for row in sorted(found, key=lambda row: _price(row, at)))
    return (name,)


def _containing(settings: Settings, part: str, at: datetime) -> list[Model]:
    """List the current models whose name, id or alias contains a part; those of gateways where nobody else has one."""
    rows = settings.catalog.model_rows
    known = {name: (name, row["id"], *row.get("aliases", ())) for name, row in rows.items() if name not in settings.models}
    known |= {name: (name, row.id, *row.aliases) for name, row in settings.models.items()}
    names = [name for name, called in known.items() if any(part in one.lower() for one in called)]
    found = [row for row in (find_model(settings, name) for name in names) if _is_current(settings, row, at)]
    return [row for row in found if "/" not in row.name] or found


def _is_current(settings: Settings, row: Model, at: datetime) -> bool:
    """Tell whether a model answers, and is one."""
    from deepsel.catalog import is_available

    return is_available(row, on=at.date()) and not find_provider(settings, row.provider).is_simulated


def _price(row: Model, at: datetime) -> Decimal:
    """Give what models are ordered by: a million tokens in and a million out; unknown comes last."""
    from deepsel.catalog import rule_at

    rule = rule_at(row, at=at, input_tokens=0)
    if rule is None or rule.input is None or rule.output is None:
        return Decimal("Infinity")
    return rule.input + rule.output
