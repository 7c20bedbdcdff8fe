"""Finds templates: the user's own in `templates/` beside profiles.toml, then those that are shipped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deepsel.config import nearest_hint
from deepsel.config.fields import integer, number, text
from deepsel.errors import ConfigError, UsageError
from deepsel.storage import files
from deepsel.storage.owners import fault
from deepsel.templates.records import AskTemplate

FOLDER = "templates"
_SHIPPED = Path(__file__).parent / "shipped"
_NAME = re.compile(r"[A-Za-z0-9][\w-]*")
_MOST_BYTES = 1 << 20


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise ValueError('a table of texts, e.g. { lang = "English" }')
    return dict(value)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a table")
    return dict(value)


def _extract(value: Any) -> str:
    if value is True:
        return ""
    if not isinstance(value, str):
        raise ValueError("true, or the name of a language")
    return value


_KEYS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("prompt", "about", "system", "model", "profile", "schema"), text),
    "extract": _extract,
    "max_tokens": integer(1),
    "temperature": number(0, 2),
    "params": _table,
    "defaults": _texts,
}


def folder_of(config_file: Path) -> Path:
    """Return the folder of the user's own templates, which need not be there."""
    return config_file.parent / FOLDER


def find_template(name: str, config_file: Path) -> AskTemplate:
    """Return the template of a name, the user's own before the one that is shipped.

    Raises UsageError for a name that nobody has, ConfigError for a file that is no template or not the user's own.
    """
    known = names(config_file)
    if not _NAME.fullmatch(name) or name not in known:
        raise UsageError(f"there is no template `{name}`", nearest_hint(name, known))
    own = folder_of(config_file) / f"{name}.toml"
    is_own = own.exists()
    return _read(name, own if is_own else _SHIPPED / own.name, is_shipped=not is_own)


def names(config_file: Path) -> list[str]:
    """Return the names there are, the user's own first."""
    own = sorted(path.stem for path in folder_of(config_file).glob("*.toml") if _NAME.fullmatch(path.stem))
    return list(dict.fromkeys([*own, *sorted(path.stem for path in _SHIPPED.glob("*.toml"))]))


def _read(name: str, path: Path, *, is_shipped: bool) -> AskTemplate:
    import tomllib

    suspect = None if is_shipped else fault(path.parent, path)
    if suspect:
        raise ConfigError(suspect.what, suspect.mend)
    try:
        data = tomllib.loads(files.read_own(path, most_bytes=_MOST_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {str(error).lower()}") from error
    members = {}
    for key, value in data.items():
        if key not in _KEYS:
            raise ConfigError(f"{path}: unknown key `{key}`", nearest_hint(key, _KEYS))
        try:
            members[key] = _KEYS[key](value)
        except ValueError as error:
            raise ConfigError(f"{path}: `{key}` must be {error}") from None
    if not members.get("prompt", "").strip():
        raise ConfigError(f"{path}: needs a `prompt`", 'e.g. prompt = "Summarise this for {reader}."')
    return AskTemplate(name, path, is_shipped, **members)
