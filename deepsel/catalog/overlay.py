"""The refreshed prices that lie over the catalog's own, in a file whose place the caller names; writes nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

FILE_NAME = "prices.json"
"""In the user's data folder."""


def read_overlay(path: Path | None, *, newer_than: date) -> dict[str, Any]:
    """Return the file's content; an empty one where there is none, it cannot be read, or the catalog is the newer of the two."""
    try:
        content = json.loads(path.read_bytes()) if path is not None else {}
        if content and date.fromisoformat(content["as_of"]) >= newer_than and isinstance(content["models"], dict):
            return dict(content)
    except (OSError, ValueError, TypeError, KeyError):
        pass  # prices of the catalog are better than none
    return {}


def overlaid(rows: dict[str, dict[str, Any]], overlay: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the raw model rows with the overlay's members in place of theirs."""
    models: dict[str, dict[str, Any]] = overlay.get("models", {})
    return {**rows, **{name: {**rows.get(name, {}), **members} for name, members in models.items()}} if models else rows
