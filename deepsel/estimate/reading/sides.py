"""Both versions of the files that changed, each counted as a reading of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from deepsel.estimate.reading.git import ChangedFile, changed_files
from deepsel.estimate.reading.read import read_text
from deepsel.estimate.records import Input, Reading, Skipped, Targets

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


def read_change(
    revision: str | None, paths: Sequence[str], *, targets: Targets, env: Mapping[str, str]
) -> Sides:
    """Read what differs from a revision or range, None: what is staged; raises UsageError where git cannot tell.

    `env` is what git is run with: a hook's index is named by it.
    """
    return read_sides(changed_files(revision, paths, env=env), partial(read_text, targets=targets))
