"""The refreshed prices that lie over the catalog's own, in a file whose place the caller names."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from deepsel.storage import files
from deepsel.storage.owners import Suspicion, fault

FILE_NAME = "prices.json"
"""In the user's data folder."""


def read_overlay(path: Path | None, *, newer_than: date) -> dict[str, Any]:
    """Return the file's content; an empty one where there is none, it cannot be read, or the catalog is the newer of the two.

    So is one that is not the user's own, see `suspicion`.
    """
    try:
        content = json.loads(files.read_own(path)) if path is not None and not suspicion(path) else {}
        if content and date.fromisoformat(content["as_of"]) >= newer_than and isinstance(content["models"], dict):
            return dict(content)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass  # prices of the catalog are better than none
    return {}


def suspicion(path: Path) -> Suspicion | None:
    """Say why the file is not believed; None where it is, or is not there."""
    return fault(path.parent, path) if os.path.lexists(path) else None


def overlaid(rows: dict[str, dict[str, Any]], overlay: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the raw model rows with the overlay's members in place of theirs."""
    models: dict[str, dict[str, Any]] = overlay.get("models", {})
    return {**rows, **{name: {**rows.get(name, {}), **members} for name, members in models.items()}} if models else rows


def write_overlay(path: Path, rows: Mapping[str, Mapping[str, Any]], *, at: datetime, newer_than: date) -> None:
    """Lay rows over what earlier refreshes wrote, whole or not at all; raises OSError.

    What is not newer than the catalog of `newer_than` is dropped.
    """
    earlier = read_overlay(path, newer_than=newer_than).get("models", {})
    content = {
        "as_of": at.date().isoformat(),
        "about": "Prices taken over by `deepsel models --refresh`; they lie over the catalog's until that is newer.",
        "models": {**earlier, **rows},
    }
    files.make_private_folder(path.parent)
    files.write_whole(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace"))
