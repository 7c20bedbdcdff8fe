"""Which proxy of the environment a call goes through, decided for each address; knows no HTTP library and connects nowhere.

`HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` name proxies, `NO_PROXY` what is reached without one: names with everything below
them, addresses and networks of both kinds, each with or without a port, and `*` for everything.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TypeAlias

from deepsel.providers.hosts import is_loopback
from deepsel.records import NamedTuple

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_PORT = re.compile(r"^(?P<host>\[[^\]]*\](?:/\d+)?|[^:]*):(?P<port>\d+)$")


class Proxy(NamedTuple):
    """One proxy as it was named. Its address may hold a password."""

    variable: str
    """Which variable names it, for messages."""
    url: str


class Proxies(NamedTuple):
    """The proxies of an environment."""

    by_scheme: Mapping[str, str]
    """`http`, `https` and `all` to an address."""
    exceptions: tuple[str, ...] = ()
    """The entries of `NO_PROXY`."""

    def find(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Return the proxy of an address; None: it is reached directly, as this machine's own servers always are."""
        name = next((one for one in (scheme, "all") if self.by_scheme.get(one)), None)
        if name is None or is_loopback(host) or any(_covers(one, scheme, host, port) for one in self.exceptions):
            return None
        url = self.by_scheme[name]
        return Proxy(f"{name.upper()}_PROXY", _with_scheme(url))


def read_proxies(found: Mapping[str, str]) -> Proxies:
    """Read what `urllib.request.getproxies()` found."""
    by_scheme = {name: found[name].strip() for name in ("http", "https", "all") if found.get(name, "").strip()}
    return Proxies(by_scheme, tuple(one for one in re.split(r"[,\s]+", found.get("no", "")) if one))


def _with_scheme(url: str) -> str:
    """Complete a proxy's address: many write only host and port, and desktops write `socks://`."""
    if "://" not in url:
        return f"http://{url}"
    return f"socks5://{url.removeprefix('socks://')}" if url.startswith("socks://") else url


def _covers(entry: str, scheme: str, host: str, port: int) -> bool:
    """Tell whether one entry of `NO_PROXY` means an address."""
    wanted, has_scheme, rest = entry.lower().partition("://")
    if has_scheme:
        if wanted not in (scheme, "all"):
            return False
        entry = rest.rstrip("/")
    else:
        entry = wanted
    ported = _PORT.match(entry)
    if ported:
        if int(ported["port"]) != port:
            return False
        entry = ported["host"]
    host = host.lower().strip("[]").rstrip(".")
    address = _address(host)
    return _covers_name(entry, host) if address is None else _covers_address(entry, host, address)


def _covers_name(entry: str, host: str) -> bool:
    """Tell whether an entry means a name: itself or what it is below; a leading dot or `*.` makes no difference."""
    name = entry.removeprefix("*").strip(".") or ("*" if entry == "*" else "")
    if "*" in name:
        return fnmatchcase(host, name)
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _covers_address(entry: str, host: str, address: _Address) -> bool:
    """Tell whether an entry means an address: the same one, its network, or a pattern such as `10.*`."""
    plain = entry.replace("[", "").replace("]", "")
    try:
        network = ipaddress.ip_network(plain, strict=False)
    except ValueError:
        return "*" in entry and fnmatchcase(host, plain)
    return address.version == network.version and address in network


def _address(host: str) -> _Address | None:
    """Read an address; one of version 4 that is written as version 6 is what it is."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
