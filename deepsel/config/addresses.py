"""Addresses that the environment gives to built-in providers, by the variables people have set for other programs.

A key goes where its variable says and nowhere else: what reaches its provider at another address while that variable is set,
or a variable that is no address, makes the provider one that is not called, with words that say why.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from deepsel.catalog.hosts import names_a_host
from deepsel.config.settings import Settings
from deepsel.errors import ConfigError
from deepsel.values import Provider

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a server listens is not where it is asked


def at_their_addresses(settings: Settings, env: Mapping[str, str]) -> Settings:
    """Return the settings with each built-in provider where the environment says; the file's own `base_url` wins."""
    if not any(env.get(name, "").strip() for name in settings.catalog.address_variables):
        return settings  # as nearly always, and no row need be parsed to know it
    built_in = settings.catalog.providers
    known = {name: settings.providers.get(name, row) for name, row in built_in.items()}
    open_ = [row for name, row in known.items() if row.base_url == built_in[name].base_url and _variable(row, env)]
    moved = {row.name: _moved(row, env) for row in open_}
    claimed = {row.api_key_env: row for row in moved.values()}
    for name, row in known.items():
        owner = claimed.get(row.api_key_env) if row.api_key_env else None
        if owner is not None and name not in moved and row.base_url == built_in[name].base_url:
            words = f"{_variable(owner, env)} says where the key in {row.api_key_env} goes, which is not {row.label or name}"
            moved[name] = row._replace(unusable=words)
    return settings._replace(providers={**settings.providers, **moved}) if moved else settings


def ensure_usable(provider: Provider) -> None:
    """Raise ConfigError where the environment says that a provider cannot be called."""
    if provider.unusable:
        raise ConfigError(provider.unusable, f"correct it, unset it, or set `base_url` in [providers.{provider.name}]")


def _variable(row: Provider, env: Mapping[str, str]) -> str | None:
    """Name the variable that gives a provider's address; None where it is not set."""
    return next((name for name in (row.base_url_env, row.host_env) if name and env.get(name, "").strip()), None)


def _moved(row: Provider, env: Mapping[str, str]) -> Provider:
    name = _variable(row, env) or ""
    text = env[name].strip().strip("\"'").rstrip("/")
    try:
        return row._replace(base_url=_base_url(text) if name == row.base_url_env else _of_host(text, row.base_url))
    except ValueError:
        return row._replace(unusable=f"{name} is no address of http or https without user name, query or fragment")


def _base_url(text: str) -> str:
    """Check a base URL; raises ValueError."""
    parts = urlsplit(text)
    is_plain = parts.scheme in _DEFAULT_PORTS and parts.hostname and not any(sign in text for sign in "?#@")
    if not is_plain or parts.port == 0 or not names_a_host(text):
        raise ValueError(text)
    return text


def _of_host(text: str, base_url: str) -> str:
    """Complete `[SCHEME://]HOST[:PORT]` from the row's own address; raises ValueError where it is none.

    A port that is left out is the row's, but the scheme's own where a scheme is named, as the program reads it.
    """
    own = urlsplit(base_url)
    scheme, named, rest = text.rpartition("://")
    scheme = scheme if named else own.scheme
    host, port = _host_and_port(rest.partition("/")[0])
    port = port or (_DEFAULT_PORTS.get(scheme) if named else own.port)
    host = _ANYWHERE.get(host, host) or own.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    path = rest.partition("/")[2]
    return _base_url(f"{scheme}://{bracketed}:{port}{'/' + path if path else ''}{own.path}")


def _host_and_port(text: str) -> tuple[str, int | None]:
    """Part a host and its port; an address of version 6 may stand without brackets where no port follows."""
    try:
        return str(ipaddress.ip_address(text.strip("[]"))), None
    except ValueError:
        host, colon, port = text.rpartition(":")
        return (host.strip("[]"), int(port)) if colon else (text, None)
