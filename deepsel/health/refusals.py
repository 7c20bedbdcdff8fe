"""What hosts refused of what deepsel adds by itself, kept for a day so that the next request does not pay the refusal again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from deepsel import config
from deepsel.catalog import overlay
from deepsel.config import Settings
from deepsel.health.endpoint import Endpoint
from deepsel.health.tables import SKEW_S
from deepsel.values import Model, Notice, Provider

if TYPE_CHECKING:
    import sqlite3

    from deepsel.health.state import SharedState
    from deepsel.wires.taking_back import TakenBack

KEPT_S = 86_400.0
"""How long a host is taken at its word."""

_READ = "SELECT change FROM taken_back WHERE provider = ? AND model = ? AND until > ? AND until <= ? ORDER BY change"
_KEEP = "INSERT OR REPLACE INTO taken_back (provider, model, change, until) VALUES (?, ?, ?, ?)"
_DROP = "DELETE FROM taken_back WHERE until <= ? OR until > ?"


def read_changes(database: sqlite3.Connection, endpoint: Endpoint, *, at: float) -> tuple[TakenBack, ...]:
    """List what an endpoint has refused lately."""
    rows = database.execute(_READ, (*endpoint, at, at + KEPT_S + SKEW_S)).fetchall()
    if not rows:  # as at nearly every host: an answer from the cache need not load what follows
        return ()
    from deepsel.wires.taking_back import TakenBack

    return tuple(TakenBack(name, value) for name, _, value in (str(row[0]).partition("=") for row in rows))


def keep_changes(database: sqlite3.Connection, endpoint: Endpoint, changes: Iterable[TakenBack], *, at: float) -> None:
    """Keep what an endpoint has refused, and forget what nobody has refused for a day."""
    database.execute(_DROP, (at, at + KEPT_S + SKEW_S))
    database.executemany(_KEEP, [(*endpoint, f"{one.name}={one.value}", at + KEPT_S) for one in changes if one.lasts])


class Rows:
    """The rows of a request's candidates, as the user and the catalog have them, without what their hosts refused lately."""

    def __init__(self, settings: Settings, names: Iterable[str], state: SharedState | None, at: datetime) -> None:
        """Find them, and read once what is known; raises ConfigError for a model or provider nobody knows."""
        self._settings = settings
        models = {name: config.find_model(settings, name) for name in names}
        self.endpoints = tuple(Endpoint(model.provider, model.name) for model in models.values())
        """Whoever may be asked, in the order of the names."""
        told = state.taken_back(self.endpoints, at=at.timestamp()) if state is not None else None
        known: Mapping[Endpoint, tuple[TakenBack, ...]] = (told.value if told is not None else None) or {}
        found = {name: self._row(model, known) for name, model in models.items()}
        # Also by its own name, which is another one where somebody wrote `PROVIDER/ID` of a row that has a name.
        self._rows = {model.name: found[name] for name, model in models.items()} | found

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Say of prices that were refreshed that they cannot be read."""
        path = self._settings.catalog.overlay
        if not overlay.is_damaged(path):
            return ()
        return (Notice("prices_unreadable", f"`{path}` cannot be read; the catalog's prices hold ({overlay.REFRESH})"),)

    def __getitem__(self, name: str) -> tuple[Model, Provider]:
        return self._rows[name]

    def _row(self, model: Model, known: Mapping[Endpoint, tuple[TakenBack, ...]]) -> tuple[Model, Provider]:
        provider = config.find_provider(self._settings, model.provider)
        changes = known.get(Endpoint(model.provider, model.name), ())
        if not changes:
            return model, provider
        from deepsel.wires.taking_back import without

        return without(changes, model, provider)
