"""Who may come in: programs of this machine, or clients with a key; never a page in a browser, which must not spend a cent.

A browser sends `Origin` with every request that a page makes across sites, and `Sec-Fetch-Site` with all; a name that was made to
point at this machine (DNS rebinding) stands in `Host`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address

from deepsel.config import ServeSettings
from deepsel.errors import ConfigError
from deepsel.records import NamedTuple
from deepsel.secret import Secret
from deepsel.serve.surfaces.surface import Problem

_BY_HAND = ("", "none")
"""What `Sec-Fetch-Site` says of what a person typed."""


class Visitor(NamedTuple):
    """Who asks."""

    name: str = ""
    """Of its key; empty: nobody was asked for one."""
    profile: str | None = None
    daily_budget_usd: Decimal | None = None
    models: tuple[str, ...] = ()


class Gate:
    """Lets in or refuses; holds the clients' keys."""

    def __init__(self, settings: ServeSettings, env: Mapping[str, str], *, host: str, is_socket: bool) -> None:
        """Find the clients' keys; raises ConfigError where one is missing, or an address that others reach has none."""
        self._visitors = {
            name: (Secret(_key(row.env, env)), Visitor(name, row.profile, row.daily_budget_usd, row.models))
            for name, row in settings.keys.items()
        }
        if not self._visitors and not is_socket and not is_loopback(host):
            raise ConfigError(
                f"`{host}` can be reached by others, and there is no key that they would need",
                "add a `[serve.keys.NAME]` to profiles.toml, or listen on 127.0.0.1",
            )
        self._checks_host = not self._visitors and not is_socket
        self._hosts = {"localhost", host.strip("[]").lower()}

    def admit(self, headers: Mapping[str, str]) -> Visitor | Problem:
        """Say who asks, or why nobody is answered."""
        if headers.get("sec-fetch-site", "") not in _BY_HAND or "origin" in headers:
            return Problem(403, "permission", "pages in a browser may not use this address")
        host = _host_name(headers.get("host", ""))
        if self._checks_host and host not in self._hosts and not is_loopback(host):
            return Problem(403, "permission", f"this address is not called `{host[:80]}`")
        if not self._visitors:
            return Visitor()
        given = headers.get("x-api-key") or headers.get("authorization", "").partition(" ")[2]
        found = [visitor for key, visitor in self._visitors.values() if hmac.compare_digest(key.reveal().encode(), given.strip().encode())]
        if not found:
            return Problem(401, "authentication", "a key of this server is needed; see `[serve.keys]` in its profiles.toml")
        return found[0]


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_name(value: str) -> str:
    """Return the name in a `Host` header, without the port."""
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0].lower()


def _key(variable: str, env: Mapping[str, str]) -> str:
    key = env.get(variable, "").strip()
    if len(key) < 16:
        state = "is not set" if not key else "is shorter than 16 characters"
        raise ConfigError(f"`{variable}`, the key of a client in `[serve.keys]`, {state}", "e.g. `openssl rand -hex 24`")
    return key
