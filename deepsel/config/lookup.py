"""Finds a model or a provider by name: the user's own rows first, then the catalog's."""

from __future__ import annotations

from deepsel.config.nearest import nearest_hint
from deepsel.config.settings import Settings
from deepsel.errors import ConfigError
from deepsel.values import Model, Provider


def find_model(settings: Settings, name: str) -> Model:
    """Return the model called `name`; raise ConfigError with near matches.

    `PROVIDER/ID` works for the user's own providers too, with unknown limits and prices.
    """
    if name in settings.models:
        return settings.models[name]
    provider, _, wire_id = name.partition("/")
    if wire_id and provider in settings.providers and provider not in settings.catalog.providers:
        return Model(name=name, provider=provider, id=wire_id)
    try:
        return settings.catalog.find_model(name)
    except ConfigError as error:
        raise ConfigError(error.message, nearest_hint(name, current_names(settings)) or error.hint) from None


def current_names(settings: Settings) -> list[str]:
    """List the names worth suggesting: the user's own, and the catalog's that no row says will go."""
    rows = settings.catalog.model_rows
    return [*settings.models, *(name for name, row in rows.items() if "retires" not in row and name not in settings.models)]


def find_provider(settings: Settings, name: str) -> Provider:
    """Return the provider called `name`; raise ConfigError."""
    found = settings.providers.get(name) or settings.catalog.providers.get(name)
    if found is None:
        raise ConfigError(f"there is no provider `{name}`")
    return found
