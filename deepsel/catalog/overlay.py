"""The refreshed prices that lie over the catalog's own, in a file whose place the caller names."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from deepsel.jsontext import loads
from deepsel.storage import files
from deepsel.storage.owners import Suspicion, fault

_MOST_BYTES = 1 << 26
FILE_NAME = "prices.json"
"""In the user's data folder."""
REFRESH = "`deepsel models --refresh` writes it anew"


def read_overlay(path: Path | None, *, newer_than: date) -> dict[str, Any]:
    """Return the file's content; an empty one where there is none, it cannot be read, or the catalog is the newer of the two.

    So is one that is not the user's own, see `suspicion`.
    """
    content = _content(path)
    return content if content and date.fromisoformat(content["as_of"]) >= newer_than else {}


def is_damaged(path: Path | None) -> bool:
    """Tell whether there is something in the file's place that cannot be read: prices of the catalog are better than none."""
    return path is not None and os.path.lexists(path) and _content(path) is None


def suspicion(path: Path) -> Suspicion | None:
    """Say why the file is not believed; None where it is, or is not there."""
    return fault(path.parent, path) if os.path.lexists(path) else None


def overlaid(rows: dict[str, dict[str, Any]], overlay: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the raw model rows with the overlay's members in place of theirs; what makes no row is passed over."""
    models: dict[str, Any] = overlay.get("models", {})
    laid = {name: {**rows.get(name, {}), **members} for name, members in models.items() if isinstance(members, dict)}
    return {**rows, **{name: row for name, row in laid.items() if _is_row(row)}} if models else rows


def _content(path: Path | None) -> dict[str, Any] | None:
    """Read the file; empty where there is none, None where it is no overlay."""
    try:
        content = loads(files.read_own(path, most_bytes=_MOST_BYTES)) if path is not None and not suspicion(path) else {}
        is_whole = not content or (date.fromisoformat(content["as_of"]) and isinstance(content["models"], dict))
        return dict(content) if is_whole else None
    except OSError:
        return None if os.path.lexists(path or "") else {}  # a folder that cannot be looked into is told of elsewhere
    except (ValueError, TypeError, KeyError):
        return None


def _is_row(row: Mapping[str, Any]) -> bool:
    """Tell whether a row names what it is the row of."""
    aliases = row.get("aliases", [])
    names = [row.get("provider"), row.get("id"), *(aliases if isinstance(aliases, list) else [None])]
    return all(isinstance(name, str) for name in names)


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
