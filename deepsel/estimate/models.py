"""Which models an estimate is for, the vocabularies they are counted in, and what has to be said about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from deepsel import catalog, config
from deepsel.config import Settings
from deepsel.estimate.records import Targets
from deepsel.tokens import reader_of
from deepsel.values import Model, Notice

ANY_VOCABULARIES = ("o200k_base", "deepseek", "qwen35", "tekken")
"""Counted where a model's own is not known: the median of several tells more than any one."""


def choose_models(names: Sequence[str], settings: Settings, *, at: datetime) -> list[Model]:
    """Return the named models, each once; without names every one that is available then.

    The user's own rows come first and replace the catalog's of the same name. Raises ConfigError for a name nobody knows.
    """
    if names:
        return list({model.name: model for model in (config.find_model(settings, name) for name in names)}.values())
    own = [model for model in settings.models.values() if not config.find_provider(settings, model.provider).is_simulated]
    known = {model.name for model in own}
    others = (model for name, model in settings.catalog.models.items() if name not in known)
    return [*own, *(model for model in others if catalog.is_available(model, on=at.date()))]


def targets_of(models: Sequence[Model]) -> Targets:
    """Return the vocabularies and readers that the models need."""
    known = {model.vocabulary for model in models if model.vocabulary}
    vocabularies = sorted(known if all(model.vocabulary for model in models) else known.union(ANY_VOCABULARIES))
    return Targets(tuple(vocabularies), tuple(dict.fromkeys(reader_of(model).of_text for model in models)))


def notices_on(models: Sequence[Model], *, at: datetime) -> list[Notice]:
    """Warn of models that do not answer then, and of prices that rest on an unpublished calendar or on a promise that is over."""
    notices = []
    for model in models:
        if not catalog.is_available(model, on=at.date()):
            notices.append(Notice("not_available", f"{model.name} does not answer on {at:%Y-%m-%d}"))
        if catalog.relies_on_unpublished_calendar(model, at=at):
            notices.append(Notice("no_calendar", f"{model.name}: the holidays of {at:%Y} are not known; taken as working days"))
    return [*notices, *_broken_promises(models, at=at)]


def _broken_promises(models: Sequence[Model], *, at: datetime) -> list[Notice]:
    """Say in one sentence whose prices were promised for a time that is over then."""
    over = {}
    for model in models:
        rule = catalog.rule_at(model, at=at, input_tokens=0)
        if rule is not None and rule.guaranteed_until is not None and rule.guaranteed_until < at.date():
            over[model.name] = f"{model.name} (until {rule.guaranteed_until})"
    if not over:
        return []
    return [Notice("promise_over", f"prices were promised for a time that is over, and may be others by now: {', '.join(over.values())}")]
