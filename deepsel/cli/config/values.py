"""Every value in force with where it comes from, as rows; shows no secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from deepsel.config import Profile, Settings
from deepsel.config.fields import CACHE, CONVERSATIONS, PROFILE
from deepsel.records import NamedTuple

_OF_THE_PROGRAM = ("DEEPSEL_HOME", "DEEPSEL_CONFIG", "DEEPSEL_PROFILE", "DEEPSEL_MODEL", "DEEPSEL_LANG")
DEFAULT = "default"
FILE = "profiles.toml"


class Shown(NamedTuple):
    """One value."""

    key: str
    value: Any
    """As JSON has it; None: there is none."""
    source: str
    """`default`, `profiles.toml`, an option, or the name of a variable."""


def values_in_force(settings: Settings, profile: Profile, env: Mapping[str, str], *, named: str | None) -> Iterator[Shown]:
    """Yield the values of the profile in use, then those of the file, then the variables; `named` is what `--profile` said."""
    variable = env.get("DEEPSEL_PROFILE")
    source = "--profile" if named else "DEEPSEL_PROFILE" if variable else FILE if settings.config_file else DEFAULT
    yield Shown("profile", profile.name, source)
    for key in PROFILE:
        yield Shown(f"profiles.{profile.name}.{key}", _plain(getattr(profile, key)), _of(key in profile.sources))
    for section, readers, row in (
        ("cache", CACHE, settings.cache), ("conversations", CONVERSATIONS, settings.conversations)
    ):  # fmt: skip
        for key in readers:
            value = getattr(row, key)
            yield Shown(f"{section}.{key}", _plain(value), _of(value != row._field_defaults[key]))
    yield from _variables(settings, env)


def _variables(settings: Settings, env: Mapping[str, str]) -> Iterator[Shown]:
    """Yield the variables that decide something and are set: of a key only that it is there."""
    keys = {row.api_key_env for row in settings.providers.values() if row.api_key_env} | settings.catalog.key_variables
    for name in (*_OF_THE_PROGRAM, *sorted(settings.catalog.address_variables)):
        if env.get(name, "").strip():
            yield Shown(name, _address(env[name]), "environment")
    for name in sorted(keys):
        if env.get(name, "").strip():
            yield Shown(name, "(set)", "environment")


def _address(text: str) -> str:
    """Show an address, but not one that holds a password."""
    return "(set)" if "@" in text else text


def _of(is_set: bool) -> str:
    return FILE if is_set else DEFAULT


def _plain(value: Any) -> Any:
    """Turn a value into what JSON has; an address that may hold a password is not shown."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str) and "://" in value:
        return _address(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return value
