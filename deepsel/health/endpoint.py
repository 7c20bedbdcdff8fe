"""What health is kept of."""

from __future__ import annotations

from deepsel.records import NamedTuple


class Endpoint(NamedTuple):
    """Who was asked: a provider and the catalog name of a model there."""

    provider: str
    model: str
