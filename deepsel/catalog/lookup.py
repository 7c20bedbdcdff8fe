"""The catalog as a value: providers and models by the names people type and the ids providers answer.

Its own data files are read once a process; the refreshed prices of a user lie over them in the catalog that was opened with
their file. A row is parsed when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from deepsel.catalog.files import read_data
from deepsel.catalog.lanes import lane_from, takes, with_prices
from deepsel.catalog.on_demand import RowsOnDemand
from deepsel.catalog.overlay import REFRESH, overlaid, read_overlay
from deepsel.catalog.pricing import scaled
from deepsel.catalog.readers import RowError
from deepsel.catalog.rows import model_from, provider_from
from deepsel.errors import ConfigError
from deepsel.values import Lane, Model, Provider
from deepsel.wires.table import ROWS

ANY_MAKER = "*"
# Members of the data files that steer the look-up and are no field of a record.
PROVIDER_EXTRAS = frozenset({"like", "note", "models_of", "keeps_prices", "model_defaults", "base_url_env", "host_env", "lanes"})
MODEL_EXTRAS = frozenset({"like", "regional_multiplier"})
_DATE_SUFFIX = re.compile(r"-20\d\d-?\d\d-?\d\d\Z")


class Catalog:
    """Providers, models and prices, as they are with one user's refreshed prices; never changes. Safe for many threads."""

    def __init__(self, overlay: Path | None = None) -> None:
        """Read nothing yet; `overlay` is a file of refreshed prices, which need not be there."""
        self.overlay = overlay

    def __reduce__(self) -> tuple[type[Catalog], tuple[Path | None]]:
        """Travel to another process as the file it was opened with."""
        return Catalog, (self.overlay,)

    # --- the tables ---------------------------------------------------------------------------------------------------

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """Every built-in provider by name."""
        return _built_in_providers()

    @cached_property
    def address_variables(self) -> frozenset[str]:
        """The variables that may give a built-in provider's address; no row is parsed for them."""
        return frozenset(row[name] for row in _provider_rows().values() for name in ("base_url_env", "host_env") if row.get(name))

    @cached_property
    def key_variables(self) -> frozenset[str]:
        """The variables that may hold a built-in provider's key; no row is parsed for them."""
        return frozenset(row["api_key_env"] for row in _provider_rows().values() if row.get("api_key_env"))

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """Every model of the catalog by name, makers in the file's order."""
        return RowsOnDemand(self.model_rows, self._model)

    @cached_property
    def default_models(self) -> tuple[str, ...]:
        """The names of the models that a user without a file gets as candidates."""
        return tuple(name for name, row in self.model_rows.items() if row.get("is_default"))

    @cached_property
    def as_of(self) -> date:
        """The day the prices were last read, by us or by the user's last refresh."""
        return date.fromisoformat(self._overlaid.get("as_of") or read_data("models.json")["as_of"])

    @cached_property
    def model_rows(self) -> Mapping[str, dict[str, Any]]:
        """The raw rows of all models, refreshed prices included; shared, so never to be changed."""
        return overlaid(read_data("models.json")["models"], self._overlaid)

    def age_days(self, now: datetime) -> int:
        """Return the whole days since the prices were last read; 0 where the clock stands before that."""
        return max(0, (now.astimezone(UTC).date() - self.as_of).days)

    # --- finding ------------------------------------------------------------------------------------------------------

    def find_model(self, name: str) -> Model:
        """Return the model of a catalog name, an alias or `PROVIDER/ANY-ID`; raise ConfigError naming near matches."""
        known = self._names.get(name)
        if known is not None:
            return self.models[known]
        provider, _, wire_id = name.partition("/")
        if wire_id and provider in self.providers:
            return self.model_at(provider, wire_id)
        import difflib  # only a mistake needs it

        lasting = [one for one, known in self._names.items() if "retires" not in self.model_rows[known]]
        near = difflib.get_close_matches(name, lasting, n=3)
        meant = " or ".join(f"`{one}`" for one in near)
        hint = f"did you mean {meant}?" if meant else "`deepsel models` lists them; any other is `PROVIDER/ID`"
        raise ConfigError(f"no model is called `{name}`", hint)

    def model_at(self, provider: str, wire_id: str) -> Model:
        """Return the model that a built-in provider calls `wire_id`.

        A maker's model at a regional host or a gateway keeps its limits; its prices only where the host is known to charge
        them. An id in no row has unknown limits and prices.
        """
        known = self._known_at(provider, wire_id)
        if known is not None:
            return known
        row = _provider_row(provider)
        if row.get("models_of") == ANY_MAKER:
            twin = self._names.get(wire_id.rpartition("/")[2].partition(":")[0])
            if twin is not None:
                return self._hosted(self.models[twin], provider=provider, wire_id=wire_id)
        defaults = {"provider": provider, "id": wire_id, **row.get("model_defaults", {})}
        return model_from(defaults, f"{provider}/{wire_id}")

    def price_row_for_answer(self, model: Model, answered_id: str | None) -> Model:
        """Return the row to bill by: the answered id's where the catalog prices it at that provider, else the asked one.

        A full date at the end of the answered id is looked past (`gpt-6-sol-2026-10-01`).
        """
        if not answered_id or model.provider not in self.providers:
            return model
        for wire_id in (answered_id, _DATE_SUFFIX.sub("", answered_id)):
            row = model if wire_id in (model.id, *model.aliases) else self._known_at(model.provider, wire_id)
            if row is not None and model.id in (row.id, *row.aliases):
                return model  # the same row; the asked one may hold the user's own prices
            if row is not None and row.prices:
                return row
        return model

    def lanes(self, model: Model) -> tuple[Lane, ...]:
        """Return the slower and cheaper ways to ask its provider that take the model; empty for a provider of the user's own."""
        return tuple(lane for lane in _lanes(model.provider) if takes(lane, model)) if model.provider in self.providers else ()

    def is_known_at(self, model: Model, answered_id: str) -> bool:
        """Return whether the catalog knows the id that answered: as the asked row, or as another one of its provider."""
        ids = (answered_id, _DATE_SUFFIX.sub("", answered_id))
        return any(one in (model.id, *model.aliases) or self._known_at(model.provider, one) is not None for one in ids)

    # --- within -------------------------------------------------------------------------------------------------------

    @cached_property
    def _overlaid(self) -> dict[str, Any]:
        own = date.fromisoformat(read_data("models.json")["as_of"])
        return read_overlay(self.overlay, newer_than=own)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Every name and alias, and the catalog name each stands for; a name comes before an alias."""
        rows = self.model_rows
        aliases = {alias: name for name, row in rows.items() for alias in row.get("aliases", ())}
        return {**aliases, **{name: name for name in rows}}

    @cached_property
    def _wire_ids(self) -> Mapping[tuple[str, str], str]:
        """The catalog name of each (provider, id, alias or name)."""
        index: dict[tuple[str, str], str] = {}
        for name, row in self.model_rows.items():
            for wire_id in (row["id"], *row.get("aliases", ()), name):
                index.setdefault((row["provider"], wire_id), name)
        return index

    def _known_at(self, provider: str, wire_id: str) -> Model | None:
        """Return the row of that very id at the provider, or at the maker whose models the provider serves regionally."""
        known = self._wire_ids.get((provider, wire_id))
        if known is not None:
            return self.models[known]
        twin = self._wire_ids.get((_provider_row(provider).get("models_of", ""), wire_id))
        return None if twin is None else self._hosted(self.models[twin], provider=provider, wire_id=wire_id)

    def _hosted(self, base: Model, *, provider: str, wire_id: str) -> Model:
        """Return a maker's model as another host serves it."""
        row = _provider_row(provider)
        moved = base._replace(name=f"{provider}/{wire_id}", provider=provider, id=wire_id, aliases=())
        moved = moved._replace(prices=(), is_default=False, note="")
        if row.get("models_of") != base.provider:
            # Another maker's gateway has its own switches, tiers, ways to count pictures, and retirements.
            moved = moved._replace(reasoning_off=None, params={}, service_tiers={}, pictures=None)
            return moved._replace(available_from=None, retires=None)
        moved = moved._replace(aliases=tuple(one for one in (base.id, *base.aliases) if one != wire_id))
        if not row.get("keeps_prices"):
            return moved._replace(service_tiers={})
        factor = Decimal(self.model_rows[base.name].get("regional_multiplier", "1"))
        return moved._replace(prices=tuple(scaled(rule, factor) for rule in base.prices))

    def _model(self, name: str) -> Model:
        row = self.model_rows[name]
        try:
            return self._parsed(row, name)
        except (RowError, KeyError, TypeError) as error:
            own = read_data("models.json")["models"].get(name)
            if own is not None and own is not row:  # the catalog's price is better than none
                return self._parsed(own, name)
            raise ConfigError(f"the refreshed row of `{name}` cannot be read: {error}", REFRESH) from error

    def _parsed(self, row: Mapping[str, Any], name: str) -> Model:
        base = self._hosted(self.models[row["like"]], provider=row["provider"], wire_id=row["id"]) if "like" in row else None
        return with_prices(model_from(_without(row, MODEL_EXTRAS), name, base=base), _lanes(row["provider"]))


def is_available(model: Model, *, on: date) -> bool:
    """Return whether the model answers on that day, as far as its row knows."""
    has_begun = model.available_from is None or model.available_from <= on
    return has_begun and (model.retires is None or on < model.retires)


# --- providers, which no refresh changes ------------------------------------------------------------------------------


def generic_provider(wire: object) -> Provider | None:
    """Return the row that a provider of the user's own starts from, its base URL empty; None where that is no wire."""
    row = ROWS.get(wire) if isinstance(wire, str) else None
    return None if row is None else _built_in_providers()[row.generic]


@cache
def _built_in_providers() -> Mapping[str, Provider]:
    return RowsOnDemand(_provider_rows(), _built_in_provider)


def _built_in_provider(name: str) -> Provider:
    row = _provider_row(name)
    provider = provider_from(_without(row, PROVIDER_EXTRAS), name)
    return provider._replace(base_url_env=row.get("base_url_env"), host_env=row.get("host_env"))


def _provider_rows() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = read_data("providers.json")["providers"]
    return rows


@cache
def _provider_row(name: str) -> dict[str, Any]:
    """Return a provider's row on top of the one it is like."""
    row = _provider_rows()[name]
    return {**_provider_rows()[row["like"]], **row} if "like" in row else row


@cache
def _lanes(provider: str) -> tuple[Lane, ...]:
    """Return a provider's lanes; those of a host that is like another are the other's, unless it has its own."""
    return tuple(lane_from(row, provider) for row in _provider_row(provider).get("lanes", ()))


def _without(row: Mapping[str, Any], extras: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in extras}
