"""What changed files cost beside what they did: read in both versions, compared on one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepsel.estimate.models import targets_of
from deepsel.estimate.pricing.change import cheapest_model, compare
from deepsel.estimate.pricing.spend import Assumptions
from deepsel.estimate.reading.sides import read_change
from deepsel.estimate.records import Change, Reading
from deepsel.values import Model, Provider


def price_change(
    revision: str | None,
    paths: Sequence[str],
    models: Sequence[Model],
    candidates: Sequence[Model],
    providers: Mapping[str, Provider],
    assumptions: Assumptions,
    *,
    env: Mapping[str, str],
) -> tuple[Reading, Change]:
    """Return the files as they are, counted for `models`, and what they cost more on the cheapest of `candidates`.

    `revision` None: what is staged is compared with HEAD. `env` is what git runs with. Raises CheckFailedError where no price is known.
    """
    sides = read_change(revision, paths, targets=targets_of(models), env=env)
    model = candidates[0]
    if len(candidates) > 1:
        model = cheapest_model(sides, candidates, providers=providers, assumptions=assumptions)
    return sides.after, compare(sides, model, providers=providers, assumptions=assumptions)
