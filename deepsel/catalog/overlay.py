"""The refreshed prices that lie over the catalog's own, in a file whose place the caller names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from deepsel.jsontext import loads
from deepsel.reads import read_file

FILE_NAME = "prices.json"
"""In the user's data folder."""
_MOST_BYTES = 64 << 20


def read_overlay(path: Path | None, *, newer_than: date) -> dict[str, Any]:
    """Return the file's content; an empty one where there is none, it cannot be read, or the catalog is the newer of the two."""
    try:
        content = loads(read_file(path, most_bytes=_MOST_BYTES)) if path is not None else {}
        if content and date.fromisoformat(content["as_of"]) >= newer_than and isinstance(content["models"], dict):
            return dict(content)
    except (OSError, ValueError, TypeError, KeyError):
        pass  # prices of the catalog are better than none
    return {}


def overlaid(rows: dict[str, dict[str, Any]], overlay: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the raw model rows with the overlay's members in place of theirs."""
    models: dict[str, dict[str, Any]] = overlay.get("models", {})
    return {**rows, **{name: {**rows.get(name, {}), **members} for name, members in models.items()}} if models else rows


def write_overlay(path: Path, rows: Mapping[str, Mapping[str, Any]], *, at: datetime, newer_than: date) -> None:
    """Lay rows over what earlier refreshes wrote, whole or not at all; raises OSError.

    What is not newer than the catalog of `newer_than` is dropped.
    """
    from deepsel.storage import files  # reading, which is what starts do, writes nothing

    earlier = read_overlay(path, newer_than=newer_than).get("models", {})
    content = {
        "as_of": at.date().isoformat(),
        "about": "Prices taken over by `deepsel models --refresh`; they lie over the catalog's until that is newer.",
        "models": {**earlier, **rows},
    }
    files.make_private_folder(path.parent)
    files.write_whole(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace"))
