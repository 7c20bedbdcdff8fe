"""The models that clients may name, in the shape of either wire."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from deepsel import config
from deepsel.config import Settings
from deepsel.errors import ConfigError
from deepsel.serve.names import AUTO
from deepsel.values import STRATEGIES, JsonObject, Model

_OURS = "deepsel"


def page(settings: Settings, *, is_anthropic: bool) -> JsonObject:
    """List what can be asked for: deepsel's own names first, then the candidates of the profiles, then the catalog."""
    rows = [_row(name, _found(settings, name), is_anthropic=is_anthropic) for name in names(settings)]
    if is_anthropic:
        ids = [str(row["id"]) for row in rows]
        return {"data": list(rows), "has_more": False, "first_id": ids[0], "last_id": ids[-1]}
    return {"object": "list", "data": list(rows)}


def one(settings: Settings, name: str, *, is_anthropic: bool) -> JsonObject | None:
    """Return one of them; None where there is none of that name."""
    model = _found(settings, name)
    return _row(name, model, is_anthropic=is_anthropic) if model is not None or name in names(settings) else None


def names(settings: Settings) -> list[str]:
    """Name everything that can be asked for, `PROVIDER/ID` aside."""
    own = [AUTO, *(f"{AUTO}:{one}" for one in STRATEGIES), *(f"profile:{one}" for one in settings.profiles)]
    candidates = [name for profile in settings.profiles.values() for name in profile.models]
    return list(dict.fromkeys([*own, *settings.serve.aliases, *candidates, *settings.models, *settings.catalog.models]))


def _found(settings: Settings, name: str) -> Model | None:
    try:
        return config.find_model(settings, settings.serve.aliases.get(name, name))
    except ConfigError:
        return None


def _row(name: str, model: Model | None, *, is_anthropic: bool) -> JsonObject:
    """Write one of them; its day is the one from which it is sold, where that is known."""
    day = model.available_from if model is not None and model.available_from is not None else date(1970, 1, 1)
    created = datetime.combine(day, time(), UTC)
    if is_anthropic:
        row: JsonObject = {"type": "model", "id": name, "display_name": name, "created_at": _instant(day), **_ending(model)}
        return row if model is None else {**row, "max_input_tokens": model.context_window, "max_tokens": model.max_output}
    return {
        "id": name,
        "object": "model",
        "created": int(created.timestamp()),
        "owned_by": _OURS if model is None else model.provider,
    }


def _ending(model: Model | None) -> JsonObject:
    """Say whether a model is on its way out, and when that ends."""
    if model is None or model.retires is None:
        return {"lifecycle": "active"}
    return {"lifecycle": "deprecated", "retires_at": _instant(model.retires)}


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
