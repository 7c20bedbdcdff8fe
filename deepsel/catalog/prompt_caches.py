"""How providers keep the beginnings of prompts: for how long, how much of one is read from there, and whether marks ask for it."""

from __future__ import annotations

from datetime import date

from deepsel.catalog.files import read_data
from deepsel.records import NamedTuple


class PromptCache(NamedTuple):
    """A provider's cache of prompts."""

    life_s: float
    """So long after its last use a beginning is mostly there."""
    share: float
    """Of a beginning that is there, what is read from it, by the maker's word or ours; what an answer reports goes before it."""
    needs_marks: bool
    """Whether it keeps nothing unless the request marks what."""
    source: str
    checked: date


def prompt_cache(provider: str) -> PromptCache | None:
    """Return what is known of a provider's cache, a regional host's by its maker's row; None: nothing."""
    rows = read_data("prompt_caches.json")["providers"]
    row = rows.get(provider) or rows.get(provider.partition("-")[0])
    if row is None:
        return None
    needs_marks = bool(row.get("needs_marks"))
    return PromptCache(row["life_s"], row["share"], needs_marks, row["source"], date.fromisoformat(row["checked"]))
