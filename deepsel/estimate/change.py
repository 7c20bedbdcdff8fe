"""Compares what changed files cost with what they cost before, on one model. Reads nothing: git.py and a reader do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from deepsel.errors import CheckFailedError
from deepsel.estimate.git import ChangedFile
from deepsel.estimate.records import Change, Input, Reading, Skipped
from deepsel.estimate.spend import Assumptions, project
from deepsel.values import Model, Provider

ReadText: TypeAlias = Callable[[str, bytes], Input | Skipped]
"""Counts one text in memory, given the path it stands under."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The changed files as they were and as they are; a file stands under its new name in both."""

    before: Reading
    after: Reading


def read_sides(changed: Iterable[ChangedFile | Skipped], read_text: ReadText) -> Sides:
    """Count both versions of every file; one that is no text on either side is skipped on both, with its reason."""
    before: list[Input] = []
    after: list[Input] = []
    skipped: list[Skipped] = []
    for file in changed:
        if isinstance(file, Skipped):
            skipped.append(file)
            continue
        old, new = (None if data is None else read_text(file.path, data) for data in (file.before, file.after))
        reason = next((side for side in (old, new) if isinstance(side, Skipped)), None)
        if reason is not None:
            skipped.append(reason)
            continue
        before += [old] if isinstance(old, Input) else []
        after += [new] if isinstance(new, Input) else []
    return Sides(Reading(tuple(before), tuple(skipped)), Reading(tuple(after), tuple(skipped)))


def compare(
    sides: Sides, model: Model, *, providers: Mapping[str, Provider], assumptions: Assumptions
) -> Change:
    """Return the cost of each changed file before and after; raise CheckFailedError where the model's price is unknown.

    Only the text counts: what a provider adds around a message is the same for every version of it.
    """
    bare = model._replace(framing_tokens=0)
    costs: list[dict[str, Decimal]] = []
    for reading in (sides.before, sides.after):
        rows = project(reading, [bare], providers=providers, assumptions=assumptions, by="file")
        unknown = next((row for row in rows if row.total_usd is None), None)
        if unknown is not None:
            raise CheckFailedError(f"the change cannot be priced: {unknown.reason}", "name a model of known price with `-m`")
        costs.append({row.group: row.total_usd for row in rows if row.total_usd is not None})
    before, after = costs
    files = [(path, before.get(path, Decimal(0)), after.get(path, Decimal(0))) for path in {**before, **after}]
    files.sort(key=lambda file: (file[1] - file[2], file[0]))
    return Change(model.name, sum(before.values(), Decimal(0)), sum(after.values(), Decimal(0)), tuple(files))
