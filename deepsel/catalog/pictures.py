"""The rules by which makers count pictures, by name; a model's row names its own. Counts nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from deepsel.catalog.files import read_data
from deepsel.values import PictureRule, PictureSize


def picture_rule_names() -> tuple[str, ...]:
    """Name every rule there is."""
    return tuple(read_data("pictures.json")["rules"])


@cache
def picture_rule(name: str) -> PictureRule:
    """Return the rule of that name, one of `picture_rule_names`."""
    row: dict[str, Any] = read_data("pictures.json")["rules"][name]
    read = {
        "sizes": {detail: _size(size) for detail, size in row["sizes"].items()},
        "each": Decimal(row.get("each", "1")),
        "flat": frozenset(row.get("flat", ())),
        "checked": date.fromisoformat(row["checked"]),
    }
    return PictureRule(name=name, **{**row, **read})


def _size(row: dict[str, Any]) -> PictureSize:
    return PictureSize(**{**row, "most": tuple(row.get("most", ()))})
