"""How a model's strengths are shown, each with whose word it is."""

from __future__ import annotations

from typing import Any

from deepsel.catalog.strengths import strength_source
from deepsel.values import Model


def strength_lines(row: Model) -> list[tuple[str, str]]:
    """Return a line for each source, with what it says; guesses last."""
    found: dict[str, list[str]] = {}
    for task, value in row.capability.items():
        found.setdefault(strength_source(row, task).words, []).append(f"{task} {value:.2f}")
    lines = sorted(found.items(), key=lambda line: line[0].startswith("a guess"))
    return [("strength" if at == 0 else "", f"{', '.join(figures)} ({words})") for at, (words, figures) in enumerate(lines)]


def strength_members(row: Model) -> dict[str, Any]:
    """Return the source of every strength, by task, for the record."""
    members = {}
    for task, value in row.capability.items():
        known = strength_source(row, task)
        members[task] = {
            "value": value, "source": known.source, "as_of": known.as_of,
            "mode": known.mode, "error": known.error, "about": known.about or None,
        }  # fmt: skip
    return members
