"""Finds providers and models by the names people type and the ids providers answer; parses a row when asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from deepsel.catalog.files import read_data
from deepsel.catalog.overlay import overlaid, read_overlay
from deepsel.catalog.pricing import scaled
from deepsel.catalog.rows import model_from, provider_from
from deepsel.errors import ConfigError
from deepsel.values import Model, Provider
from deepsel.wires.table import ROWS

ANY_MAKER = "*"
# Members of the data files that steer the look-up and are no field of a record.
PROVIDER_EXTRAS = frozenset({"like", "note", "models_of", "keeps_prices", "model_defaults"})
MODEL_EXTRAS = frozenset({"like", "regional_multiplier"})

_Row = TypeVar("_Row")


class _Rows(Mapping[str, _Row], Generic[_Row]):
    """A read-only mapping that makes each record when it is first asked for."""

    def __init__(self, names: Mapping[str, Any], make: Callable[[str], _Row]) -> None:
        self._names = names
        self._make = cache(make)

    def __getitem__(self, name: str) -> _Row:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


# --- the tables -------------------------------------------------------------------------------------------------------


@cache
def providers() -> Mapping[str, Provider]:
    """Return every built-in provider by name."""
    return _Rows(_provider_rows(), lambda name: provider_from(_without(_provider_row(name), PROVIDER_EXTRAS), name))


@cache
def models() -> Mapping[str, Model]:
    """Return every model of the catalog by name, makers in the file's order."""
    return _Rows(_model_rows(), _catalog_model)


@cache
def default_models() -> tuple[str, ...]:
    """Return the names of the models that a user without a file gets as candidates."""
    return tuple(name for name, row in _model_rows().items() if row.get("is_default"))


def generic_provider(wire: str) -> Provider:
    """Return the row that a provider of the user's own starts from; its base URL is empty."""
    return providers()[ROWS[wire].generic]


def as_of() -> date:
    """Return the day the prices were last read, by us or by the user's last refresh."""
    return date.fromisoformat(_overlay().get("as_of") or read_data("models.json")["as_of"])


_overlay_path: list[Path] = []


def use_overlay(path: Path) -> None:
    """Lay the refreshed prices of that file over the catalog's from now on; a file that is not there changes nothing."""
    if _overlay_path == [path]:
        return
    _overlay_path[:] = [path]
    for cached in (_overlay, _model_rows, models, default_models, _names, _wire_ids):
        cached.cache_clear()


@cache
def _overlay() -> dict[str, Any]:
    own = date.fromisoformat(read_data("models.json")["as_of"])
    return read_overlay(_overlay_path[0], newer_than=own) if _overlay_path else {}


def catalog_age_days(now: datetime) -> int:
    """Return the whole days since the prices were last read; 0 where the clock stands before that."""
    return max(0, (now.astimezone(UTC).date() - as_of()).days)


def is_available(model: Model, *, on: date) -> bool:
    """Return whether the model answers on that day, as far as its row knows."""
    has_begun = model.available_from is None or model.available_from <= on
    return has_begun and (model.retires is None or on < model.retires)


# --- finding ----------------------------------------------------------------------------------------------------------


def find_model(name: str) -> Model:
    """Return the model of a catalog name, an alias or `PROVIDER/ANY-ID`; raise ConfigError naming near matches."""
    known = _names().get(name)
    if known is not None:
        return models()[known]
    provider, _, wire_id = name.partition("/")
    if wire_id and provider in providers():
        return model_at(provider, wire_id)
    import difflib  # only a mistake needs it

    near = difflib.get_close_matches(name, list(_names()), n=3)
    meant = " or ".join(f"`{one}`" for one in near)
    hint = f"did you mean {meant}?" if meant else "`deepsel models` lists them; any other is `PROVIDER/ID`"
    raise ConfigError(f"no model is called `{name}`", hint)


def model_at(provider: str, wire_id: str) -> Model:
    """Return the model that a built-in provider calls `wire_id`.

    A maker's model at a regional host or a gateway keeps its limits; its prices only where the host is known to charge
    them. An id in no row has unknown limits and prices.
    """
    known = _known_at(provider, wire_id)
    if known is not None:
        return known
    row = _provider_row(provider)
    if row.get("models_of") == ANY_MAKER:
        twin = _names().get(wire_id.rpartition("/")[2].partition(":")[0])
        if twin is not None:
            return _hosted(models()[twin], provider=provider, wire_id=wire_id)
    defaults = {"provider": provider, "id": wire_id, **row.get("model_defaults", {})}
    return model_from(defaults, f"{provider}/{wire_id}")


def price_row_for_answer(model: Model, answered_id: str | None) -> Model:
    """Return the row to bill by: the answered id's where the catalog prices it at that provider, else the asked one.

    A full date at the end of the answered id is looked past (`gpt-6-sol-2026-10-01`).
    """
    if not answered_id or model.provider not in providers():
        return model
    for wire_id in (answered_id, _DATE_SUFFIX.sub("", answered_id)):
        row = model if wire_id in (model.id, *model.aliases) else _known_at(model.provider, wire_id)
        if row is not None and model.id in (row.id, *row.aliases):
            return model  # the same row; the asked one may hold the user's own prices
        if row is not None and row.prices:
            return row
    return model


def is_known_at(model: Model, answered_id: str) -> bool:
    """Return whether the catalog knows the id that answered: as the asked row, or as another one of its provider."""
    ids = (answered_id, _DATE_SUFFIX.sub("", answered_id))
    return any(one in (model.id, *model.aliases) or _known_at(model.provider, one) is not None for one in ids)


_DATE_SUFFIX = re.compile(r"-20\d\d-?\d\d-?\d\d\Z")


def _known_at(provider: str, wire_id: str) -> Model | None:
    """Return the row of that very id at the provider, or at the maker whose models the provider serves regionally."""
    known = _wire_ids().get((provider, wire_id))
    if known is not None:
        return models()[known]
    twin = _wire_ids().get((_provider_row(provider).get("models_of", ""), wire_id))
    return None if twin is None else _hosted(models()[twin], provider=provider, wire_id=wire_id)


def _hosted(base: Model, *, provider: str, wire_id: str) -> Model:
    """Return a maker's model as another host serves it."""
    row = _provider_row(provider)
    moved = base._replace(name=f"{provider}/{wire_id}", provider=provider, id=wire_id, aliases=())
    moved = moved._replace(prices=(), is_default=False, note="")
    if row.get("models_of") != base.provider:
        # Another maker's gateway has its own switches, tiers and retirements.
        return moved._replace(reasoning_off=None, params={}, service_tiers={}, available_from=None, retires=None)
    moved = moved._replace(aliases=tuple(one for one in (base.id, *base.aliases) if one != wire_id))
    if not row.get("keeps_prices"):
        return moved._replace(service_tiers={})
    factor = Decimal(_model_rows()[base.name].get("regional_multiplier", "1"))
    return moved._replace(prices=tuple(scaled(rule, factor) for rule in base.prices))


# --- raw rows and their indexes ---------------------------------------------------------------------------------------


def _provider_rows() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = read_data("providers.json")["providers"]
    return rows


@cache
def _provider_row(name: str) -> dict[str, Any]:
    """Return a provider's row on top of the one it is like."""
    row = _provider_rows()[name]
    return {**_provider_rows()[row["like"]], **row} if "like" in row else row


@cache
def _model_rows() -> dict[str, dict[str, Any]]:
    return overlaid(read_data("models.json")["models"], _overlay())


def model_rows() -> Mapping[str, dict[str, Any]]:
    """Return the raw rows of all models, refreshed prices included; shared, so never to be changed."""
    return _model_rows()


def _catalog_model(name: str) -> Model:
    row = _model_rows()[name]
    base = _hosted(models()[row["like"]], provider=row["provider"], wire_id=row["id"]) if "like" in row else None
    return model_from(_without(row, MODEL_EXTRAS), name, base=base)


def _without(row: Mapping[str, Any], extras: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in extras}


@cache
def _names() -> Mapping[str, str]:
    """Return every name and alias, and the catalog name each stands for; a name comes before an alias."""
    rows = _model_rows()
    aliases = {alias: name for name, row in rows.items() for alias in row.get("aliases", ())}
    return {**aliases, **{name: name for name in rows}}


@cache
def _wire_ids() -> Mapping[tuple[str, str], str]:
    """Return the catalog name of each (provider, id, alias or name)."""
    index: dict[tuple[str, str], str] = {}
    for name, row in _model_rows().items():
        for wire_id in (row["id"], *row.get("aliases", ()), name):
            index.setdefault((row["provider"], wire_id), name)
    return index
