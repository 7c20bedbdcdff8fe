"""Where the catalog's strengths come from; owns no figure (those are in `models.json`) and is read only to be shown."""

from __future__ import annotations

from functools import cache
from typing import Any

from deepsel.catalog.files import read_data
from deepsel.records import NamedTuple
from deepsel.values import Model

GUESS = "guess"
YOURS = "your profiles.toml"


class StrengthSource(NamedTuple):
    """Whose word a strength is."""

    source: str
    """The table's name, `estimated from NAME`, `guess`, or `your profiles.toml`."""
    as_of: str | None = None
    """The month it was read."""
    mode: str | None = None
    """Whether the model was thinking: `thinking on`, `not stated`."""
    error: float | None = None
    """How far off it may well be, on the scale of the strength; None where nobody knows."""
    about: str = ""
    """The table in full, for a reader who wants to look it up."""

    @property
    def words(self) -> str:
        """Say it in one line."""
        if self.source == GUESS:
            return "a guess"
        parts = (self.source, self.as_of, self.mode, None if self.error is None else f"±{self.error:g}")
        return ", ".join(part for part in parts if part)


def strength_source(model: Model, task: str) -> StrengthSource:
    """Return whose word a model's strength for a task is; what has no source is a guess."""
    data = _data()
    value = model.capability.get(task)
    for name in (model.name, model.name.rpartition("/")[2]):  # a gateway's row has the figures of its model
        row = data["models"].get(name, {}).get(task)
        if row is not None and row["value"] == value:
            about = data["sources"].get(row["source"], "")
            return StrengthSource(row["source"], row["as_of"], row["mode"], row["error"], about)
    known = _judged().get(model.name)
    return StrengthSource(GUESS if known is None or known.get(task) == value else YOURS)


@cache
def _data() -> dict[str, Any]:
    """Read the data file."""
    return read_data("strengths.json")


@cache
def _judged() -> dict[str, dict[str, float]]:
    """Return the catalog's own figures by model."""
    rows = read_data("models.json")["models"]
    return {name: row.get("capability") or rows.get(row.get("like", ""), {}).get("capability", {}) for name, row in rows.items()}
