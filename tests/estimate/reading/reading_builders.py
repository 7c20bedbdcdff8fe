"""What the reading tests count in."""

from __future__ import annotations

from collections.abc import Sequence

from deepsel.estimate.records import Targets
from deepsel.tokens import ModelReader
from deepsel.tokens.templates.table import OF_VOCABULARY


def targets_for(names: Sequence[str]) -> Targets:
    """Return vocabularies and, for each, its usual reader."""
    return Targets(tuple(names), tuple(reader_for(name) for name in names))


def reader_for(name: str) -> ModelReader:
    """Return the usual reader of a vocabulary."""
    return ModelReader(name, OF_VOCABULARY[name], None, None)
