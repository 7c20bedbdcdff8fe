"""Reads profiles.toml into Settings; every mistake is one ConfigError with file, line where known, key and nearest name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from deepsel.catalog import Catalog, RowError, generic_provider, model_from, provider_from
from deepsel.config.demo import DEMO_PROFILE_ROW, DEMO_PROVIDERS, with_demo
from deepsel.config.fields import CACHE, CONVERSATIONS, FLEET, PROFILE, SERVE, SERVE_KEY, TOP_LEVEL, Reader
from deepsel.config.nearest import nearest_hint
from deepsel.config.settings import (
    DEFAULT_PROFILE,
    DEMO_PROFILE,
    CacheSettings,
    ConversationSettings,
    FleetSettings,
    Profile,
    ServeKey,
    ServeSettings,
    Settings,
)
from deepsel.errors import OTHER_HOME, ConfigError
from deepsel.reads import read_file
from deepsel.records import NamedTuple
from deepsel.storage import files
from deepsel.storage.owners import fault
from deepsel.values import Model, Notice, Provider

MAX_FILE_BYTES = 1 << 20
Row = TypeVar("Row")


def read_settings(path: Path, catalog: Catalog, *, required: bool = False, demo: bool = False) -> Settings:
    """Read the file at `path`, or give the built-in settings where there is none; `required` makes that an error.

    So are those given, with a notice, where its folder may not be looked into, or the `demo` needs no file that cannot be used.
    Raises ConfigError, also for a file that is not the user's own: it says where keys are sent, and which programs are run.
    """
    suspect = fault(path) if required else fault(path.parent, path)
    if suspect and demo:
        return _built_in(catalog)._replace(notices=(Notice("config_unused", f"{suspect.what}; it is done without"),))
    if suspect:
        raise ConfigError(suspect.what, suspect.mend)
    try:
        raw = _read(path, is_named=required)
    except FileNotFoundError:
        if required:
            raise ConfigError(
                f"there is no configuration file at `{path}`", "check the path, or make one with `deepsel init`"
            ) from None
        return _built_in(catalog)
    except OSError as error:
        words = f"cannot read `{path}`: {(error.strerror or 'input/output error').lower()}"
        if not demo and (required or _is_there(path)):
            raise ConfigError(words, f"check its permissions, or {OTHER_HOME}") from error
        told = Notice("config_unreadable", f"{words}; it is done without ({OTHER_HOME})")
        return _built_in(catalog)._replace(notices=(told,))
    return parse_settings(raw, path, catalog)


def _read(path: Path, *, is_named: bool) -> bytes:
    """Read the file, a pipe too where the user named it (`--config <(...)`). Raises OSError."""
    return read_file(path, most_bytes=MAX_FILE_BYTES) if is_named else files.read_own(path, most_bytes=MAX_FILE_BYTES)


def _is_there(path: Path) -> bool:
    """Tell whether a file is known to be there; not in a folder that may not be looked into, such as another user's home."""
    try:
        path.lstat()
    except OSError:
        return False
    return True


def parse_settings(raw: bytes, path: Path, catalog: Catalog) -> Settings:
    """Turn the bytes of a profiles.toml into Settings; raises ConfigError."""
    import tomllib  # 15 ms that a user without a file need not wait for

    try:
        source = raw.decode("utf-8-sig")
        data = tomllib.loads(source)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text", "save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:  # of a number too long to be read, too
        raise ConfigError(f"{path}: not valid TOML: {str(error).lower()}") from error
    return _Document(path, source, data, catalog).settings()


def _built_in(catalog: Catalog) -> Settings:
    """Give what a user without a file has: the catalog's default candidates and the demo."""
    return Settings(
        providers=dict(DEMO_PROVIDERS),
        models=with_demo({}, catalog),
        profiles={DEFAULT_PROFILE: _default_profile((), catalog), DEMO_PROFILE: DEMO_PROFILE_ROW},
        default_profile=DEFAULT_PROFILE,
        cache=CacheSettings(),
        catalog=catalog,
    )


def _default_profile(own_models: Iterable[str], catalog: Catalog) -> Profile:
    """Give the profile of a user who wrote none: the own models where there are any, else the catalog's defaults."""
    return Profile(name=DEFAULT_PROFILE, models=tuple(own_models) or catalog.default_models)


def _is_in_catalog(name: str, catalog: Catalog) -> bool:
    """Tell whether the catalog can make something of a model's name."""
    try:
        catalog.find_model(name)
    except ConfigError:
        return False
    return True


class _Document(NamedTuple):
    """One parsed file and the means to point into it."""

    path: Path
    source: str
    data: Mapping[str, Any]
    catalog: Catalog

    def settings(self) -> Settings:
        """Check the whole file and build what it says."""
        self._only_known("", self.data, TOP_LEVEL)
        providers = self._rows("providers", self._provider)
        models = self._rows("models", lambda name, row: self._model(name, row, providers))
        profiles = self._rows("profiles", self._profile)
        every_model = with_demo(models, self.catalog)
        every_profile = {DEMO_PROFILE: DEMO_PROFILE_ROW, **profiles}
        for profile in profiles.values():
            self._check_names(profile, every_model)
        if not profiles:
            every_profile[DEFAULT_PROFILE] = _default_profile(models, self.catalog)
        return Settings(
            providers={**DEMO_PROVIDERS, **providers},
            models=every_model,
            profiles=every_profile,
            default_profile=self._default_name(profiles, every_profile),
            cache=CacheSettings(**self._section("cache", CACHE)),
            serve=self._serve(every_profile),
            catalog=self.catalog,
            conversations=ConversationSettings(**self._section("conversations", CONVERSATIONS)),
            fleet=FleetSettings(**self._section("fleet", FLEET)),
            config_file=self.path,
        )

    def _rows(self, section: str, make: Callable[[str, Mapping[str, Any]], Row]) -> dict[str, Row]:
        """Build each `[section.name]` table."""
        table = self.data.get(section, {})
        if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
            self._fail("", section, f"`{section}` must be tables such as `[{section}.name]`")
        return {name: make(name, row) for name, row in table.items()}

    def _provider(self, name: str, row: Mapping[str, Any]) -> Provider:
        """Build a provider: a built-in row overridden key by key, or a new one that starts from its wire's plain form."""
        base = self.catalog.providers.get(name) or generic_provider(row.get("wire"))
        return self._from_row("providers", name, lambda: provider_from(row, name, base=base))

    def _model(self, name: str, row: Mapping[str, Any], providers: Mapping[str, Provider]) -> Model:
        """Build a model and check that its provider exists."""
        source, provider = str(self.path), row.get("provider")
        base = self.catalog.models.get(name)
        if base is None and isinstance(provider, str) and provider in self.catalog.providers:
            base = self.catalog.model_at(provider, str(row.get("id", name)))
        model = self._from_row("models", name, lambda: model_from(row, name, base=base, source=source))
        if model.provider not in providers and model.provider not in self.catalog.providers:
            known = [*providers, *self.catalog.providers]
            self._fail(f"models.{name}", "provider", f"there is no provider `{model.provider}`", model.provider, known)
        return model

    def _from_row(self, section: str, name: str, make: Callable[[], Row]) -> Row:
        """Run one of the catalog's readers and point its complaint at the line it is about."""
        try:
            return make()
        except RowError as error:
            self._fail(f"{section}.{name}", error.key.partition(".")[0], str(error), error.key, error.near)

    def _profile(self, name: str, row: Mapping[str, Any]) -> Profile:
        """Build a profile from its table."""
        if name == DEMO_PROFILE:
            self._fail(f"profiles.{name}", "", "`demo` is the built-in profile and cannot be redefined")
        values = self._values(f"profiles.{name}", row, PROFILE)
        if not values.get("models"):
            self._fail(f"profiles.{name}", "models", 'needs `models`, e.g. models = ["deepseek-flash"]')
        return Profile(name=name, sources=dict.fromkeys(values, "file"), **values)

    def _section(self, name: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
        """Read the members of a table that stands once in the file."""
        row = self.data.get(name, {})
        if not isinstance(row, dict):
            self._fail(name, "", f"`{name}` must be a table")
        return self._values(name, row, readers)

    def _serve(self, profiles: Mapping[str, Profile]) -> ServeSettings:
        """Build how `deepsel serve` listens; fails on a client's profile that nobody knows."""
        values = self._section("serve", SERVE)
        keys: dict[str, ServeKey] = {}
        for name, one in values.pop("keys", {}).items():
            table = f"serve.keys.{name}"
            read = self._values(table, one, SERVE_KEY)
            if not read.get("env"):
                self._fail(table, "env", 'needs `env`, the variable that holds the key, e.g. env = "DEEPSEL_KEY_AGENT"')
            if read.get("profile") is not None and read["profile"] not in profiles:
                self._fail(table, "profile", f"there is no profile `{read['profile']}`", read["profile"], profiles)
            keys[name] = ServeKey(name=name, **read)
        return ServeSettings(**values, keys=keys)

    def _values(self, table: str, row: Mapping[str, Any], readers: Mapping[str, Reader]) -> dict[str, Any]:
        """Read each member of a table with its reader."""
        self._only_known(table, row, readers)
        values = {}
        for key, value in row.items():
            try:
                values[key] = readers[key](value)
            except ValueError as error:
                self._fail(table, key, f"`{key}` must be {error}")
        return values

    def _check_names(self, profile: Profile, models: Mapping[str, Model]) -> None:
        """Fail on a profile that names a model nobody knows."""
        pinned = [name for names in profile.tasks.values() for name in names]
        for name in pinned:
            if name not in profile.models:
                where = f"profiles.{profile.name}"
                self._fail(where, "tasks", f"`{name}` is pinned to a task but not in `models`", name, profile.models)
        for key, names in (("models", profile.models), ("larger_context", profile.larger_context), ("tasks", pinned)):
            for name in names:
                if name not in models and not _is_in_catalog(name, self.catalog):
                    known = [*models, *self.catalog.models]
                    self._fail(f"profiles.{profile.name}", key, f"there is no model `{name}`", name, known)

    def _default_name(self, own: Mapping[str, Profile], every: Mapping[str, Profile]) -> str:
        """Find the profile used when none is named: the file's word, else its first profile, else the built-in one."""
        named = self.data.get("default_profile")
        if named is None:
            return next(iter(own), DEFAULT_PROFILE)
        if not isinstance(named, str) or named not in every:
            self._fail("", "default_profile", f"there is no profile `{named}`", str(named), every)
        return named

    def _only_known(self, table: str, row: Mapping[str, Any], known: Iterable[str]) -> None:
        """Fail on the first member that is not in `known`."""
        for key in row:
            if key not in known:
                self._fail(table, key, f"unknown key `{key}`", key, known)

    def _fail(self, table: str, key: str, message: str, wrong: str = "", known: Iterable[str] = ()) -> NoReturn:
        """Raise the ConfigError for one place in the file, with the nearest valid name as its hint."""
        line = _line_of(self.source, table, key)
        place = f"{self.path}:{line}" if line else str(self.path)
        where = f" [{table}]" if table else ""
        raise ConfigError(f"{place}:{where} {message}", nearest_hint(wrong, known))


def _line_of(source: str, table: str, key: str) -> int | None:
    """Find the line a member stands on (tomllib does not tell); None where a plain search is not sure.

    `table` is dotted. The head of the table is given where the member itself is not found.
    """
    current, head = "", None
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]#]+?)\s*\]+", line)
        if header and "=" not in line.split("]")[0]:
            current = re.sub(r"""["'\s]""", "", header[1])
            if current == table or current.startswith(table + "."):
                head = head or number
        elif key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""", line) and current == table:
            return number
        if key and current == f"{table}.{key}".lstrip("."):
            return number
    return head
